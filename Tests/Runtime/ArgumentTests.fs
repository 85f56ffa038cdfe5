module FlashGen.Tests.Runtime.ArgumentTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade

[<Attention>]
[<Alibi; DropoutAttribute>]
type private TwoArguments = class end

[<Tests>]
let tables =
    testList
        "Table"
        [
            test "reads inside, and refuses outside by name, index and length" {
                let table = Table<int>("ids", ReadOnlyMemory [| 10; 20; 30 |])
                Expect.equal [ table[0L]; table[2L] ] [ 10; 30 ] "inside"
                Expect.equal table.Length 3 "length"

                for index in [ -1L; 3L; Int64.MinValue; 1L <<< 32 ] do
                    throws<TableReadException> [ "'ids'"; $"index {index}"; "0 to 2" ] (fun () ->
                        table[index] |> ignore)
            }

            test "an empty one says so" {
                throws<TableReadException> [ "'none'"; "empty" ] (fun () ->
                    Table<float32>("none", ReadOnlyMemory.Empty)[0L] |> ignore)
            }
        ]

[<Tests>]
let dropout =
    testList
        "Dropout"
        [
            test "the threshold is the probability in steps of 1/65536" {
                Expect.equal (Dropout(0.0f, 1UL)).Threshold 0 "none"
                Expect.equal (Dropout(0.5f, 1UL)).Threshold 32768 "half"
                Expect.equal (Dropout(0.1f, 1UL)).Threshold 6554 "a tenth: 6553.6 rounds up"
                Expect.equal (Dropout(0.1f, 1UL)).EffectiveProbability (6554.0 / 65536.0) "what it comes to"
                Expect.equal (Dropout(0.5f, 1UL)).Scale 2.0f "kept weights double"
                Expect.equal (Dropout()).Scale 1.0f "the default drops nothing"
            }

            test "outside [0, 1), and what rounds to 1, is refused" {
                for p in [ -0.1f; 1.0f; 2.0f; nanf; infinityf; MathF.BitDecrement 1.0f ] do
                    throws<ArgumentOutOfRangeException> [ "dropout probability"; "0 to below 1" ] (fun () ->
                        Dropout(p, 1UL) |> ignore)

                Expect.equal (Dropout(1.0f - 1.0f / 65536.0f, 1UL)).Threshold 65535 "the largest there is"
            }
        ]

[<Tests>]
let modArguments =
    testList
        "ModArguments"
        [
            test "gives back tables and scalars by name and type" {
                let arguments =
                    ModArguments()
                        .Add("flags", [| true; false |])
                        .Add("ids", Memory [| 1u; 2u |])
                        .Add("far", ReadOnlyMemory [| 5L |])
                        .Add("limit", 7)
                        .Add("strides", BiasStrides(1L, 2L, 3L, 4L))

                Expect.isTrue (arguments.Table<bool>("flags")[0L]) "bool[]"
                Expect.equal (arguments.Table<uint>("ids")[1L]) 2u "Memory<uint>"
                Expect.equal (arguments.Values<int64>("far").Span[0]) 5L "ReadOnlyMemory<long>"
                Expect.equal (arguments.Scalar<int> "limit") 7 "int"
                Expect.equal (arguments.Scalar<BiasStrides>("strides").Query) 3L "strides"
                Expect.equal (List.ofSeq arguments.Names) [ "far"; "flags"; "ids"; "limit"; "strides" ] "names in order"
            }

            test "a wrong type is refused by name, what it was and what it must be" {
                let arguments = ModArguments().Add("ids", [| 1; 2 |]).Add("limit", 7)

                throws<ArgumentException> [ "'ids'"; "a table of int"; "must be a table of uint" ] (fun () ->
                    arguments.Values<uint> "ids" |> ignore)

                throws<ArgumentException> [ "'limit'"; "int 7"; "must be float" ] (fun () ->
                    arguments.Scalar<float32> "limit" |> ignore)

                throws<ArgumentException> [ "'none'"; "missing"; "must be a table of float" ] (fun () ->
                    arguments.Table<float32> "none" |> ignore)
            }

            test "what no variant takes, twice the same name, and no name are refused" {
                throws<ArgumentException> [ "'x'"; "System.Double"; "allowed" ] (fun () ->
                    ModArguments().Add("x", 1.0) |> ignore)

                throws<ArgumentException> [ "'x'"; "System.Int16[]" ] (fun () ->
                    ModArguments().Add("x", [| 1s |]) |> ignore)

                throws<ArgumentException> [ "'x'"; "twice" ] (fun () ->
                    ModArguments().Add("x", 1).Add("x", 2) |> ignore)

                throws<ArgumentException> [] (fun () -> ModArguments().Add("", 1) |> ignore)
            }

            test "missing and unknown names are refused, with what the variant takes" {
                let variant = variant typeof<TwoArguments>

                throws<ArgumentException> [ "'dropout'"; "missing"; "slopes (float)" ] (fun () ->
                    ModArguments().Add("slopes", [| 1.0f |]).CheckNames variant)

                throws<ArgumentException> [ "no argument 'slope'"; "slopes (float)" ] (fun () ->
                    ModArguments()
                        .Add("slopes", [| 1.0f |])
                        .Add("slope", [| 1.0f |])
                        .Add("dropout", Dropout())
                        .CheckNames
                        variant)
            }
        ]
