/// Tuning: candidates are checked and timed, the result is merged, runs go on where others stopped, and bad input leaves all as it was.
module FlashGen.Tests.Tool.TuneTests

open System
open System.IO
open Expecto
open ILGPU.Runtime.Cuda
open FlashGen
open FlashGen.Dsl
open FlashGen.Kernels
open FlashGen.Tool.Run
open FlashGen.Tool.Tune
open FlashGen.Tests.Tool.Files

let private gallery = typeof<Causal>.Assembly.Location

let private plansIn folder = Path.Combine(folder, "flashgen.plans")

/// A quick tuning of two variants; what is not under test is left small.
let private tune folder words =
    flashgen (
        [
            "tune"
            gallery
            "--type"
            "float32"
            "--candidates"
            "2"
            "--keep-texts"
            "--plans"
            plansIn folder
        ]
        @ words
    )

let private entriesOf folder =
    let file = PlanFile.parse (File.ReadAllText(plansIn folder))
    Expect.isEmpty file.Faults "the file is whole"
    file.Entries |> List.map snd

let private recordsOf folder =
    TuneJournal.Parse(File.ReadAllText(TuneJournal.PathOf(plansIn folder)))
    |> List.ofSeq

let private other =
    "Other.Variant 0123456789abcdef sm_90 time=1.0000 default=1.5000 sm90 float16 d=128 dv=128 long m=128 n=128 warps=8 stages=2"

let private refusedWith folder parts words =
    let before =
        if File.Exists(plansIn folder) then
            Some(File.ReadAllText(plansIn folder))
        else
            None

    let outcome = flashgen words
    Expect.equal outcome.Code 1 $"refused: {outcome.Out}"

    for part in parts do
        Expect.stringContains outcome.Error part "the message"

    Expect.isFalse (outcome.Error.Contains "   at ") $"no stack trace: {outcome.Error}"

    let after =
        if File.Exists(plansIn folder) then
            Some(File.ReadAllText(plansIn folder))
        else
            None

    Expect.equal after before "the old file is as it was"

/// An assembly with one variant whose text says that it is causal, and whose calls run this.
let private idle folder body =
    let path = Path.Combine(folder, "Idle.dll")

    let info =
        "new(FlashGen.Target.Simd, FlashGen.ElementType.Float32, 256, 256, \"long\", \"\", 0, 0)"

    let spec =
        { Expect.wantOk (Text.parseSpec Causal.Variant.Spec) "the spec" with
            Types = [ Float32 ]
        }

    Assemblies.writeIdleOf path (Text.printSpec spec) info body
    path

/// Whether this process was started with SIGINT ignored (proc(5), SigIgn).
let private ignoresInterrupt () =
    let status = "/proc/self/status"

    File.Exists status
    && File.ReadLines status
       |> Seq.exists (fun line ->
           line.StartsWith("SigIgn:", StringComparison.Ordinal)
           && Convert.ToUInt64(line.Substring(7).Trim(), 16) &&& 2UL <> 0UL)

[<Tests>]
let tests =
    testSequenced (
        testList
            "Tool.Tune"
            [
                test "a tuning checks and times candidates, keeps others' entries, and a second run measures nothing" {
                    inFolder (fun folder ->
                        File.WriteAllText(plansIn folder, "flashgen.plans 1\n" + other + "\n")
                        let first = tune folder [ "--variant"; "Causal" ]
                        Expect.equal first.Code 0 first.Error
                        let records = recordsOf folder
                        let timed = records |> List.filter (fun record -> record.Outcome = TuneOutcome.Ok)
                        Expect.isGreaterThanOrEqual timed.Length 6 "two candidates in three classes"

                        for record in timed do
                            Expect.isGreaterThan record.Milliseconds 0.0 "a time"
                            Expect.isGreaterThan record.DefaultMilliseconds 0.0 "and the planner's"
                            Expect.isGreaterThan record.Flops 0.0 "work"

                        let entries = entriesOf folder

                        Expect.isTrue
                            (entries |> List.exists (fun entry -> entry.Variant = "Other.Variant"))
                            "others' entries are kept"

                        let own = entries |> List.filter (fun entry -> entry.Variant = Causal.Variant.Name)

                        Expect.isNonEmpty own "its own are there"

                        for entry in own do
                            Expect.equal entry.SpecHash Causal.Variant.SpecHash "of this spec"
                            Expect.equal entry.Tuned.Plan.Type Float32 "of this type"

                        let text = File.ReadAllText(plansIn folder)
                        let second = tune folder [ "--variant"; "Causal" ]
                        Expect.equal second.Code 0 second.Error
                        Expect.equal (recordsOf folder) records "nothing was measured again"
                        Expect.equal (File.ReadAllText(plansIn folder)) text "the same file"

                        Expect.isEmpty
                            (Directory.GetFiles folder
                             |> Seq.map Path.GetFileName
                             |> Seq.except [ "flashgen.plans"; "flashgen.plans.journal" ])
                            "nothing is left over")
                }
                test "a run that had no time leaves what there was, and another goes on" {
                    inFolder (fun folder ->
                        let none = tune folder [ "--variant"; "Full"; "--time"; "0" ]
                        Expect.equal none.Code 0 none.Error
                        Expect.stringContains none.Out "another run goes on from here" "it says so"
                        Expect.isEmpty (entriesOf folder) "no entry"
                        let rest = tune folder [ "--variant"; "Full" ]
                        Expect.equal rest.Code 0 rest.Error
                        Expect.isNonEmpty (entriesOf folder) "entries")
                }
                test "devices, variants and numbers that there are none of are refused" {
                    inFolder (fun folder ->
                        let refused parts words =
                            refusedWith folder parts ([ "tune"; gallery; "--plans"; plansIn folder ] @ words)

                        refused [ "no variant 'Causall'"; "Did you mean Causal" ] [ "--variant"; "Causall" ]
                        refused [ "--limit is 0" ] [ "--limit"; "0" ]
                        refused [ "--limit is nan"; "a number of seconds, above 0" ] [ "--limit"; "nan" ]
                        refused [ "--time is -1" ] [ "--time"; "-1" ]
                        refused [ "--candidates is 0" ] [ "--candidates"; "0" ]
                        refused [ "--vector-bits is 100"; "512, 256 and 128" ] [ "--vector-bits"; "100" ]
                        refused [ "--target sm90"; "runs simd" ] [ "--target"; "sm90" ]

                        use context = ILGPU.Context.Create(fun builder -> builder.Cuda() |> ignore)

                        if context.Devices.Length = 0 then
                            refused [ "--device cuda"; "no such device" ] [ "--device"; "cuda" ])
                }
                test "assemblies without variants or of another FlashGen are refused" {
                    inFolder (fun folder ->
                        let path name = Path.Combine(folder, name)

                        let refused parts file =
                            refusedWith folder parts [ "tune"; file; "--plans"; plansIn folder ]

                        refused [ "no such file" ] (path "None.dll")
                        refused [ "declares no variants" ] typeof<System.Text.Json.JsonDocument>.Assembly.Location
                        Assemblies.writeReferring (path "Newer.dll") "FlashGen" (System.Version(9, 9, 9, 9))
                        refused [ "built with FlashGen 9.9.9.9" ] (path "Newer.dll"))
                }
                test "a file that cannot be written, understood or had alone is refused" {
                    inFolder (fun folder ->
                        let run words =
                            refusedWith folder words [ "tune"; gallery; "--plans"; plansIn folder ]

                        refusedWith
                            folder
                            [ "there is no folder" ]
                            [ "tune"; gallery; "--plans"; Path.Combine(folder, "no", "x") ]

                        File.WriteAllText(plansIn folder, "flashgen.plans 2\n")
                        run [ "line 1"; "version '2'" ]
                        File.WriteAllText(plansIn folder, "flashgen.plans 1\n" + other + "\nnonsense\n")
                        run [ "line 3"; "an entry is" ]
                        File.WriteAllText(plansIn folder, "flashgen.plans 1\n" + other + "\n")
                        use _ = PlansStore.Open(plansIn folder)
                        run [ "another flashgen tune is at work on it" ])
                }
                test "kernels that do not compute what the variant means are wrong, and not timed" {
                    inFolder (fun folder ->
                        // The class says that it keeps all keys, its text that it is causal.
                        let path = idle folder ""

                        let outcome =
                            flashgen [ "tune"; path; "--candidates"; "2"; "--plans"; plansIn folder ]

                        Expect.equal outcome.Code 0 outcome.Error
                        Expect.isEmpty (entriesOf folder) "nothing is chosen"
                        let records = recordsOf folder
                        Expect.isNonEmpty records "but it is written down"

                        for record in records do
                            Expect.notEqual record.Outcome TuneOutcome.Ok record.Plan
                            Expect.equal record.Milliseconds 0.0 "no time"

                        Expect.isTrue
                            (records |> List.exists (fun record -> record.Outcome = TuneOutcome.Wrong))
                            "wrong is what it is")
                }
                test "what hangs is given up, and what ends the process is survived" {
                    for body, limit, expected, reason in
                        [
                            "while (true) { }", "4", TuneOutcome.TimedOut, "There was no end after 4 s."
                            "System.Environment.FailFast(\"gone\");", "60", TuneOutcome.Failed, "Its process ended with"
                            "throw new OutOfMemoryException();", "60", TuneOutcome.OutOfMemory, ""
                        ] do
                        inFolder (fun folder ->
                            let path = idle folder body

                            let outcome =
                                flashgen
                                    [
                                        "tune"
                                        path
                                        "--candidates"
                                        "1"
                                        "--limit"
                                        limit
                                        "--time"
                                        "1"
                                        "--plans"
                                        plansIn folder
                                    ]

                            Expect.equal outcome.Code 0 outcome.Error
                            let records = recordsOf folder
                            Expect.isNonEmpty records body

                            for record in records do
                                Expect.equal record.Outcome expected $"{body}: {record.Reason}"
                                Expect.stringContains record.Reason reason body)
                }
                test "Ctrl+C leaves the journal and the old file, and the next run goes on" {
                    if OperatingSystem.IsWindows() then
                        skiptest "there is no SIGINT"

                    inFolder (fun folder ->
                        let old = "flashgen.plans 1\n" + other + "\n"
                        File.WriteAllText(plansIn folder, old)

                        let words =
                            [ "tune"; gallery; "--type"; "float32"; "--keep-texts"; "--candidates"; "2" ]

                        let words =
                            words @ [ "--variant"; "Full"; "--variant"; "Sink"; "--plans"; plansIn folder ]

                        let start =
                            Diagnostics.ProcessStartInfo(
                                Path.Combine(
                                    Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(),
                                    "..",
                                    "..",
                                    "..",
                                    "dotnet"
                                ),
                                RedirectStandardError = true,
                                RedirectStandardOutput = true
                            )

                        Path.Combine(AppContext.BaseDirectory, "flashgen-tool.dll") :: words
                        |> List.iter start.ArgumentList.Add

                        use run = Diagnostics.Process.Start start
                        let journal = TuneJournal.PathOf(plansIn folder)
                        let patience = Diagnostics.Stopwatch.StartNew()

                        while not run.HasExited
                              && patience.Elapsed.TotalSeconds < 60.0
                              && (not (File.Exists journal) || FileInfo(journal).Length = 0L) do
                            Threading.Thread.Sleep 20

                        // A shell's job in the background ignores Ctrl+C, and so do its children; all heed SIGTERM, which goes the same way.
                        let signal = if ignoresInterrupt () then "-TERM" else "-INT"
                        use kill = Diagnostics.Process.Start("kill", [ signal; string run.Id ])
                        kill.WaitForExit()
                        Expect.isTrue (run.WaitForExit 30000) "it ends"
                        Expect.equal run.ExitCode 1 "and not well"
                        Expect.stringContains (run.StandardError.ReadToEnd()) "run again to go on" "it says how"
                        Expect.equal (File.ReadAllText(plansIn folder)) old "the old file"
                        let measured = recordsOf folder
                        Expect.isNonEmpty measured "the journal"
                        let again = flashgen words
                        Expect.equal again.Code 0 again.Error
                        Expect.equal (recordsOf folder |> List.take measured.Length) measured "it went on from there"
                        Expect.isGreaterThan (entriesOf folder).Length 2 "and came to its end")
                }
                test "a plan for which no kernel can be had is refused or wrong, not timed" {
                    let spec = Expect.wantOk (Text.parseSpec Causal.Variant.Spec) "the spec"

                    let plan =
                        Expect.wantOk
                            (PlanText.parse
                                "simd float32 d=256 dv=256 long m=256 n=64 bits=512 rows=2 panels=8 keys=8 values=8")
                            "the plan"

                    use build = CandidateBuild.Create(spec, plan, plan.Dims, TargetKind.Simd, Float32)

                    Expect.isTrue
                        (build.Variant.Plans
                         |> Seq.exists (fun info -> info.Canonical = PlanText.print plan))
                        "it is in the kernel"

                    let elsewhere =
                        { plan with
                            Dims = { HeadDim = 64; ValueDim = 64 }
                        }

                    Expect.throwsT<CandidateException>
                        (fun () ->
                            CandidateBuild.Create(spec, elsewhere, elsewhere.Dims, TargetKind.Simd, Float32).Dispose())
                        "no kernel takes it"
                }
                test "a device says how long a call takes, and whether it is right" {
                    use backend = new DeviceBackend("cpu")
                    let shape = AttentionShape(1, 1, 1, 33, 65, 16)

                    use calls =
                        new DeviceCase<float32, float32>(Causal.Variant, shape, ModArguments(), backend)

                    let report = calls.Check Causal.Variant
                    Expect.isTrue report.Passed $"{report}"
                    let watch = Diagnostics.Stopwatch.StartNew()
                    let milliseconds = calls.Time Causal.Variant
                    Expect.isGreaterThan milliseconds 0.0 "it takes some time"
                    // It is that of one call out of several.
                    Expect.isLessThan milliseconds watch.Elapsed.TotalMilliseconds "and no more than we waited"
                    Expect.isFalse (calls.Check Full.Variant).Passed "another variant is no candidate for this one"
                }
            ]
    )
