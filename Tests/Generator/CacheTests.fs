/// What an edit runs again, and that the same sources give the same files.
module FlashGen.Tests.Generator.CacheTests

open System
open Expecto
open Microsoft.CodeAnalysis
open FlashGen.Dsl

/// A file, its text, and what the tests make of it.
let private files =
    [
        "Near.cs",
        """using FlashGen;
/// Keeps near keys.
[Attention(16)]
public static partial class Near
{
    [MaskMod] static bool Keep(in Position at, int n) => Helper.Distance(at.QueryPosition, at.Key) <= n;
}
"""
        "Plain.cs",
        """using FlashGen;
[Attention(16), Causal]
public static partial class Plain
{
    [ScoreMod] static float Change(float score, in Position at) => score * 2f;
}
"""
        "Helper.cs",
        """using System;
static class Helper
{
    public static int Distance(int a, int b) => Math.Abs(a - b);
    public static int Other(int a) => a;
}
"""
        "Unrelated.cs", "class Unrelated { int x = 3; }"
    ]

/// A class that is refused.
let private refused =
    "Refused.cs",
    """using FlashGen;
[Attention(16)]
public static partial class Refused
{
    [ScoreMod] static float Change(float score, in Position at) => (float)(score * 0.5);
}
"""

/// What the steps of a run did: for each step, the reason of each of its values; what is written counts as a step.
let private reasons (driver: GeneratorDriver) =
    let result = Seq.exactlyOne (driver.GetRunResult().Results)

    [
        for steps in Seq.append result.TrackedSteps result.TrackedOutputSteps do
            steps.Key,
            [
                for step in steps.Value do
                    for struct (value, reason) in step.Outputs -> value, reason
            ]
    ]
    |> dict

let private sources (driver: GeneratorDriver) =
    let result = Seq.exactlyOne (driver.GetRunResult().Results)

    Map.ofList
        [
            for source in result.GeneratedSources -> source.HintName, source.SourceText.ToString()
        ]

/// Runs the generator, edits a file, and runs it again.
let private editOf files path (change: string -> string) =
    let compilation = Compile.compilation files
    let before = (Compile.driver ()).RunGenerators compilation
    let text = files |> List.find (fun (name, _) -> name = path) |> snd
    let edited = change text
    Expect.notEqual edited text "the edit edits"

    let tree = compilation.SyntaxTrees |> Seq.find (fun tree -> tree.FilePath = path)

    let after =
        before.RunGenerators(compilation.ReplaceSyntaxTree(tree, Compile.file path edited))

    before, after

let private edit path change = editOf files path change

let private isOld reason =
    reason = IncrementalStepRunReason.Cached
    || reason = IncrementalStepRunReason.Unchanged

let private expectOld (driver: GeneratorDriver) step =
    for value, reason in (reasons driver)[step] do
        Expect.isTrue (isOld reason) $"{step}: {reason} {value}"

/// The variants whose declaration an edit changed.
let private changed (driver: GeneratorDriver) =
    [
        for value, reason in (reasons driver)["Declarations"] do
            if not (isOld reason) then
                (value :?> Declaration).Spec.Name
    ]

/// No declaration changed, no file was written again, and the files are the same.
let private expectNothing (before, after) =
    for step in
        [
            "Declarations"
            "Accepted"
            "Panels"
            "AmbiguousNames"
            "SourceOutput"
            "ImplementationSourceOutput"
        ] do
        expectOld after step

    Expect.equal (sources after) (sources before) "files"

[<Tests>]
let caching =
    testList
        "Generator.Cache"
        [
            test "the first run is new" {
                let driver = (Compile.driver ()).RunGenerators(Compile.compilation files)

                Expect.equal (List.sort (changed driver)) [ "Near"; "Plain" ] "declarations"
                Expect.isNonEmpty (sources driver) "files"
            }
            test "a comment on a variant changes nothing" {
                expectNothing (
                    edit "Near.cs" (fun text -> text.Replace("near keys", "the nearest keys\n/// and no others"))
                )
            }
            test "a comment in a mod changes nothing" {
                expectNothing (edit "Near.cs" (fun text -> text.Replace("<= n", "/* both ends */\n <= n")))
            }
            test "a comment on a helper changes nothing" {
                expectNothing (edit "Helper.cs" (fun text -> "// Helps.\n" + text))
            }
            test "an unrelated file changes nothing" {
                expectNothing (edit "Unrelated.cs" (fun text -> text.Replace("3", "4")))
            }
            test "another helper changes nothing" {
                expectNothing (edit "Helper.cs" (fun text -> text.Replace("=> a;", "=> a + 1;")))
            }
            test "a helper in another file changes exactly its variants" {
                let _, after = edit "Helper.cs" (fun text -> text.Replace("a - b", "a - b + 1"))

                Expect.equal (changed after) [ "Near" ] "declarations"
            }
            test "a variant changes itself alone" {
                let _, after = edit "Plain.cs" (fun text -> text.Replace("2f", "3f"))
                Expect.equal (changed after) [ "Plain" ] "declarations"
                expectOld after "Panels"
                expectOld after "AmbiguousNames"
            }
            test "a mistake that moves is reported at its new place, and nothing else runs" {
                let before, after =
                    editOf (refused :: files) "Refused.cs" (fun text -> "\n\n" + text)

                Expect.isEmpty (changed after) "declarations"

                let line (driver: GeneratorDriver) =
                    let diagnostic = Seq.exactlyOne (driver.GetRunResult().Diagnostics)
                    diagnostic.Location.GetLineSpan().StartLinePosition.Line

                Expect.equal (line after) (line before + 2) "place"
            }
            test "a mistake that is mended is forgotten" {
                let _, after =
                    editOf [ refused ] "Refused.cs" (fun text -> text.Replace("0.5", "0.5f"))

                Expect.isEmpty (after.GetRunResult().Diagnostics) "diagnostics"
                Expect.equal (changed after) [ "Refused" ] "declarations"
            }
            test "declarations are values" {
                let read () =
                    Compile.declaration (Compile.compilation files) "Near"

                let first, second = read (), read ()
                Expect.isFalse (obj.ReferenceEquals(first, second)) "two parses"
                Expect.equal first second "one value"
                Expect.equal (hash first) (hash second) "one hash"
            }
        ]

[<Tests>]
let determinism =
    let run files =
        (Compile.driver ()).RunGenerators(Compile.compilation files)

    testList
        "Generator.Determinism"
        [
            test "the order of files does not matter" {
                Expect.equal (sources (run (List.rev files))) (sources (run files)) "files"
            }
            test "the order of a class's parts does not matter" {
                let parts =
                    [
                        "1.cs",
                        "using FlashGen;\n[Attention(16), Causal] static partial class A { [MaskMod] static bool First(in Position at, int a) => at.Key > a; }"
                        "2.cs",
                        "using FlashGen;\n[Attention(32), Chunked(64)] static partial class A { [MaskMod] static bool Second(in Position at, int b) => at.Key > b; }"
                    ]

                let read files =
                    Compile.declaration (Compile.compilation files) "A"

                Expect.equal (read (List.rev parts)) (read parts) "declaration"

                Expect.equal
                    [ for part in (read parts).Spec.Masks -> part.Name ]
                    [ "Causal"; "Chunked"; "First"; "Second" ]
                    "masks"

                Expect.equal [ for dims in (read parts).Spec.Dims -> dims.HeadDim ] [ 16; 32 ] "dimensions"
            }
            test "a class with the attribute on two parts is one variant" {
                let outcome =
                    Compile.run (
                        Compile.source
                            "[Attention(16)] static partial class A;\n[Attention(32)] static partial class A;"
                    )

                Expect.equal [ for name, _ in outcome.Sources -> name ] [ "A.g.cs" ] "files"
                Expect.isEmpty outcome.Compiler "errors"
            }
            test "names that differ in case alone have files of their own" {
                let outcome =
                    Compile.run (
                        Compile.source
                            "[Attention(16)] static partial class A;\n[Attention(16)] static partial class a;\n[Attention(16)] static partial class B;"
                    )

                Expect.isEmpty (outcome.Reported @ outcome.Compiler) "errors"
                let names = [ for name, _ in outcome.Sources -> name.ToUpperInvariant() ]
                Expect.hasLength (List.distinct names) 3 "files"
                Expect.contains names "B.G.CS" "the others keep their names"
            }
            test "files end their lines with a line feed" {
                for file in sources (run files) do
                    Expect.isFalse (file.Value.Contains '\r') file.Key
            }
        ]
