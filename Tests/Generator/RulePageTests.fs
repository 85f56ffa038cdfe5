/// The pages of the rules: there is one for each, and its examples are what it says they are.
module FlashGen.Tests.Generator.RulePageTests

open System
open System.IO
open Expecto
open Microsoft.CodeAnalysis
open FlashGen.Generators.Report
open FlashGen.Tests.Generator
open FlashGen.Tests.Generator.Refusal

let private folder = Path.Combine(__SOURCE_DIRECTORY__, "..", "..", "docs", "rules")

let private read name =
    File.ReadAllText(Path.Combine(folder, name))

/// The C# under a heading of a page.
let private example (heading: string) (page: string) =
    let opening = $"\n## {heading}\n\n```csharp\n"

    match page.IndexOf(opening, StringComparison.Ordinal) with
    | -1 -> None
    | at ->
        let start = at + opening.Length
        Some(page.Substring(start, page.IndexOf("```", start, StringComparison.Ordinal) - start))

let private run code =
    Compile.run (Compile.source (prelude + code))

let private rules = List.ofSeq (DiagnosticCatalog.All())

/// Rules whose example is not C# alone: a project's properties, no fault of the user's, another generator.
let private withoutExample =
    set [ "FG0030"; "FG0031"; "FG0033"; "FG0034"; "FG0035"; "FG0036"; "FG0037" ]

[<Tests>]
let pages =
    testList
        "Generator.RulePages"
        [
            test "ids are distinct and in order" {
                let expected = [ for number in 1 .. rules.Length -> $"FG%04d{number}" ]
                Expect.equal [ for rule in rules -> rule.Id ] expected "ids"
            }
            test "every page is a rule's" {
                let pages =
                    [
                        for path in Directory.GetFiles(folder, "FG*.md") -> Path.GetFileNameWithoutExtension path
                    ]

                Expect.equal (List.sort pages) [ for rule in rules -> rule.Id ] "pages"
            }
            for rule in rules do
                test $"{rule.Id} has its page" {
                    Expect.equal rule.HelpLinkUri $"docs/rules/{rule.Id}.md" "link"
                    Expect.stringStarts (read $"{rule.Id}.md") $"# {rule.Id}: {rule.Title}\n" "title"
                    let severity = string(rule.DefaultSeverity).ToLowerInvariant()

                    Expect.stringContains
                        (read "README.md")
                        $"| [{rule.Id}]({rule.Id}.md) | {severity} | {rule.Title} |\n"
                        "index"
                }

                if not (Set.contains rule.Id withoutExample) then
                    test $"{rule.Id}'s example breaks it and nothing else" {
                        match example "Example" (read $"{rule.Id}.md") with
                        | None -> failtest "There is no example."
                        | Some code ->
                            let outcome = run code

                            Expect.equal
                                (List.distinct [ for diagnostic in outcome.Reported -> diagnostic.Id ])
                                [ rule.Id ]
                                "reported"

                            Expect.isEmpty outcome.Compiler "the compiler"
                    }

                if rule.Id = "FG0033" || not (Set.contains rule.Id withoutExample) then
                    test $"{rule.Id}'s page says what to write instead" {
                        match example "Instead" (read $"{rule.Id}.md") with
                        | None -> failtest "There is no code under Instead."
                        | Some code ->
                            let outcome = run code
                            Expect.isEmpty outcome.Reported "reported"
                            Expect.isEmpty outcome.Compiler "the compiler"
                    }
        ]
