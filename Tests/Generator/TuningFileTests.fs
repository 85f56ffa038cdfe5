/// The tuning file in a build: which kernels it changes, and what is said where it cannot be used.
module FlashGen.Tests.Generator.TuningFileTests

open System
open System.Collections.Immutable
open Expecto
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.Text
open FlashGen
open FlashGen.Dsl
open FlashGen.Tests.Generator

let private source =
    """using FlashGen;
[Attention(64, Types = ElementTypes.Float32), Causal]
public static partial class First;
[Attention(64, Types = ElementTypes.Float32 | ElementTypes.Float16)]
public static partial class Second;
[Attention(64, Types = ElementTypes.Float32), BlockSize(64, 32)]
public static partial class Declared;
"""

let private compilation = Compile.compilation [ "Declared.cs", source ]

let private hashOf name =
    Text.hash (Compile.declaration compilation name).Spec

type private PlansText(text: string) =
    inherit AdditionalText()
    override _.Path = "/project/flashgen.plans"
    override _.GetText _ = SourceText.From text

let private file lines =
    PlansText("flashgen.plans 1\n" + String.concat "\n" lines) :> AdditionalText

let private times = "time=1.0000 default=1.2000"

let private line name plan =
    $"{name} {hashOf name} avx512 {times} simd {plan}"

let private plan elementType shapeClass blockN =
    $"{elementType} d=64 dv=64 {shapeClass} m=256 n={blockN} bits=512 rows=2 panels=8 keys=8 values=8"

let private run text =
    (Compile.driver ()).AddAdditionalTexts(ImmutableArray.CreateRange [ (text: AdditionalText) ]).RunGenerators
        compilation

let private sources (driver: GeneratorDriver) =
    Map.ofList
        [
            for result in driver.GetRunResult().Results do
                for source in result.GeneratedSources -> source.HintName, source.SourceText.ToString()
        ]

let private untuned = lazy sources ((Compile.driver ()).RunGenerators compilation)

/// The files that differ from those without a tuning file.
let private changed driver =
    [
        for file in sources driver do
            if Map.tryFind file.Key untuned.Value <> Some file.Value then
                file.Key
    ]

let private said (driver: GeneratorDriver) =
    [
        for diagnostic in driver.GetRunResult().Diagnostics ->
            diagnostic.Id, diagnostic.Location.GetLineSpan().StartLinePosition.Line + 1, diagnostic.GetMessage()
    ]

/// The variants of the sources with a tuning file, loaded.
let private load text =
    let _, output, _ =
        (Compile.driver ())
            .AddAdditionalTexts(ImmutableArray.CreateRange [ (text: AdditionalText) ])
            .RunGeneratorsAndUpdateCompilation
            compilation

    (output :?> CSharp.CSharpCompilation).WithAssemblyName $"Tuned{Guid.NewGuid():N}"
    |> Compile.load
    |> AttentionVariant.In

let private planOf (variants: AttentionVariant seq) name shapeClass =
    let variant = variants |> Seq.find (fun each -> each.Name = name)

    variant.Plans
    |> Seq.find (fun plan ->
        plan.ElementType = FlashGen.ElementType.Float32
        && plan.Canonical.Contains "bits=512"
        && plan.ShapeClass = shapeClass)

[<Tests>]
let tests =
    testList
        "Generator.TuningFile"
        [
            test "an entry changes its variant's kernel and description, and nothing else" {
                let driver = run (file [ line "First" (plan "float32" "long" 64) ])
                Expect.isEmpty (said driver) "nothing is said"
                Expect.equal (changed driver) [ "First.Simd512.g.cs"; "First.Variant.g.cs" ] "files"
                let text = (sources driver)["First.Simd512.g.cs"]
                Expect.stringContains text "private const int BlockN = 64;" "the plan"

                Expect.stringContains
                    text
                    "// float32 d=64 dv=64 long: measured on avx512, 1.0000 ms, the planner's m=256 n=128 bits=512 rows=2 panels=8 keys=8 values=8 1.2000 ms"
                    "the reason"
            }
            test "an edit of the file regenerates exactly the variants concerned" {
                let first = line "First" (plan "float32" "long" 64)
                let text entry = file [ first; line "Second" entry ]
                let before = text (plan "float32" "long" 32)

                let driver = run before

                let after =
                    driver
                        .ReplaceAdditionalText(
                            before,
                            file [ "# a comment"; first; line "Second" (plan "float32" "long" 64) ]
                        )
                        .RunGenerators
                        compilation

                let result = Seq.exactlyOne (after.GetRunResult().Results)

                let names step isMeant =
                    [
                        for run in result.TrackedSteps[step] do
                            for struct (value, reason) in run.Outputs do
                                if isMeant reason then
                                    (value :?> Declaration).Spec.Name
                    ]

                Expect.equal
                    (names "Tuned" (fun reason -> reason = IncrementalStepRunReason.Modified))
                    [ "Second" ]
                    "declarations"

                let old reason =
                    reason = IncrementalStepRunReason.Cached
                    || reason = IncrementalStepRunReason.Unchanged

                Expect.equal
                    (names "Declarations" old |> List.sort)
                    [ "Declared"; "First"; "Second" ]
                    "nothing is parsed again"

                for run in result.TrackedSteps["Panels"] do
                    for struct (_, reason) in run.Outputs do
                        Expect.isTrue (old reason) "micro-kernels"

                let written =
                    [
                        for run in result.TrackedOutputSteps["ImplementationSourceOutput"] do
                            for struct (_, reason) in run.Outputs do
                                if not (old reason) then
                                    reason
                    ]

                Expect.equal written.Length 1 "one variant's files were written again"
            }
            test "a comment in the file changes nothing" {
                let before = file [ line "First" (plan "float32" "long" 64) ]

                let after =
                    (run before)
                        .ReplaceAdditionalText(before, file [ line "First" (plan "float32" "long" 64); "# reviewed" ])
                        .RunGenerators
                        compilation

                let result = Seq.exactlyOne (after.GetRunResult().Results)

                for output in result.TrackedOutputSteps["ImplementationSourceOutput"] do
                    for struct (_, reason) in output.Outputs do
                        Expect.equal reason IncrementalStepRunReason.Cached "kernels"
            }
            test "the declaration beats the file, and the file the planner; both are told" {
                let variants =
                    load (
                        file
                            [
                                line "First" (plan "float32" "long" 64)
                                line "Declared" (plan "float32" "long" 64)
                            ]
                    )

                let first = planOf variants "First" "long"
                Expect.equal first.Source PlanSource.Tuned "the file"
                Expect.stringContains first.Canonical " n=64 " "its plan"
                Expect.stringContains first.Reason "1.0000 ms, the planner's m=256 n=128" "and what it beat"
                let declared = planOf variants "Declared" "long"
                Expect.equal declared.Source PlanSource.BlockSize "the declaration"
                Expect.stringContains declared.Canonical " n=32 " "its plan"
                Expect.stringContains declared.Reason "measured on avx512: m=256 n=64" "and what it beat"
                Expect.stringContains declared.Reason "the planner's: m=256 n=128" "both"
                Expect.equal (planOf variants "Second" "long").Source PlanSource.Planner "the planner"
            }
            test "a class of shapes has a plan of its own where that gains over 5 %" {
                let short default' blockN =
                    (line "Second" (plan "float32" "short" blockN)).Replace("default=1.2000", $"default={default'}")

                let decode = line "Second" (plan "float16" "decode" 256)
                let driver = run (file [ short "1.0600" 32; decode ])
                let text = (sources driver)["Second.Simd512.g.cs"]

                Expect.stringContains text "if (call.IsShort && typeof(T) == typeof(float))" "short"

                Expect.stringContains text "return (32, 8);" "its size"

                Expect.stringContains text "if (call.IsDecode && typeof(T) == typeof(global::System.Half))" "decode"

                Expect.stringContains text "measured on avx512, 1.0000 ms" "and why"
                load (file [ short "1.0600" 32; decode ]) |> ignore
                let small = sources (run (file [ short "1.0400" 32 ]))
                Expect.stringContains small["Second.Simd512.g.cs"] "private const int BlockN = 128;" "not for 4 %"
            }
            test "with plans of their own, all classes of shapes compute what the reference does" {
                let sized shapeClass blockN panels elementType =
                    line
                        "Second"
                        $"{elementType} d=64 dv=64 {shapeClass} m={panels * 32} n={blockN} bits=512 rows=2 panels={panels} keys=8 values=8"

                let entries =
                    [
                        for bits, name in [ 512, "avx512"; 256, "avx2" ] do
                            for elementType in [ "float32"; "float16" ] do
                                for shapeClass, blockN, panels in [ "long", 96, 4; "short", 32, 2; "decode", 48, 4 ] do
                                    let entry = sized shapeClass blockN panels elementType

                                    if bits = 512 then
                                        entry
                                    else
                                        entry
                                            .Replace("avx512", name)
                                            .Replace($"m={panels * 32}", $"m={panels * 24}")
                                            .Replace("bits=512 rows=2", "bits=256 rows=3")
                                            .Replace("keys=8 values=8", "keys=4 values=4")
                    ]

                let variant = load (file entries) |> Seq.find (fun each -> each.Name = "Second")

                Expect.hasLength
                    (variant.Plans |> Seq.filter (fun plan -> plan.Source = PlanSource.Tuned))
                    12
                    "all are taken"

                for bits in [ 512; 256 ] do
                    for queries, keys in [ 45, 300; 3, 300; 40, 1100; 1, 2000 ] do
                        let shape = AttentionShape(1, 2, 1, queries, keys, 64)
                        let random = Random 1

                        let tensor (count: int) =
                            Array.init count (fun _ -> random.NextSingle() * 4f - 2f)

                        let query, key, value =
                            tensor (2 * queries * 64), tensor (keys * 64), tensor (keys * 64)

                        let output: float32[] = Array.create (2 * queries * 64) nanf
                        let logSumExp: float32[] = Array.create (2 * queries) nanf

                        variant.Forward(
                            ReadOnlySpan query,
                            ReadOnlySpan key,
                            ReadOnlySpan value,
                            Span output,
                            &shape,
                            null,
                            Span logSumExp,
                            AttentionOptions(MaxVectorBits = bits)
                        )

                        let report =
                            Reference.Verify<float32, float32>(
                                variant,
                                ReadOnlySpan query,
                                ReadOnlySpan key,
                                ReadOnlySpan value,
                                ReadOnlySpan output,
                                ReadOnlySpan logSumExp,
                                &shape
                            )

                        Expect.isTrue report.Passed $"{bits} bits, {queries} x {keys}: {report}"
            }
            test "a register tile holds for all types of a text" {
                let driver =
                    run (
                        file
                            [
                                line
                                    "Second"
                                    "float32 d=64 dv=64 long m=128 n=128 bits=512 rows=1 panels=8 keys=12 values=12"
                            ]
                    )

                let files = sources driver
                Expect.stringContains files["Second.Simd512.g.cs"] "Panel512_1x12x12" "the kernel"
                Expect.isTrue (files.ContainsKey "FlashGen.Panel512_1x12x12.g.cs") "its micro-kernels"
                Expect.isTrue (files.ContainsKey "FlashGen.Panel512_2x8x8.g.cs") "and those of the others"
            }
            test "FG0036 on its line, and the default plan" {
                let driver =
                    run (
                        file
                            [
                                line "First" (plan "float32" "long" 64)
                                "# comment"
                                line "Second" (plan "float32" "long" 64) + "0"
                            ]
                    )

                match said driver with
                | [ "FG0036", 4, message ] -> Expect.stringContains message "keys and values are 2 to 32" "reason"
                | other -> failtest $"%A{other}"

                Expect.equal (changed driver) [ "First.Simd512.g.cs"; "First.Variant.g.cs" ] "files"
            }
            test "FG0036 for another version" {
                let driver = run (PlansText "flashgen.plans 7\n")

                match said driver with
                | [ "FG0036", 1, message ] -> Expect.stringContains message "version '7'" "reason"
                | other -> failtest $"%A{other}"

                Expect.isEmpty (changed driver) "files"
            }
            test
                "FG0037 for a variant that has changed, or has no such kernel; other assemblies' variants are their own" {
                let stale =
                    (line "First" (plan "float32" "long" 64)).Replace(hashOf "First", "00000000000000ff")

                let unfit =
                    line "First" (plan "float64" "long" 64)
                    |> fun text -> text.Replace("m=256", "m=128")

                let elsewhere = stale.Replace("First ", "Elsewhere ")
                let driver = run (file [ stale; unfit; elsewhere ])

                match List.sort (said driver) with
                | [ "FG0037", 2, changed; "FG0037", 3, other ] ->
                    Expect.stringContains
                        changed
                        ("'First' is not used: its spec has changed since, the hash is "
                         + hashOf "First"
                         + " now")
                        "hash"

                    Expect.stringContains other "no kernels for simd in float64" "type"
                | other -> failtest $"%A{other}"

                Expect.isEmpty (changed driver) "files"

                for diagnostic in driver.GetRunResult().Diagnostics do
                    Expect.equal diagnostic.Severity DiagnosticSeverity.Warning "a build goes on"
            }
        ]
