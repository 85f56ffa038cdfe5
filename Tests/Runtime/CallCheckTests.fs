module FlashGen.Tests.Runtime.CallCheckTests

open System
open System.Runtime.InteropServices
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests.Runtime.HandMade

[<Attention(64, 128, Types = ElementTypes.Float32)>]
type private Declared = class end

[<Attention(64, ValueDim = 32)>]
type private Narrow = class end

let private sizes = AttentionShape(2, 4, 2, 3, 5, 8)

/// A checked call over one buffer: (start, length) of query, key, value, output and log-sum-exp.
let private call
    (buffer: float32[])
    (shape: AttentionShape)
    (q: int * int)
    (k: int * int)
    (v: int * int)
    (o: int * int)
    (l: int * int)
    =
    // No function may return a span here, so each is sliced where it is passed.
    CallCheck.Forward<float32, float32>(
        variant typeof<Full>,
        ReadOnlySpan(buffer, fst q, snd q),
        ReadOnlySpan(buffer, fst k, snd k),
        ReadOnlySpan(buffer, fst v, snd v),
        ReadOnlySpan(buffer, fst o, snd o),
        &shape,
        ReadOnlySpan(buffer, fst l, snd l)
    )

let private at = [| 0, 192; 1000, 160; 2000, 160; 3000, 192; 4000, 24 |]

let private callWith (changed: (int * (int * int)) list) =
    let spans = Array.copy at

    for index, span in changed do
        spans[index] <- span

    call (Array.zeroCreate 5000) sizes spans[0] spans[1] spans[2] spans[3] spans[4]

let private refuses (parts: string list) changed =
    throws<ArgumentException> parts (fun () -> callWith changed)

[<Tests>]
let lengths =
    testList
        "CallCheck lengths"
        [
            test "a call that fits passes, with and without log-sum-exp" {
                callWith []
                callWith [ 4, (4000, 0) ]
            }

            test "each length that does not fit is refused by name, length and need" {
                refuses [ "query has 191"; "exactly 192" ] [ 0, (0, 191) ]
                refuses [ "query has 193"; "exactly 192" ] [ 0, (0, 193) ]
                refuses [ "key has 159"; "exactly 160" ] [ 1, (1000, 159) ]
                refuses [ "value has 0"; "exactly 160" ] [ 2, (2000, 0) ]
                refuses [ "output has 191"; "exactly 192" ] [ 3, (3000, 191) ]
                refuses [ "logSumExp has 23"; "exactly 24"; "none" ] [ 4, (4000, 23) ]
                refuses [ "logSumExp has 25" ] [ 4, (4000, 25) ]
            }

            test "a strided buffer may go on behind its last element, but not end before it" {
                let buffer = Array.zeroCreate 2000

                let shape =
                    AttentionShape(1, 1, 1, 3, 5, 8, KeyStrides = TensorStrides(0L, 0L, 100L))

                let run key =
                    call buffer shape (0, 24) key (1000, 40) (1100, 24) (0, 0)

                run (100, 408)
                run (100, 500)
                throws<ArgumentException> [ "key has 407"; "at least 408" ] (fun () -> run (100, 407))
            }
        ]

[<Tests>]
let overlap =
    testList
        "CallCheck overlap"
        [
            test "an output on an input, or on log-sum-exp, is refused by name" {
                refuses [ "output and query overlap" ] [ 3, (191, 192) ]
                refuses [ "output and query overlap" ] [ 0, (2900, 192) ]
                refuses [ "output and key overlap" ] [ 3, (1159, 192) ]
                refuses [ "output and value overlap" ] [ 3, (2000, 192) ]
                refuses [ "logSumExp and value overlap" ] [ 4, (1990, 24) ]
                refuses [ "output and logSumExp overlap" ] [ 4, (3191, 24) ]
            }

            test "neighbours are no overlap, and inputs may share memory" {
                callWith [ 3, (192, 192); 4, (384, 24) ]
                callWith [ 2, (1000, 160) ]
            }

            test "what lies behind the last element of a slice does not count" {
                let shape =
                    AttentionShape(1, 1, 1, 3, 5, 8, QueryStrides = TensorStrides(0L, 0L, 8L))

                call (Array.zeroCreate 500) shape (0, 500) (24, 40) (64, 40) (104, 24) (0, 0)
            }

            test "spans of different types are compared by memory" {
                let buffer = Array.zeroCreate<float> 8

                for start, length, overlaps in [ 0, 4, false; 3, 2, true; 5, 1, true; 7, 2, true; 8, 4, false ] do
                    let refused =
                        try
                            CallCheck.Disjoint<float, int>(
                                "a",
                                ReadOnlySpan(buffer, 2, 2),
                                "b",
                                MemoryMarshal.Cast<float, int>(ReadOnlySpan buffer).Slice(start, length)
                            )

                            false
                        with :? ArgumentException ->
                            true

                    Expect.equal refused overlaps $"{length} words at {start} beside words 4 to 7"
            }
        ]

let private refusesShape (declaration: Type) dims parts =
    throws<ArgumentException> parts (fun () ->
        let dim, valueDim = dims
        let shape = AttentionShape(1, 1, 1, 1, 1, dim, valueDim)
        CallCheck.Shape(variant declaration, &shape))

[<Tests>]
let declared =
    testList
        "CallCheck declarations"
        [
            test "dimensions that are not declared are refused, with those that are" {
                refusesShape typeof<Declared> (96, 0) [ "head dimension is 96"; "64, 128" ]
                refusesShape typeof<Declared> (64, 128) [ "value dimension 128"; "64, 128" ]
                refusesShape typeof<Narrow> (64, 64) [ "64 with value dimension 32" ]
                refusesShape typeof<Full> (257, 0) [ "257"; "1 to 256" ]
                refusesShape typeof<Full> (64, 300) [ "300"; "1 to 256" ]

                for declaration, dim, valueDim in
                    [ typeof<Declared>, 128, 128; typeof<Narrow>, 64, 32; typeof<Full>, 256, 1 ] do
                    let shape = AttentionShape(1, 1, 1, 1, 1, dim, valueDim)
                    CallCheck.Shape(variant declaration, &shape)
            }

            test "element types that are not declared are refused, with those that are" {
                throws<NotSupportedException> [ "Float64"; "Float32"; "[Attention]" ] (fun () ->
                    let shape = shape 0 0 64
                    let none = Array.empty<float>
                    (variant typeof<Declared>).Forward(none, none, none, none, &shape))
            }
        ]

/// The checks of ready-made arguments, for the sizes above.
let private slopes length =
    let shape = sizes
    CallCheck.Slopes(&shape, length)

let private sink length =
    let shape = sizes
    CallCheck.Sink(&shape, length)

let private prefix length =
    let shape = sizes
    CallCheck.Prefix(&shape, length)

let private documents queries keys =
    let shape = sizes
    CallCheck.Documents(&shape, queries, keys)

let private bias length (strides: BiasStrides) =
    let shape = sizes
    CallCheck.Bias(&shape, length, &strides)

[<Tests>]
let readyMade =
    let refuses parts check = throws<ArgumentException> parts check

    testList
        "CallCheck arguments of the ready-made attributes"
        [
            test "scale must be finite" {
                for scale in [ nanf; infinityf; -infinityf ] do
                    throws<ArgumentException> [ "scale is"; "finite" ] (fun () -> CallCheck.Scale scale)

                CallCheck.Scale 0.0f
                CallCheck.Scale -1.5f
            }

            test "slopes are one a head, or one a batch entry and head" {
                Expect.equal (slopes 4L) 0 "one row for all"
                Expect.equal (slopes 8L) 4 "a row each"
                refuses [ "slopes has 6"; "4 query heads"; "8" ] (fun () -> slopes 6L |> ignore)
            }

            test "sink, prefix and documents have exact lengths" {
                refuses [ "sink has 5"; "4" ] (fun () -> sink 5L)
                refuses [ "prefix has 1"; "2" ] (fun () -> prefix 1L)
                refuses [ "queryDocument has 7"; "6" ] (fun () -> documents 7L 10L)
                refuses [ "keyDocument has 9"; "10" ] (fun () -> documents 6L 9L)
                sink 4L
                prefix 2L
                documents 6L 10L
            }

            test "a bias reaches to the last element of its strides" {
                let shape = sizes
                let whole = BiasStrides.Contiguous &shape
                Expect.equal whole (BiasStrides(60L, 15L, 5L, 1L)) "without gaps"
                bias 120L whole
                let perKey = BiasStrides(0L, 0L, 0L, 1L)
                bias 5L perKey

                refuses [ "bias has 119"; "at least 120" ] (fun () -> bias 119L whole)
                refuses [ "bias has 4"; "at least 5" ] (fun () -> bias 4L perKey)

                let negative = BiasStrides(0L, 0L, -1L, 1L)
                refuses [ "biasStrides"; "query -1" ] (fun () -> bias 120L negative)

                let far = BiasStrides(Int64.MaxValue, Int64.MaxValue, 0L, 1L)
                refuses [ "bias has 120"; "at least" ] (fun () -> bias 120L far)
            }
        ]
