/// Tensor-core kernels as NVIDIA's compiler gets them, looked at without a GPU: what the plan promised, and nothing that would make
/// them slow or differ from run to run.
module FlashGen.Tests.Cuda.PtxTests

open System
open System.Text.RegularExpressions
open Expecto
open FlashGen
open FlashGen.Dsl
open FlashGen.Generators.Emit.Tensor
open FlashGen.Support
open FlashGen.Tests
open FlashGen.Tests.Kernels
open FlashGen.Tests.Portable

let private kernels (variant: AttentionVariant) =
    [ for struct (plan, kernel) in TensorKernels.Of variant -> plan, kernel ]

let private sum pattern (ptx: string) =
    Regex.Matches(ptx, pattern)
    |> Seq.sumBy (fun found -> int found.Groups[1].Value)

/// Whether products of warpgroups take queries from registers.
let private holdsQueries (ptx: string) = Regex.IsMatch(ptx, @"wgmma[^;]*\{q0,")

let private checkText isMerging (plan: PlanInfo) (kernel: TensorKernel) =
    let target, named =
        if plan.Target = Target.Sm90 then
            "sm_90a", "wgmma"
        else
            "sm_80", "mma.sync"

    let isBFloat16 = plan.ElementType = FlashGen.ElementType.BFloat16
    let struct (_, ptx) = TensorCompiler.Compile(kernel, target, isBFloat16, isMerging)

    Expect.equal (ptx.Contains "[arrivals]") isMerging $"{plan.Canonical}: whether there are counters"

    let follows = isMerging && plan.Target = Target.Sm90
    let count (pattern: string) = Regex.Count(ptx, Regex.Escape pattern)

    Expect.equal
        (count "griddepcontrol.launch_dependents")
        (if follows then 1 else 0)
        $"{plan.Canonical}: the next kernel may begin"
    // The warp that copies, those that multiply and, where there are some, those that search.
    let waits = count "griddepcontrol.wait"

    Expect.isTrue
        (if follows then waits = 2 || waits = 3 else waits = 0)
        $"{plan.Canonical}: {waits} waits for the kernel before"

    for what, pattern in
        [
            "memory of a thread's own", @"\.local"
            "a call of a function", @"\.func|\bcall(\.uni)?\s+\("
            "a predicate in memory", @"(ld|st)\.[^;]*%p\d"
            "a name that changes from run to run", @"\bL_\d+|\.param[^\n]*_\d+[,\s\[]"
            "the other 16-bit type",
            (if isBFloat16 then
                 @"\.f32\.f16\.f16|cvt\.rn\.f16x2"
             else
                 "bf16")
        ] do
        let found = Regex.Match(ptx, $"^.*({pattern}).*$", RegexOptions.Multiline)

        if found.Success then
            failtest $"{plan.Canonical}: {what}: {found.Value.Trim()}"

    Expect.stringContains ptx $".target {target}" "the target"
    Expect.stringContains ptx named "tensor-core instructions"

    // Batch, key head, first row, rows, part, and where a batch entry has its own, key length and offset.
    Expect.isGreaterThanOrEqual
        (Regex.Matches(ptx, @"shfl\.sync\.idx").Count)
        (2 * 7)
        $"{plan.Canonical}: the numbers of a tile of rows are the same in a warp wherever they are asked for"

    // Scores, outputs and probabilities are declared once, as many as the plan says.
    let rowTiles =
        Devices.number "m" plan.Canonical / 16 / Devices.number "warps" plan.Canonical

    let keys, values = Devices.number "n" plan.Canonical, plan.ValueDim

    // Ampere's probabilities take the place of their scores.
    let probabilities = if plan.Target = Target.Sm90 then [ "p", keys / 4 ] else []

    for name, count in [ "s", keys / 2; "o", values / 2 ] @ probabilities do
        let declared = Regex.Matches(ptx, $@"[ ,]{name}<(\d+)>")
        Expect.equal declared.Count 1 $"{plan.Canonical}: registers {name} are declared once"
        Expect.equal (int declared[0].Groups[1].Value) (rowTiles * count) $"{plan.Canonical}: registers {name}"

    if plan.Target = Target.Sm90 && holdsQueries ptx then
        let queries = plan.HeadDim / 4
        Expect.stringContains ptx $" q<{queries}>" $"{plan.Canonical}: registers q"

        Expect.isLessThanOrEqual
            (3 * keys / 4 + values / 2 + queries + TilePlan.otherRegisters)
            (TilePlan.tensorRegisters Sm90 (Devices.number "m" plan.Canonical) kernel.Groups)
            $"{plan.Canonical}: queries in registers have room"

    // Warpgroups hand each other the registers that their group is launched with, and one that asks for more than there are waits for ever.
    if plan.Target = Target.Sm90 then
        let given change =
            let found = Regex.Matches(ptx, $@"setmaxnreg\.{change}\.sync\.aligned\.u32 (\d+)")
            Expect.equal found.Count 1 $"{plan.Canonical}: one setmaxnreg.{change}"
            int found[0].Groups[1].Value

        let threads = kernel.Threads
        let launched = 65536 / kernel.Groups / threads / 8 * 8
        Expect.stringContains ptx $".minnctapersm {kernel.Groups}\n" $"{plan.Canonical}: groups of a multiprocessor"

        Expect.isLessThanOrEqual
            (128 * given "dec" + (threads - 128) * given "inc")
            (threads * launched)
            $"{plan.Canonical}: registers that are handed over"

    // A group takes 1 KB of a multiprocessor's 228 beside its own.
    Expect.isLessThanOrEqual
        (kernel.Groups * (plan.SharedBytes + 1024))
        (228 * 1024)
        $"{plan.Canonical}: shared memory of a multiprocessor"

    let ofShared = kernel.SharedBytes + sum @"\.shared[^;]*\[(\d+)\];" ptx
    Expect.isLessThanOrEqual ofShared plan.SharedBytes $"{plan.Canonical}: shared memory"
    Expect.isGreaterThan ofShared (plan.SharedBytes - 4096) $"{plan.Canonical}: the plan's shared memory is no guess"

/// As most calls run it, and as those do whose parts it puts together.
let private check plan kernel =
    for isMerging in [ false; true ] do
        checkText isMerging plan kernel

/// A kernel that no other test compiles.
type Begun =
    static member Store(view: ILGPU.ArrayView<int>) = view[0] <- 1

[<Tests>]
let tests =
    testList
        "Cuda.Ptx"
        [
            for index, variant in List.indexed Widths.variants do
                match kernels variant with
                | [] -> ()
                | kernels ->
                    test variant.Name {
                        if Settings.thorough then
                            for plan, kernel in kernels do
                                check plan kernel
                        else
                            // Together, the variants have kernels of every target, type and dimension.
                            kernels[index * 3 % kernels.Length] ||> check
                    }

            test "the gallery has a kernel for each tensor-core target, 16-bit type and dimension" {
                for variant in AttentionVariant.In typeof<FlashGen.Kernels.Full>.Assembly do
                    if variant.Arguments.Count >= 0 && not (List.isEmpty (kernels variant)) then
                        for headDim in [ 1; 64; 65; 128; 192; 256 ] do
                            for elementType in [ FlashGen.ElementType.Float16; FlashGen.ElementType.BFloat16 ] do
                                for target in [ Target.Sm80; Target.Sm90 ] do
                                    Expect.exists
                                        (kernels variant)
                                        (fun (plan, _) ->
                                            plan.Target = target
                                            && plan.ElementType = elementType
                                            && plan.HeadDim >= headDim)
                                        $"{variant.Name}, {elementType}, {headDim}"
            }

            test "Load begins with a kernel for each dimension that most models have" {
                let dims kernels =
                    let likely = Seq.toArray (TensorKernels.Likely kernels)

                    [
                        for struct (plan, kernel) in kernels do
                            if Seq.contains kernel likely then
                                plan.HeadDim
                    ]

                let all = Seq.toArray (TensorKernels.Of FlashGen.Kernels.Alibi.Variant)
                Expect.equal (List.sort (dims all)) [ 64; 128 ] "one for each"

                let others =
                    all
                    |> Array.filter (fun struct (plan, _) -> plan.HeadDim <> 64 && plan.HeadDim <> 128)

                let struct (first, _) = others[0]
                Expect.equal (dims others) [ first.HeadDim ] "else the first"
            }

            test "a kernel that is begun is compiled without a call" {
                let kernel =
                    TensorKernel(32, 0, 0, 0, 1, (fun () -> typeof<Begun>.GetMethod(nameof Begun.Store)))

                Expect.isFalse (TensorCompiler.IsCompiled kernel) "before"
                TensorCompiler.Begin [ kernel ]

                Expect.isTrue
                    (System.Threading.SpinWait.SpinUntil(
                        (fun () -> TensorCompiler.IsCompiled kernel),
                        TimeSpan.FromMinutes 1.0
                    ))
                    "on another thread"
            }

            test "a long change stands in a loop, a short one does not" {
                let turns (variant: AttentionVariant) =
                    [
                        for plan, kernel in kernels variant do
                            if plan.ElementType = FlashGen.ElementType.Float16 && plan.Target = Target.Sm90 then
                                let struct (_, ptx) = TensorCompiler.Compile(kernel, "sm_90a", false)
                                Regex.Matches(ptx, "mov.b32 s0, s4;").Count
                    ]

                let long = turns FlashGen.Tests.Variants.DistanceDecay.Variant
                Expect.isNonEmpty long "kernels"
                Expect.all long (fun count -> count > 0 && count <= 3) "once in each place where scores change"
                Expect.all (turns FlashGen.Kernels.SoftCap.Variant) ((=) 0) "written out"
            }

            test "queries are in registers where they gain" {
                let holds headDim (variant: AttentionVariant) =
                    kernels variant
                    |> List.filter (fun (plan, _) ->
                        plan.Target = Target.Sm90
                        && plan.ElementType = FlashGen.ElementType.Float16
                        && plan.HeadDim = headDim)
                    |> List.map (fun (plan, kernel) ->
                        let struct (_, ptx) = TensorCompiler.Compile(kernel, "sm_90a", false)
                        holdsQueries ptx)
                    |> List.distinct

                Expect.equal (holds 128 FlashGen.Kernels.Full.Variant) [ true ] "128 columns without a mask"
                Expect.equal (holds 128 FlashGen.Kernels.Causal.Variant) [ false ] "with one"
                Expect.equal (holds 96 FlashGen.Kernels.Causal.Variant) [ true ] "96 columns with bounds"
                Expect.equal (holds 96 FlashGen.Kernels.Documents.Variant) [ false ] "with tables"
                Expect.equal (holds 96 FlashGen.Kernels.Alibi.Variant) [ false ] "with score changes"
                Expect.equal (holds 256 FlashGen.Kernels.Full.Variant) [ false ] "256 columns"
            }

            test "warps that multiply have no branch for faults of bounds" {
                let text = (Sm90Emitter(TensorTile(Sm90, 128, 128, 64, 64, 8, 2, 1))).Emit()

                let ranges =
                    [
                        for found in Regex.Matches(text, @"TensorRange\.Of<TMods, TRow>\(.*, (\S+)\);") do
                            found.Groups[1].Value
                    ]

                // The copying warp, those that search, those that multiply.
                Expect.equal ranges [ "memory.Fault"; "default"; "default" ] "where each notes them"
            }

            test "a tile's keys and queries are free behind all that may read them" {
                for keys, dim in [ 128, 128; 128, 96; 192, 64; 80, 256 ] do
                    let text = (Sm90Emitter(TensorTile(Sm90, 128, keys, dim, dim, 8, 2, 1))).Emit()

                    let places pattern =
                        [
                            for found in Regex.Matches(text, pattern) do
                                found.Index
                        ]

                    for early in places @"HoldQueries\(QueryPiece" do
                        Expect.isGreaterThan (text.IndexOf("Release(shared + QueryEmpty)", early)) early "held ones"

                    let lastQueries = places @"Release\(shared \+ QueryEmpty\)" |> List.last

                    let products =
                        places @"MultiplyKeys\(queryTile, |MultiplyKeysAgain<TMods, TRow>\(shared"

                    Expect.isGreaterThan
                        lastQueries
                        (List.last products)
                        $"{keys} keys, {dim} columns: queries in shared memory"

                    for again in places @"MultiplyKeysAgain<TMods, TRow>\(shared" do
                        let between = text[again .. text.IndexOf("Release(shared + KeyEmpty", again)]

                        Expect.isFalse
                            (between.Contains "Release(shared + ValueEmpty")
                            $"{keys} keys: keys of the same tile"
            }
        ]
