/// Which keys the reference keeps, against sets written down by hand. The queries are zero, so every kept key weighs the same; key j has
/// the value 2^j, so an output row times its kept keys spells out the set.
module FlashGen.Tests.Runtime.ReferenceMaskTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade

let private keptBy (variant: AttentionVariant) (shape: AttentionShape) (arguments: ModArguments) =
    let query = Array.zeroCreate (shape.Batch * shape.QueryLength)
    let key = Array.replicate (shape.Batch * shape.KeyLength) 1.0

    let value =
        [|
            for _ in 1 .. shape.Batch do
                for j in 0 .. shape.KeyLength - 1 -> Math.Pow(2.0, j)
        |]

    let result = forward variant query key value shape arguments

    let sets =
        [
            for row in 0 .. result.LogSumExp.Length - 1 ->
                let count = Math.Exp result.LogSumExp[row]
                let bits = int (Math.Round(result.Output[row] * count))

                [
                    for j in 0 .. shape.KeyLength - 1 do
                        if bits >>> j &&& 1 = 1 then
                            j
                ]
        ]

    Expect.equal result.KeptPairs (int64 (List.sumBy List.length sets)) "kept pairs are counted"
    sets

let private keeps name (declaration: Type) shape (arguments: ModArguments) expected =
    test name { Expect.equal (keptBy (variant declaration) shape arguments) expected name }

let private none = ModArguments()

[<Attention(1, Types = ElementTypes.Float64); Causal>]
type private Causal = class end

[<Attention(1, Types = ElementTypes.Float64, Align = Alignment.TopLeft); Causal>]
type private CausalTopLeft = class end

[<Attention(1, Types = ElementTypes.Float64, Align = Alignment.TopLeft); SlidingWindow(1, 1)>]
type private Window = class end

[<Attention(1, Types = ElementTypes.Float64, Align = Alignment.TopLeft); SlidingWindow(1)>]
type private LeftWindow = class end

[<Attention(1, Types = ElementTypes.Float64, Align = Alignment.TopLeft); SlidingWindow(-1, 0)>]
type private WindowAsCausal = class end

[<Attention(1, Types = ElementTypes.Float64); Chunked(3)>]
type private Chunks = class end

[<Attention(1, Types = ElementTypes.Float64); PrefixLm>]
type private Prefix = class end

[<Attention(1, Types = ElementTypes.Float64); Document>]
type private Documents = class end

[<Attention(1, Types = ElementTypes.Float64); Causal; Document>]
type private CausalDocuments = class end

[<Tests>]
let readyMade =
    testList
        "Reference: ready-made masks"
        [
            keeps "causal, bottom right" typeof<Causal> (shape 3 5 1) none [ [ 0..2 ]; [ 0..3 ]; [ 0..4 ] ]
            keeps "causal, top left" typeof<CausalTopLeft> (shape 3 5 1) none [ [ 0 ]; [ 0; 1 ]; [ 0..2 ] ]
            keeps
                "causal, more queries than keys"
                typeof<Causal>
                (shape 5 3 1)
                none
                [ []; []; [ 0 ]; [ 0; 1 ]; [ 0..2 ] ]
            keeps
                "causal, offset given"
                typeof<Causal>
                (AttentionShape(1, 1, 1, 3, 4, 1, Offsets = ReadOnlyMemory [| -1 |]))
                none
                [ []; [ 0 ]; [ 0; 1 ] ]
            keeps
                "causal, each batch entry with its own length"
                typeof<Causal>
                (AttentionShape(3, 1, 1, 2, 4, 1, KeyLengths = ReadOnlyMemory [| 2; 4; 0 |]))
                none
                [ [ 0 ]; [ 0; 1 ]; [ 0..2 ]; [ 0..3 ]; []; [] ]
            keeps
                "a window, both ends included"
                typeof<Window>
                (shape 4 4 1)
                none
                [ [ 0; 1 ]; [ 0..2 ]; [ 1..3 ]; [ 2; 3 ] ]
            keeps
                "a window open to the right"
                typeof<LeftWindow>
                (shape 4 4 1)
                none
                [ [ 0..3 ]; [ 0..3 ]; [ 1..3 ]; [ 2; 3 ] ]
            keeps "window (-1, 0) is causal" typeof<WindowAsCausal> (shape 3 5 1) none [ [ 0 ]; [ 0; 1 ]; [ 0..2 ] ]
            keeps
                "chunks"
                typeof<Chunks>
                (AttentionShape(1, 1, 1, 4, 7, 1, Offsets = ReadOnlyMemory [| 2 |]))
                none
                [ [ 0..2 ]; [ 3..5 ]; [ 3..5 ]; [ 3..5 ] ]
            keeps
                "chunks at negative positions, rounded down"
                typeof<Chunks>
                (AttentionShape(1, 1, 1, 4, 7, 1, Offsets = ReadOnlyMemory [| -2 |]))
                none
                [ []; []; [ 0..2 ]; [ 0..2 ] ]
            keeps "a last chunk that is not full" typeof<Chunks> (shape 2 7 1) none [ [ 3..5 ]; [ 6 ] ]
            keeps
                "prefix, each batch entry with its own"
                typeof<Prefix>
                (AttentionShape(2, 1, 1, 3, 3, 1))
                (ModArguments().Add("prefix", [| 2; 0 |]))
                [ [ 0; 1 ]; [ 0; 1 ]; [ 0..2 ]; [ 0 ]; [ 0; 1 ]; [ 0..2 ] ]
            keeps
                "documents"
                typeof<Documents>
                (AttentionShape(2, 1, 1, 2, 3, 1))
                (ModArguments().Add("queryDocument", [| 1; 2; 5; 3 |]).Add("keyDocument", [| 1; 2; 1; 4; 5; 5 |]))
                [ [ 0; 2 ]; [ 1 ]; [ 1; 2 ]; [] ]
            keeps
                "masks combine with AND"
                typeof<CausalDocuments>
                (shape 4 4 1)
                (ModArguments().Add("queryDocument", [| 0; 0; 1; 1 |]).Add("keyDocument", [| 0; 0; 1; 1 |]))
                [ [ 0 ]; [ 0; 1 ]; [ 2 ]; [ 2; 3 ] ]
            keeps "no mask, no keys" typeof<Full> (shape 2 0 1) none [ []; [] ]
        ]

let private ownMask declaration own mask = variantWith declaration own [ mask ] []

[<Tests>]
let own =
    testList
        "Reference: the user's masks"
        [
            test "combine with AND, with each other and with the ready-made" {
                let variant =
                    variantWith
                        typeof<Causal>
                        []
                        [
                            MaskDelegate(fun at _ -> at.Key % 2 = 0)
                            MaskDelegate(fun at _ -> at.Key <> at.QueryPosition)
                        ]
                        []

                Expect.equal (keptBy variant (shape 5 5 1) none) [ []; [ 0 ]; [ 0 ]; [ 0; 2 ]; [ 0; 2 ] ] "sets"
            }

            test "see every part of the position" {
                let seen = ResizeArray<Position>()

                let variant =
                    ownMask
                        typeof<CausalTopLeft>
                        []
                        (MaskDelegate(fun at _ ->
                            seen.Add at
                            true))

                let shape =
                    AttentionShape(
                        2,
                        4,
                        2,
                        1,
                        3,
                        1,
                        KeyLengths = ReadOnlyMemory [| 1; 3 |],
                        Offsets = ReadOnlyMemory [| 0; 1 |]
                    )

                forward variant (Array.zeroCreate 8) (Array.zeroCreate 12) (Array.zeroCreate 12) shape none
                |> ignore

                let expected =
                    [
                        for head in 0..3 -> Position(0, head, head / 2, 0, 0, 0, 1, 1)
                        for head in 0..3 do
                            for key in 0..1 -> Position(1, head, head / 2, 0, 1, key, 1, 3)
                    ]

                Expect.equal (List.ofSeq seen) expected "in order; KeyLength is the entry's own"
            }

            test "are reached only where the masks before them keep the pair" {
                let since = [| 1.0f; 1.0f; 0.0f |]

                let variant =
                    ownMask
                        typeof<Causal>
                        [ table "keep" "float" ]
                        (MaskDelegate(fun at arguments ->
                            arguments.Table<float32>("keep")[int64 (at.QueryPosition - at.Key)] > 0.5f))

                Expect.equal
                    (keptBy variant (shape 3 3 1) (ModArguments().Add("keep", since)))
                    [ [ 0 ]; [ 0; 1 ]; [ 1; 2 ] ]
                    "the table is never read at a negative index"
            }

            test "a read outside a table names table, index, length and place" {
                let variant =
                    ownMask
                        typeof<Full>
                        [ table "keep" "bool" ]
                        (MaskDelegate(fun at arguments -> arguments.Table<bool>("keep")[int64 at.Key]))

                throws<TableReadException> [ "'keep'"; "index 2"; "length 2"; "query 0, key 2" ] (fun () ->
                    keptBy variant (shape 1 3 1) (ModArguments().Add("keep", [| true; true |]))
                    |> ignore)
            }

            test "an integer division by zero names the place" {
                let variant =
                    ownMask typeof<Full> [] (MaskDelegate(fun at _ -> 6 / (at.Key - 1) > 0))

                throws<DivideByZeroException> [ "query 0, key 1" ] (fun () ->
                    keptBy variant (shape 1 3 1) none |> ignore)
            }
        ]
