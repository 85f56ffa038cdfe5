/// C# with its mistakes marked: what the generator must say of it, where, and nothing else.
module FlashGen.Tests.Generator.Refusal

open System
open Expecto
open Microsoft.CodeAnalysis

/// Splits `a [|b|] c` into `a b c` and the spans that were marked.
let private unmark (marked: string) =
    let rec go (text: string) opened spans =
        let find (mark: string) =
            match text.IndexOf(mark, StringComparison.Ordinal) with
            | -1 -> text.Length
            | at -> at

        match find "[|", find "|]", opened with
        | start, stop, _ when start < stop -> go (text.Remove(start, 2)) (start :: opened) spans
        | _, stop, start :: opened -> go (text.Remove(stop, 2)) opened ((start, stop) :: spans)
        | _ -> text, spans

    go marked [] []

let prelude = "using System;\nusing FlashGen;\n"

/// The source is refused for its marked tokens, each once, with this rule; the message says `instead`, and nothing else is said,
/// by the generator or by the compiler.
let refusedWith options id (instead: string) marked =
    let text, spans = unmark (prelude + marked)

    let outcome = Compile.run (Compile.compilationOf options [ "Declared.cs", text ])

    let found =
        [
            for diagnostic in outcome.Reported do
                let span = diagnostic.Location.SourceSpan
                diagnostic.Id, (span.Start, span.End), text.Substring(span.Start, span.Length)
        ]

    Expect.equal outcome.Compiler [] "no follow-up errors"

    let expected =
        [
            for start, stop in spans -> id, (start, stop), text.Substring(start, stop - start)
        ]

    Expect.equal (List.sort found) (List.sort expected) $"the rule and its place: {outcome.Reported}"

    for diagnostic in outcome.Reported do
        Expect.stringContains (diagnostic.GetMessage()) instead "what to write instead"
        Expect.isNotNull diagnostic.Location.SourceTree "a place in a syntax tree"

let refused id instead marked =
    refusedWith Compile.options id instead marked

let refusedBody id instead (marked: string) =
    refused id instead $"[Attention(16)] static partial class A\n{{\n{marked}\n}}"

let refusedMask id instead parameters (marked: string) =
    refusedBody id instead $"[MaskMod] static bool Keep(in Position at{parameters}) => {marked};"

let refusedScore id instead parameters (marked: string) =
    refusedBody id instead $"[ScoreMod] static float Change(float score, in Position at{parameters}) => {marked};"

let accepted text =
    let outcome = Compile.run (Compile.source text)
    Expect.isEmpty outcome.Reported "the generator"
    Expect.isEmpty (outcome.Compiler @ outcome.Warnings) "the compiler"
