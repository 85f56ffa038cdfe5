/// Random declarations, of two to four attributes and mods, written as C# and held to the reference.
module FlashGen.Tests.Kernels.CompositionTests

open System
open Expecto
open FlashGen.Tests

/// C# that says a condition, and the parameters that it needs. A number in place of each #.
let private conditions =
    [|
        "at.Key <= at.QueryPosition + #", []
        "Math.Abs(at.QueryPosition - at.Key) < # * 7", []
        "at.Key % # != 1", []
        "(at.Key - at.QueryPosition) / # > -5", []
        "(at.QueryPosition - at.Key) % # >= 0", []
        "groups[at.Key] == groups[at.Key / 2]", [ "Table<int> groups" ]
        "groups[at.Key] > at.Head % #", [ "Table<int> groups" ]
        "!padding[at.Key]", [ "Table<bool> padding" ]
        "colours[at.Query] != 4000000001u", [ "Table<uint> colours" ]
        "times[at.Key] > times[0]", [ "Table<long> times" ]
        "kinds[at.Key] > at.Head * 20 + #", [ "Table<byte> kinds" ]
        "at.Key < window * #", [ "int window" ]
        "at.Query >= begins[at.Key] && at.Query < ends[at.Key]", [ "Table<int> begins"; "Table<int> ends" ]
        "(at.Head & 1) == 0", []
        "at.KeyLength - at.Key > #", []
        "at.Batch == 0 ? at.Key > # : causal", [ "bool causal" ]
        "MathF.Sqrt(at.Key) * #f < at.Query", []
        "((at.Key * 40503) >> 3 & 7) < #", []
        "limits[at.Key % limits.Length] != #", [ "Table<int> limits" ]
    |]

let private changes =
    [|
        "score + gains[at.Head]", [ "Table<float> gains" ]
        "score * 0.5f - at.Key * 0.00#f", []
        "score + (padding[at.Key] ? 0.5f : -0.#f)", [ "Table<bool> padding" ]
        "MathF.Tanh(score) * #f", []
        "at.Key > window ? score : -score", [ "int window" ]
        "score + weights[Math.Min(at.Key, weights.Length - 1)]", [ "Table<float> weights" ]
        "score + factor * groups[at.Key]", [ "float factor"; "Table<int> groups" ]
        "MathF.Max(score, -#f)", []
        "score * MathF.Exp(-rate * Math.Abs(at.Key - at.QueryPosition))", [ "float rate" ]
        "score + (at.Key - at.QueryPosition) % # * 0.125f", []
    |]

/// Ready-made attributes that may stand together: at most one of each group.
let private readyMade =
    [|
        [| "Causal"; "PrefixLm" |]
        [|
            "SlidingWindow(#1, #)"
            "SlidingWindow(#0)"
            "SlidingWindow(-1, #)"
            "Chunked(#7)"
        |]
        [| "Document" |]
        [| "SoftCap(#f)" |]
        [| "Alibi" |]
        [| "Bias" |]
        [| "Scale"; "Scale(0.#f)"; "Scale(-0.2f)" |]
        [| "Sink" |]
        [| "Dropout" |]
        [| "BlockSize(#0, #3)"; "BlockSize(32, #)" |]
    |]

let private pick (random: Random) (options: 'a[]) = options[random.Next options.Length]

let private number (random: Random) (text: string) =
    text.Replace("#", string (random.Next(2, 9)))

let rec private condition (random: Random) depth =
    if depth = 0 || random.Next 3 = 0 then
        let text, parameters = pick random conditions
        $"({number random text})", parameters
    else
        let left, leftParameters = condition random (depth - 1)
        let right, rightParameters = condition random (depth - 1)
        let parameters = leftParameters @ rightParameters

        match random.Next 5 with
        | 0 -> $"({left} || {right})", parameters
        | 1 -> $"(!{left} || {right})", parameters
        | 2 -> $"({left} ^ {right})", parameters
        | 3 -> $"({left} ? {right} : at.Key %% 3 == 0)", parameters
        | _ -> $"({left} && {right})", parameters

let private signature parameters =
    String.Concat [ for parameter in List.distinct parameters -> ", " + parameter ]

/// A class of two to four attributes and mods.
let private declaration (random: Random) name =
    let mods = random.Next 3
    let attributes = random.Next(max 0 (2 - mods), 5 - mods)

    let attributes =
        random.GetItems(Array.indexed readyMade, attributes)
        |> Array.distinctBy fst
        |> Array.map (fun (_, group) -> number random (pick random group))

    let bodies =
        [
            for index in 1..mods do
                if random.Next 3 < 2 then
                    let text, parameters = condition random 2
                    $"    [MaskMod] static bool Keep{index}(in Position at{signature parameters}) => {text};"
                else
                    let text, parameters = pick random changes

                    $"    [ScoreMod] static float Change{index}(float score, in Position at{signature parameters}) => {number random text};"
        ]

    let types =
        pick
            random
            [|
                "ElementTypes.Float32"
                "ElementTypes.Float32"
                "ElementTypes.Float32 | ElementTypes.Float64"
                "ElementTypes.Float32 | ElementTypes.Float16"
                "ElementTypes.Float32 | ElementTypes.BFloat16"
            |]

    let align = pick random [| ""; ", Align = Alignment.TopLeft" |]
    let layout = pick random [| ""; ", Layout = TensorLayout.BatchSequenceHead" |]

    [
        $"[Attention(Types = {types}{align}{layout})]"
        for attribute in attributes do
            $"[{attribute}]"
        $"public static partial class {name}"
        "{"
        yield! bodies
        "}"
        ""
    ]
    |> String.concat "\n"

let private count = if Settings.thorough then 120 else 12

/// Compiled together: most of the time is the compiler's start.
let private together = 6

let private compose number =
    let random = Random(Settings.seed * 7 + number)

    let texts =
        [ for index in 1..together -> declaration random $"Composed{number}x{index}" ]

    texts, InMemory.load (InMemory.generate ("namespace Composed;\n" + String.concat "\n" texts))

/// The declarations of every group, as C#, and as variants that the generator made of them.
let groups = [ for number in 0 .. count / together - 1 -> lazy (compose number) ]

[<Tests>]
let compositions =
    testList
        "Kernels.Compositions"
        [
            for number, group in List.indexed groups do
                test $"random declarations, group {number}" {
                    let texts, variants = group.Value
                    let random = Random(Settings.seed + number)

                    Expect.equal variants.Length together "all are variants"

                    for variant in variants do
                        let cases =
                            [
                                for number in [ random.Next 8; random.Next 8; 6 ] ->
                                    Cases.make Settings.seed variant number
                            ]

                        match PropertyTests.faultsHere variant cases with
                        | [] -> ()
                        | faults ->
                            let text =
                                texts
                                |> List.find (fun text -> text.Contains($"class {variant.Declaration.Name}\n"))

                            failtest $"--seed {Settings.seed}\n{text}\n{faults.Head}"
                }
        ]
