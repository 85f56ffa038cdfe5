/// The pages quote what the generator writes for the quick start. A quotation that is no longer true is a fault of the page:
/// copy the text anew from Samples/Quickstart/obj.
module FlashGen.Tests.Gallery.ExcerptTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open Microsoft.CodeAnalysis
open FlashGen.Tests.Generator

let private root = Path.Combine(__SOURCE_DIRECTORY__, "..", "..")

let private read (path: string) =
    File.ReadAllText(Path.Combine(root, path)).Replace("\r", "")

/// Lines without indentation, blank ones left out.
let private lines (text: string) =
    text.Split '\n'
    |> Array.map _.Trim()
    |> Array.filter (fun line -> line <> "")
    |> List.ofArray

let private joined text = String.Join("\n", lines text)

/// Every file that the generator writes for the quick start's variants.
let private written =
    lazy
        let compilation =
            Compile.compilation
                [
                    "Variants.cs", read "Samples/Quickstart/Variants.cs"
                    "Usings.cs", "global using System;"
                ]

        let result = Compile.driver().RunGenerators(compilation).GetRunResult()
        Expect.isEmpty result.Diagnostics "the quick start is declared well"

        [
            for generated in result.Results do
                for source in generated.GeneratedSources -> joined (source.SourceText.ToString())
        ]

let private isWritten (text: string) =
    written.Value |> List.exists _.Contains(joined text, StringComparison.Ordinal)

/// What a page quotes as generated C#, cut where it leaves something out.
let private excerpts page =
    [
        for block in Regex.Matches(read page, "```csharp generated\n(.*?)```", RegexOptions.Singleline) do
            yield! Regex.Split(block.Groups[1].Value, @"^\s*\.\.\.\s*$", RegexOptions.Multiline)
    ]
    |> List.filter (fun excerpt -> lines excerpt <> [])

let private architecture = "docs/architecture.md"

[<Tests>]
let tests =
    testList
        "gallery"
        [
            testList
                "excerpts"
                [
                    for page, count in [ "README.md", 2; architecture, 9 ] do
                        test $"%s{page} quotes what is written" {
                            let excerpts = excerpts page
                            Expect.hasLength excerpts count "excerpts"

                            for excerpt in excerpts do
                                Expect.isTrue (isWritten excerpt) $"the generator does not write:\n%s{excerpt}"
                        }
                    test "the canonical text and its hash" {
                        let page = read architecture
                        let spec = Regex.Match(page, "(    flashgen-spec .*\n)(    .*\n)+")
                        Expect.isTrue spec.Success "the page has a spec"
                        let literal = String.Join("\\n", lines spec.Value)
                        Expect.isTrue (isWritten literal) $"Variant.Spec is not\n%s{spec.Value}"
                        let hash = Regex.Match(page, "here ([0-9a-f]{16})")

                        Expect.isTrue
                            (isWritten $"SpecHash = \"%s{hash.Groups[1].Value}\"")
                            $"the hash is not %s{hash.Value}"
                    }
                    test "the plan" {
                        let plan = Regex.Match(read architecture, "    (simd float32 .*)\n")
                        Expect.isTrue plan.Success "the page has a plan"
                        Expect.isTrue (isWritten $"// Plan: %s{plan.Groups[1].Value}") $"the plan is not %s{plan.Value}"
                    }
                ]
        ]
