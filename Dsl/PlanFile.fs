/// `flashgen.plans`: what measurements chose, one line an entry, made to be committed and reviewed.
///
///     flashgen.plans 1
///     # a comment
///     My.Causal 0123456789abcdef avx512 time=1.2500 default=1.5000 simd float32 d=64 dv=64 long m=256 n=128 bits=512 ...
///
/// A line is: the variant's name, the hash of its spec, the class of the device, the plan's time and that of the default plan in
/// milliseconds, and the plan in canonical text.
namespace FlashGen.Dsl

open System
open System.Globalization

/// A plan that was chosen by measurement.
type TunedPlan =
    {
        /// `avx512`, `avx2` or `vector128` on the CPU; on a device such as `sm_90`.
        DeviceClass: string
        Plan: TilePlan
        Milliseconds: float
        /// Of the planner's own plan in the same measurement.
        DefaultMilliseconds: float
    }

/// A line of the file.
type PlanEntry =
    {
        Variant: string
        SpecHash: string
        Tuned: TunedPlan
    }

/// What is wrong with a line, counted from 1.
type PlanFault = { Line: int; Reason: string }

/// What a file says: its entries with their lines, and what is wrong with the others.
type PlanFile =
    {
        Entries: (int * PlanEntry) list
        /// The comments above entries, by the entries' keys (`PlanFile.key`); those below the last by an empty one.
        Comments: (string * string list) list
        Faults: PlanFault list
    }

[<RequireQualifiedAccess>]
module PlanFile =
    let fileName = "flashgen.plans"

    let private version = "1"

    let private header = fileName + " " + version

    let empty =
        {
            Entries = []
            Comments = []
            Faults = []
        }

    let private note = "# Written by flashgen tune; times are in milliseconds."

    /// The class of CPUs whose vectors have so many bits.
    let simdClass vectorBits =
        match vectorBits with
        | 512 -> "avx512"
        | 256 -> "avx2"
        | _ -> "vector128"

    /// By how much a plan is faster than the default: 1.05 is 5 %.
    let gain (tuned: TunedPlan) =
        tuned.DefaultMilliseconds / tuned.Milliseconds

    // Checks: a file is written by hand too, and emitters trust a plan.

    let private need condition reason =
        if condition then Ok() else Error reason

    let private all (checks: Result<unit, string> list) =
        checks |> List.tryFind Result.isError |> Option.defaultValue (Ok())

    let private simdRules (plan: TilePlan) (schedule: SimdSchedule) =
        all
            [
                need
                    (List.contains schedule.VectorBits TargetDescription.simdWidths)
                    "a vector has 512, 256 or 128 bits."
                need
                    (schedule.RowVectors >= 1 && schedule.Panels >= 1 && schedule.Panels <= 64)
                    "rows and panels are 1 or more, panels at most 64."
                need (plan.Type <> Float64 || schedule.RowVectors % 2 = 0) "doubles have an even number of row vectors."
                need (schedule.RowVectors <= 8) "rows are at most 8."
                need
                    (schedule.KeyUnroll >= 2
                     && schedule.KeyUnroll <= 32
                     && schedule.ValueUnroll >= 2
                     && schedule.ValueUnroll <= 32)
                    "keys and values are 2 to 32."
                need
                    (plan.BlockM = schedule.Panels * TilePlan.panelRows plan)
                    "m is panels times rows times the lanes of a vector."
                need (plan.BlockN <= 4096) "n is at most 4096."
            ]

    let private portableRules (plan: TilePlan) (schedule: PortableSchedule) =
        all
            [
                need
                    (List.contains schedule.Threads TargetDescription.portableGroups)
                    "threads are 16, 32, 64, 128 or 256."
                need (schedule.ThreadRows = 4 || schedule.ThreadRows = 8) "rows are 4 or 8."
                need
                    (plan.BlockM = schedule.Threads / TilePlan.portableLanes * schedule.ThreadRows)
                    "m is threads / 8 * rows."
                need
                    (plan.BlockN % 32 = 0
                     && plan.BlockN <= 1024
                     && plan.BlockN = TilePlan.portableLanes * schedule.ThreadColumns)
                    "n is 8 times columns, a multiple of 32 and at most 1024."
                need (List.contains schedule.HeadSlice [ 16; 32; 64 ]) "head is 16, 32 or 64."
                need (List.contains schedule.ValueSlice [ 32; 64 ]) "value is 32 or 64."
                need (plan.Dims.ValueDim % 32 = 0) "dv is a multiple of 32."
            ]

    let private tensorRules (plan: TilePlan) (schedule: TensorSchedule) =
        all
            [
                need
                    (schedule.Warps >= 1
                     && schedule.Warps <= 16
                     && plan.BlockM <= 512
                     && plan.BlockM % (16 * schedule.Warps) = 0)
                    "m is a multiple of 16 times warps, at most 512, and warps are at most 16."
                need
                    (plan.Target <> Sm80
                     || schedule.Warps % 2 = 0 && plan.BlockM <= 32 * schedule.Warps)
                    "on sm80 warps are even, of 16 or 32 rows."
                need (plan.Target <> Sm90 || plan.BlockM = 16 * schedule.Warps) "m is 16 times warps on sm90."
                need (plan.BlockN % 16 = 0 && plan.BlockN <= 256) "n is a multiple of 16, at most 256."
                need
                    (schedule.Stages = 2
                     || plan.Target = Sm90 && List.contains schedule.Stages [ 1; 4 ])
                    "stages are 2, or on sm90 1 or 4."
            ]

    let private isWord (text: string) =
        text <> ""
        && text
           |> Seq.forall (fun c -> c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c = '_' || c = '-' || c = '.')

    let private classRules deviceClass (plan: TilePlan) =
        match plan.Schedule with
        | SimdSchedule schedule ->
            let own = simdClass schedule.VectorBits

            need
                (deviceClass = own)
                ("a plan of "
                 + string schedule.VectorBits
                 + " bits is for "
                 + own
                 + ", not for '"
                 + deviceClass
                 + "'.")
        | TensorSchedule _ ->
            need
                (deviceClass.StartsWith("sm_", StringComparison.Ordinal) && isWord deviceClass)
                ("tensor cores are of a class such as sm_90, not '" + deviceClass + "'.")
        | PortableSchedule _ ->
            need
                (isWord deviceClass)
                ("'"
                 + deviceClass
                 + "' is no class of devices: it is in small letters, digits, '_', '-' and '.'.")

    /// Whether kernels can be emitted for a plan: it is in itself consistent and fits its target.
    let check (plan: TilePlan) =
        let sizes =
            all
                [
                    need (plan.BlockM >= 1 && plan.BlockN >= 1) "m and n are 1 or more."
                    need
                        (plan.Dims.HeadDim >= 1
                         && plan.Dims.HeadDim <= 256
                         && plan.Dims.ValueDim >= 1
                         && plan.Dims.ValueDim <= 256)
                        "d and dv are 1 to 256."
                ]

        let rules () =
            match plan.Schedule with
            | SimdSchedule schedule -> simdRules plan schedule
            | PortableSchedule schedule -> portableRules plan schedule
            | TensorSchedule schedule -> tensorRules plan schedule

        sizes
        |> Result.bind rules
        |> Result.bind (fun () ->
            TilePlan.verify (TilePlan.target plan.Target plan.Schedule) plan
            |> Result.map ignore)

    // Printing.

    let private milliseconds (value: float) =
        value.ToString("0.0000", CultureInfo.InvariantCulture)

    let private line (entry: PlanEntry) =
        String.Join(
            " ",
            [
                entry.Variant
                entry.SpecHash
                entry.Tuned.DeviceClass
                "time=" + milliseconds entry.Tuned.Milliseconds
                "default=" + milliseconds entry.Tuned.DefaultMilliseconds
                PlanText.print entry.Tuned.Plan
            ]
        )

    /// What two entries cannot share: of each kernel, device class and shape class there is one.
    let key (entry: PlanEntry) =
        let plan = entry.Tuned.Plan

        String.Join(
            " ",
            [
                entry.Variant
                entry.SpecHash
                entry.Tuned.DeviceClass
                TargetDescription.name plan.Target
                TilePlan.typeName plan.Type
                plan.Dims.HeadDim.ToString("000", CultureInfo.InvariantCulture)
                plan.Dims.ValueDim.ToString("000", CultureInfo.InvariantCulture)
                TilePlan.shapeClassName plan.ShapeClass
            ]
        )

    /// The text of a file with these entries, in the order of what they are for, whatever the order given, each below its comments.
    /// Comments on entries that are gone stand at the end.
    let printWith (comments: (string * string list) list) (entries: PlanEntry list) =
        let keys = entries |> List.map key |> Set.ofList

        let above key =
            comments |> List.filter (fun (own, _) -> own = key) |> List.collect snd

        let lines =
            entries
            |> List.map (fun entry -> key entry, line entry)
            |> List.sortWith (fun (a, _) (b, _) -> String.CompareOrdinal(a, b))
            |> List.collect (fun (key, line) -> above key @ [ line ])

        let rest =
            comments
            |> List.filter (fun (key, _) -> not (Set.contains key keys))
            |> List.collect snd

        String.Join("\n", header :: note :: lines @ rest) + "\n"

    /// The text of a file with these entries and no comments.
    let print entries = printWith [] entries

    // Reading.

    let private time name (field: string) =
        let prefix = name + "="

        if not (field.StartsWith(prefix, StringComparison.Ordinal)) then
            Error("'" + field + "' should be " + prefix + "MILLISECONDS.")
        else
            match
                Double.TryParse(
                    field.Substring prefix.Length,
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture
                )
            with
            | true, value when value > 0.0 && value < 1e9 -> Ok value
            | _ -> Error("'" + field + "' is no time above 0.")

    let private isHash (text: string) =
        text.Length = 16
        && text |> Seq.forall (fun c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f')

    let private canonical (text: string) =
        PlanText.parse text
        |> Result.bind (fun plan ->
            let own = PlanText.print plan

            if own = text then
                Ok plan
            else
                Error("the plan in canonical text is '" + own + "'."))

    let private entry (text: string) =
        match text.Split([| ' '; '\t' |], 6, StringSplitOptions.RemoveEmptyEntries) with
        | [| variant; hash; deviceClass; tunedTime; defaultTime; plan |] ->
            if not (isHash hash) then
                Error("'" + hash + "' is no hash of a spec: that is 16 hexadecimal digits.")
            else
                time "time" tunedTime
                |> Result.bind (fun tunedTime ->
                    time "default" defaultTime
                    |> Result.bind (fun defaultTime ->
                        canonical plan
                        |> Result.bind (fun plan ->
                            classRules deviceClass plan
                            |> Result.bind (fun () -> check plan)
                            |> Result.map (fun () ->
                                {
                                    Variant = variant
                                    SpecHash = hash
                                    Tuned =
                                        {
                                            DeviceClass = deviceClass
                                            Plan = plan
                                            Milliseconds = tunedTime
                                            DefaultMilliseconds = defaultTime
                                        }
                                }))))
        | _ -> Error "an entry is: variant hash class time=MILLISECONDS default=MILLISECONDS plan."

    let private readLines (lines: string[]) =
        let faults = ResizeArray<PlanFault>()
        let entries = ResizeArray<int * PlanEntry>()
        let comments = ResizeArray<string * string list>()
        let mutable above = []
        let mutable seen = Map.empty

        let comment key =
            if not (List.isEmpty above) then
                comments.Add(key, List.rev above)
                above <- []

        for index in 1 .. lines.Length - 1 do
            let number, text = index + 1, lines[index].Trim()

            if text <> "" && text[0] = '#' then
                if text <> note then
                    above <- text :: above
            elif text <> "" then
                match entry text with
                | Error reason -> faults.Add { Line = number; Reason = reason }
                | Ok read ->
                    match Map.tryFind (key read) seen with
                    | Some first ->
                        faults.Add
                            {
                                Line = number
                                Reason = "line " + string (first: int) + " has an entry for the same kernel."
                            }
                    | None ->
                        seen <- Map.add (key read) number seen
                        comment (key read)
                        entries.Add(number, read)

        comment ""

        {
            Entries = List.ofSeq entries
            Comments = List.ofSeq comments
            Faults = List.ofSeq faults
        }

    /// Reads a file. A line that is wrong is told and left out; a file of another version has no entries.
    let parse (text: string) =
        let lines = text.TrimStart('\uFEFF').Split('\n')

        match lines[0].Trim().Split([| ' ' |], StringSplitOptions.RemoveEmptyEntries) with
        | [| name; number |] when name = fileName && number = version -> readLines lines
        | [| name; number |] when name = fileName ->
            {
                Entries = []
                Comments = []
                Faults =
                    [
                        {
                            Line = 1
                            Reason =
                                "the file is of version '"
                                + number
                                + "'; this FlashGen reads version "
                                + version
                                + "."
                        }
                    ]
            }
        | _ ->
            {
                Entries = []
                Comments = []
                Faults =
                    [
                        {
                            Line = 1
                            Reason = "the first line is not '" + header + "'."
                        }
                    ]
            }
