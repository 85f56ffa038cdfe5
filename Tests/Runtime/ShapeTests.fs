module FlashGen.Tests.Runtime.ShapeTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade

let private layouts = Enum.GetValues<TensorLayout>()

let private shape (batch, queryHeads, keyHeads, queries, keys, dim, valueDim) =
    AttentionShape(batch, queryHeads, keyHeads, queries, keys, dim, valueDim)

let private refuses (parts: string list) sizes =
    throws<ArgumentException> parts (fun () -> shape sizes |> ignore)

[<Tests>]
let sizes =
    testList
        "AttentionShape sizes"
        [
            test "negative and oversized ones are refused by name, value and range" {
                refuses [ "batch is -1"; "0 to" ] (-1, 1, 1, 1, 1, 1, 0)
                refuses [ "queryHeads is -2" ] (1, -2, 1, 1, 1, 1, 0)
                refuses [ "keyHeads is -3" ] (1, 1, -3, 1, 1, 1, 0)
                refuses [ "queryLength is -4" ] (1, 1, 1, -4, 1, 1, 0)
                refuses [ "keyLength is 1073741824"; "1073741823" ] (1, 1, 1, 1, 1 <<< 30, 1, 0)
                refuses [ "headDim is 0"; "1 to" ] (1, 1, 1, 1, 1, 0, 0)
                refuses [ "valueDim is -1" ] (1, 1, 1, 1, 1, 1, -1)
            }

            test "heads must divide" {
                refuses [ "queryHeads is 6"; "keyHeads 4"; "multiple" ] (1, 6, 4, 1, 1, 1, 0)
                refuses [ "queryHeads is 2"; "keyHeads 0" ] (1, 2, 0, 1, 1, 1, 0)
                Expect.equal (shape (1, 0, 0, 1, 1, 1, 0)).GroupSize 1 "no heads at all"
                Expect.equal (shape (1, 0, 4, 1, 1, 1, 0)).GroupSize 1 "no query heads"
                Expect.equal (shape (1, 6, 2, 1, 1, 1, 0)).GroupSize 3 "six over two"
            }

            test "products that overflow are refused" {
                refuses [ "batch is 65536"; "queryHeads 32768"; "2^31" ] (65536, 32768, 1, 0, 0, 1, 0)

                refuses [ "2^63 - 1" ] (1 <<< 15, 1 <<< 15, 1 <<< 15, (1 <<< 30) - 1, 1, Int32.MaxValue, 1)
            }

            test "zero sizes are empty" {
                for sizes in [ 0, 2, 1, 3, 4, 8, 0; 2, 0, 0, 3, 4, 8, 0; 2, 2, 1, 0, 4, 8, 0 ] do
                    for layout in layouts do
                        let shape = shape sizes
                        Expect.equal (shape.QueryElements layout) 0L $"query of {shape}"
                        Expect.equal (shape.OutputElements layout) 0L $"output of {shape}"
                        Expect.equal shape.LogSumExpElements 0L $"log-sum-exp of {shape}"

                Expect.equal ((shape (2, 2, 1, 3, 0, 8, 0)).KeyElements TensorLayout.BatchHeadSequence) 0L "no keys"
            }

            test "a value dimension of 0 is the head dimension" {
                Expect.equal (shape (1, 1, 1, 1, 1, 64, 0)).ValueDim 64 "default"
                Expect.equal (shape (1, 1, 1, 1, 1, 64, 32)).ValueDim 32 "given"
            }
        ]

[<Tests>]
let strides =
    testList
        "AttentionShape strides"
        [
            test "defaults follow the layout" {
                let shape = shape (2, 6, 2, 5, 7, 4, 3)
                let headFirst = TensorLayout.BatchHeadSequence
                let rowFirst = TensorLayout.BatchSequenceHead
                Expect.equal (shape.QueryStridesIn headFirst) (TensorStrides(120L, 20L, 4L)) "query, heads first"
                Expect.equal (shape.QueryStridesIn rowFirst) (TensorStrides(120L, 4L, 24L)) "query, rows first"
                Expect.equal (shape.KeyStridesIn rowFirst) (TensorStrides(56L, 4L, 8L)) "key, rows first"
                Expect.equal (shape.ValueStridesIn headFirst) (TensorStrides(42L, 21L, 3L)) "value, heads first"
                Expect.equal (shape.OutputStridesIn headFirst) (TensorStrides(90L, 15L, 3L)) "output, heads first"

                for layout in layouts do
                    Expect.equal (shape.QueryElements layout) 240L "query"
                    Expect.equal (shape.KeyElements layout) 112L "key"
                    Expect.equal (shape.ValueElements layout) 84L "value"
                    Expect.equal (shape.OutputElements layout) 180L "output"
            }

            test "given ones count up to the last element" {
                let shape =
                    AttentionShape(2, 3, 3, 5, 7, 4, QueryStrides = TensorStrides(1000L, 100L, 10L))

                Expect.equal (shape.QueryElements TensorLayout.BatchHeadSequence) (1000L + 200L + 40L + 4L) "query"
            }

            test "negative and overflowing ones are refused" {
                throws<ArgumentException> [ "KeyStrides"; "row -1"; "0 or more" ] (fun () ->
                    AttentionShape(1, 1, 1, 1, 1, 1, KeyStrides = TensorStrides(0L, 0L, -1L))
                    |> ignore)

                throws<ArgumentException> [ "ValueStrides"; "2^63 - 1" ] (fun () ->
                    AttentionShape(3, 1, 1, 1, 1, 1, ValueStrides = TensorStrides(Int64.MaxValue, 0L, 0L))
                    |> ignore)
            }

            test "inputs may broadcast, outputs may not overlap themselves" {
                let broadcast = TensorStrides(0L, 0L, 0L)

                AttentionShape(2, 2, 2, 3, 3, 4, KeyStrides = broadcast, QueryStrides = broadcast)
                |> ignore

                for strides in
                    [
                        broadcast
                        TensorStrides(24L, 12L, 3L)
                        TensorStrides(12L, 12L, 4L)
                        TensorStrides(23L, 12L, 4L)
                        TensorStrides(24L, 4L, 7L)
                    ] do
                    throws<ArgumentException> [ "OutputStrides"; "overlap"; "at least" ] (fun () ->
                        AttentionShape(2, 2, 2, 3, 3, 4, OutputStrides = strides) |> ignore)

                for strides in
                    [
                        TensorStrides(24L, 12L, 4L)
                        TensorStrides(24L, 4L, 8L)
                        TensorStrides(4L, 24L, 8L)
                    ] do
                    AttentionShape(2, 2, 2, 3, 3, 4, OutputStrides = strides) |> ignore
            }

            test "an output axis of one may have any stride" {
                AttentionShape(1, 1, 1, 3, 3, 4, OutputStrides = TensorStrides(0L, 0L, 4L))
                |> ignore
            }
        ]

[<Tests>]
let lengths =
    testList
        "AttentionShape key lengths and offsets"
        [
            test "the default offset follows the alignment and each entry's own key length" {
                let shape = AttentionShape(2, 1, 1, 5, 9, 4, KeyLengths = ReadOnlyMemory [| 9; 3 |])
                Expect.equal (shape.OffsetAt(0, Alignment.BottomRight)) 4 "all keys"
                Expect.equal (shape.OffsetAt(1, Alignment.BottomRight)) -2 "fewer keys than queries"
                Expect.equal (shape.OffsetAt(1, Alignment.TopLeft)) 0 "top left"
                Expect.equal [ shape.KeyLengthAt 0; shape.KeyLengthAt 1 ] [ 9; 3 ] "key lengths"
            }

            test "given offsets win over both alignments" {
                let shape = AttentionShape(2, 1, 1, 5, 9, 4, Offsets = ReadOnlyMemory [| 7; -7 |])

                for align in Enum.GetValues<Alignment>() do
                    Expect.equal [ shape.OffsetAt(0, align); shape.OffsetAt(1, align) ] [ 7; -7 ] $"{align}"
            }

            test "wrong counts and entries are refused by name, place and range" {
                throws<ArgumentException> [ "KeyLengths has 1"; "2 batch entries" ] (fun () ->
                    AttentionShape(2, 1, 1, 5, 9, 4, KeyLengths = ReadOnlyMemory [| 9 |]) |> ignore)

                throws<ArgumentException> [ "KeyLengths[1] is 10"; "0 to 9" ] (fun () ->
                    AttentionShape(2, 1, 1, 5, 9, 4, KeyLengths = ReadOnlyMemory [| 9; 10 |])
                    |> ignore)

                throws<ArgumentException> [ "KeyLengths[0] is -1" ] (fun () ->
                    AttentionShape(2, 1, 1, 5, 9, 4, KeyLengths = ReadOnlyMemory [| -1; 9 |])
                    |> ignore)

                throws<ArgumentException> [ "Offsets[0] is 1073741825"; "1073741824" ] (fun () ->
                    AttentionShape(1, 1, 1, 5, 9, 4, Offsets = ReadOnlyMemory [| (1 <<< 30) + 1 |])
                    |> ignore)
            }

            test "entries changed afterwards are caught by the check of the call" {
                let keyLengths = [| 4; 5 |]
                let shape = AttentionShape(2, 1, 1, 5, 9, 4, KeyLengths = keyLengths)
                shape.Check()
                keyLengths[1] <- 99
                throws<ArgumentException> [ "KeyLengths[1] is 99" ] (fun () -> shape.Check())
            }
        ]
