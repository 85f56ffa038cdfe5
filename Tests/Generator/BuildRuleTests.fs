/// The rules on the build: optimisation, faults, and silence beside the compiler's own errors.
module FlashGen.Tests.Generator.BuildRuleTests

open System
open System.Collections.Immutable
open Expecto
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open Microsoft.CodeAnalysis.Diagnostics
open FlashGen.Generators
open FlashGen.Generators.Parse
open FlashGen.Generators.Report
open FlashGen.Tests.Generator
open FlashGen.Tests.Generator.Refusal

/// Two variants, and calls of them.
let private twoVariants =
    """
using System;
using FlashGen;
[Attention(16, Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, SlidingWindow(64), Document, Chunked(128), SoftCap(30f), Alibi, Bias, Sink, Dropout, Scale]
public static partial class A
{
    [MaskMod] static bool Keep(in Position at, Table<int> t, int n) => t[at.Key] > n;
    [ScoreMod] static float Change(float score, in Position at, Table<float> s) => MathF.Exp(score) + s[at.Key + at.Query];
}
[Attention, PrefixLm]
public static partial class B { }
static class Caller
{
    static void Call(float[] x, in AttentionShape shape, ILGPU.Runtime.Accelerator accelerator)
    {
        B.Forward(x, x, x, x, in shape, new int[3]);
        AttentionVariant variant = A.Variant;
        using var kernels = A.Load(accelerator);
    }
}
"""

[<Tests>]
let build =
    testList
        "Generator.Rules.Build"
        [
            test "FG0030 without optimisation" {
                let options = Compile.options.WithOptimizationLevel OptimizationLevel.Debug
                refusedWith options "FG0030" "<Optimize>true</Optimize>" "[Attention(16)] static partial class [|A|];"
            }
            test "FG0030 can be turned off at its place" {
                let options = Compile.options.WithOptimizationLevel OptimizationLevel.Debug

                let outcome =
                    Compile.compilationOf
                        options
                        [
                            "Other.cs", ""
                            "Declared.cs",
                            prelude
                            + "#pragma warning disable FG0030\n[Attention(16)] static partial class A;\n#pragma warning restore FG0030\n[Attention(16)] static partial class B;"
                        ]
                    |> Compile.run

                Expect.equal
                    [
                        for diagnostic in outcome.Reported ->
                            diagnostic.IsSuppressed, diagnostic.GetMessage().Contains "'B'"
                    ]
                    [ true, false; false, true ]
                    "A's is suppressed"
            }
            test "an error cannot be turned off" {
                refused "FG0002" "" "#pragma warning disable FG0002\n[Attention(16)] public partial class [|A|];"
            }
            test "FG0034 without unsafe blocks, once" {
                let outcome =
                    Compile.compilationOf (Compile.options.WithAllowUnsafe false) [ "Declared.cs", twoVariants ]
                    |> Compile.runAll

                Expect.equal [ for diagnostic in outcome.Reported -> diagnostic.Id ] [ "FG0034" ] "reported"

                Expect.stringContains
                    (outcome.Reported.Head.GetMessage())
                    "<AllowUnsafeBlocks>true"
                    "what to write instead"

                Expect.isEmpty outcome.Compiler "no follow-up errors"
            }
            test "FG0035 in an old C#, once" {
                let outcome = Compile.runAllIn LanguageVersion.CSharp13 twoVariants
                Expect.equal [ for diagnostic in outcome.Reported -> diagnostic.Id ] [ "FG0035" ] "reported"

                Expect.stringContains
                    (outcome.Reported.Head.GetMessage())
                    "set it to 14.0 or later"
                    "what to write instead"

                Expect.isEmpty outcome.Compiler "no follow-up errors"
            }
            test "the oldest C# will do" {
                let outcome = Compile.runAllIn BuildFacts.Required twoVariants
                Expect.isEmpty outcome.Reported "reported"
                Expect.equal outcome.Compiler [] "the compiler"
            }
            test "a project without variants is none of our business" {
                let outcome =
                    Compile.compilationOf (Compile.options.WithAllowUnsafe false) [ "Declared.cs", "class A { }" ]
                    |> Compile.runAll

                Expect.isEmpty (outcome.Reported @ outcome.Compiler) "reported"
            }
            test "FG0032 an attribute without a variant" {
                for attribute in ReadyMadeAttributes.Names do
                    let arguments =
                        match attribute with
                        | "SlidingWindow"
                        | "BlockSize" -> "(3, 4)"
                        | "Chunked"
                        | "SoftCap" -> "(3)"
                        | _ -> ""

                    refused "FG0032" "mark the class" $"[[|{attribute}{arguments}|]] static partial class A;"
            }
            test "FG0032 a mod without a variant" {
                refused
                    "FG0032"
                    "mark the class"
                    "static class A { [MaskMod] static bool [|Keep|](in Position at) => true; [ScoreMod] static float [|Change|](float score) => score; }"
            }
        ]

/// A generator beside ours, whose one file is what a function adds.
type private Beside(add: SourceProductionContext -> unit) =
    interface IIncrementalGenerator with
        member _.Initialize context =
            context.RegisterSourceOutput(context.CompilationProvider, (fun output _ -> add output))

/// What the generators report together, and what our analyzer says of the outcome.
let private withBeside add text =
    let driver: GeneratorDriver =
        CSharpGeneratorDriver.Create(
            [
                FlashGenGenerator().AsSourceGenerator()
                (Beside add :> IIncrementalGenerator).AsSourceGenerator()
            ],
            parseOptions = Compile.parseOptions
        )

    let driver, output, _ =
        driver.RunGeneratorsAndUpdateCompilation(Compile.source text)

    let analyzed =
        output
            .WithAnalyzers(ImmutableArray.Create<DiagnosticAnalyzer>(LeftToCompilerAnalyzer()))
            .GetAnalyzerDiagnosticsAsync()
            .Result

    List.ofSeq (driver.GetRunResult().Diagnostics), List.ofSeq analyzed, Compile.errors (output.GetDiagnostics())

[<Tests>]
let faults =
    testList
        "Generator.Rules.Fault"
        [
            test "FG0031 an emitter that fails" {
                let emit () : struct (string * string) seq =
                    raise (InvalidOperationException "two\nlines")

                let reported, _, _ =
                    withBeside (fun output -> Emission.Add(output, "Some.Variant", emit)) ""

                let diagnostic = List.exactlyOne reported
                Expect.equal diagnostic.Id "FG0031" "id"
                let message = diagnostic.GetMessage()
                Expect.stringContains message "'Some.Variant'" "whose"
                Expect.stringContains message "InvalidOperationException: two lines" "what"
            }
            test "FG0031 an emitter that fails in its second file adds none" {
                let emit () : struct (string * string) seq =
                    seq {
                        struct ("First.g.cs", "class First;")
                        failwith "later"
                    }

                let reported, _, errors =
                    withBeside (fun output -> Emission.Add(output, "A", emit)) "class B : First;"

                Expect.equal [ for diagnostic in reported -> diagnostic.Id ] [ "FG0031" ] "reported"
                Expect.equal [ for error in errors -> error.Id ] [ "CS0246" ] "no First"
            }
            test "FG0031 a parser that fails" {
                let compilation = Compile.source "[Attention(16)] static partial class A;"

                let result =
                    DeclarationParser.Guard(Compile.typeOf compilation "A", compilation, (fun () -> failwith "a fault"))

                let record = List.exactlyOne (List.ofSeq result.Diagnostics)
                let diagnostic = record.ToDiagnostic compilation
                Expect.equal diagnostic.Id "FG0031" "id"
                Expect.stringContains (diagnostic.GetMessage()) "Exception: a fault" "what"

                Expect.equal
                    (diagnostic.Location.SourceTree.ToString().Substring(diagnostic.Location.SourceSpan.Start, 1))
                    "A"
                    "place"
            }
            test "FG0033 a mod that uses generated code" {
                let add (output: SourceProductionContext) =
                    output.AddSource("Window.g.cs", "static class Window { public const int Size = 4; }")

                let reported, analyzed, errors =
                    withBeside
                        add
                        "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) => at.Key < Window.Size; }"

                Expect.isEmpty reported "the generator cannot know"
                Expect.isEmpty errors "the compiler is content"
                let diagnostic = List.exactlyOne analyzed
                Expect.equal diagnostic.Id "FG0033" "id"
                Expect.stringContains (diagnostic.GetMessage()) "write that code by hand" "what to write instead"

                Expect.equal
                    (diagnostic.Location.SourceTree.ToString().Substring(diagnostic.Location.SourceSpan.Start, 1))
                    "A"
                    "place"
            }
            test "FG0033 not beside the compiler's own error" {
                let _, analyzed, errors =
                    withBeside
                        ignore
                        "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) => at.Key < Window.Size; }"

                Expect.isEmpty analyzed "the compiler has said it"
                Expect.equal [ for error in errors -> error.Id ] [ "CS0103" ] "by this"
            }
        ]

[<Tests>]
let silence =
    let silent title text =
        test title {
            let outcome = Compile.run (Compile.source text)
            Expect.isEmpty outcome.Reported "the compiler's error is enough"
            Expect.hasLength outcome.Compiler 1 "one mistake, one error"
        }

    testList
        "Generator.Rules.Silence"
        [
            silent
                "a misspelt field"
                "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) => at.Kye > 3; }"
            silent
                "a misspelt helper"
                "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) => Helpre(at.Key); }"
            silent
                "a misspelt type"
                "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at, Tabel<int> t) => true; }"
            silent
                "a misspelt element"
                "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at, Table<itn> t) => true; }"
            silent "an attribute twice" "[Attention(16), Scale(2f), Scale(3f)] static partial class A;"
            silent
                "a property of an attribute with a value of another type"
                "[Attention(16), BlockSize(64, 64, Target = Target.Sm90)] static partial class A;"
            silent "an attribute with a wrong argument" "[Attention(16), Chunked(\"abc\")] static partial class A;"
            silent
                "a value of a wrong type"
                "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) { int x = \"abc\"; return x > 3; } }"
            silent
                "a path without a return"
                "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) { if (at.Key > 3) return true; } }"
            silent
                "a double that meets a float"
                "[Attention(16)] static partial class A { [ScoreMod] static float Change(float score) => score * 0.5; }"
        ]
