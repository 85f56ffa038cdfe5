/// Attention.ScaledDotProduct against torch's documentation: the whole product of what a call may ask for.
module FlashGen.Tests.Gallery.ScaledDotProductTests

open System
open Expecto
open FlashGen
open FlashGen.Kernels
open FlashGen.Tests.Gallery.Torch
open FlashGen.Tests.Runtime.HandMade

/// A mask as the call gets it, an array and its strides, and as torch's documentation reads it.
type private MaskCase =
    | Without
    | Kept of bool[] * BiasStrides
    | Added of float32[] * BiasStrides

let private contiguous (shape: AttentionShape) = BiasStrides.Contiguous &shape

let private at (strides: BiasStrides) batch head query key =
    int (
        int64 batch * strides.Batch
        + int64 head * strides.Head
        + int64 query * strides.Query
        + int64 key * strides.Key
    )

let private asTorch mask =
    match mask with
    | Without -> NoMask
    | Kept(values, strides) -> Bool(fun b h i j -> values[at strides b h i j])
    | Added(values, strides) -> Float(fun b h i j -> float values[at strides b h i j])

/// One element type: how its tensors are made, called and read, and how near float64 they must come.
type private Element =
    {
        Name: string
        Round: float -> float
        Tolerance: float
        Run: Call -> MaskCase -> bool -> float[] -> float[] -> float[] -> float[] * float[]
    }

let private spanOf (mask: MaskCase) =
    match mask with
    | Without -> AttentionMask()
    | Kept(values, strides) -> AttentionMask.Keep(ReadOnlySpan values, strides)
    | Added(values, strides) -> AttentionMask.Add(ReadOnlySpan values, strides)

let private outputs (sizes: Sizes) =
    sizes.Batch * sizes.QueryHeads * sizes.Queries * sizes.ValueDim

let private rows (sizes: Sizes) =
    sizes.Batch * sizes.QueryHeads * sizes.Queries

let private scaleOf (call: Call) =
    match call.Scale with
    | Some scale -> Nullable scale
    | None -> Nullable()

let private half =
    {
        Name = "Float16"
        Round = fun x -> Half.op_Explicit (Half.op_Explicit x: Half)
        Tolerance = 2e-3
        Run =
            fun call mask gqa query key value ->
                let convert = Array.map (fun (x: float) -> Half.op_Explicit x: Half)
                let output: Half[] = Array.zeroCreate (outputs call.Sizes)
                let logSumExp: float32[] = Array.zeroCreate (rows call.Sizes)
                let shape = call.Sizes.Shape

                Attention.ScaledDotProduct(
                    ReadOnlySpan(convert query),
                    ReadOnlySpan(convert key),
                    ReadOnlySpan(convert value),
                    Span output,
                    &shape,
                    spanOf mask,
                    call.Dropout,
                    call.Causal,
                    scaleOf call,
                    gqa,
                    Span logSumExp,
                    null
                )

                Array.map (fun (x: Half) -> Half.op_Explicit x: float) output, Array.map float logSumExp
    }

let private bfloat =
    {
        Name = "BFloat16"
        Round = fun x -> float (BFloat16.op_Implicit (BFloat16.op_Explicit (float32 x)): float32)
        Tolerance = 1.6e-2
        Run =
            fun call mask gqa query key value ->
                let convert =
                    Array.map (fun (x: float) -> BFloat16.op_Explicit (float32 x): BFloat16)

                let output: BFloat16[] = Array.zeroCreate (outputs call.Sizes)
                let logSumExp: float32[] = Array.zeroCreate (rows call.Sizes)
                let shape = call.Sizes.Shape

                Attention.ScaledDotProduct(
                    ReadOnlySpan(convert query),
                    ReadOnlySpan(convert key),
                    ReadOnlySpan(convert value),
                    Span output,
                    &shape,
                    spanOf mask,
                    call.Dropout,
                    call.Causal,
                    scaleOf call,
                    gqa,
                    Span logSumExp,
                    null
                )

                Array.map (fun (x: BFloat16) -> float (BFloat16.op_Implicit x: float32)) output,
                Array.map float logSumExp
    }

let private single =
    {
        Name = "Float32"
        Round = fun x -> float (float32 x)
        Tolerance = 1e-5
        Run =
            fun call mask gqa query key value ->
                let convert = Array.map float32
                let output: float32[] = Array.zeroCreate (outputs call.Sizes)
                let logSumExp: float32[] = Array.zeroCreate (rows call.Sizes)
                let shape = call.Sizes.Shape

                Attention.ScaledDotProduct(
                    ReadOnlySpan(convert query),
                    ReadOnlySpan(convert key),
                    ReadOnlySpan(convert value),
                    Span output,
                    &shape,
                    spanOf mask,
                    call.Dropout,
                    call.Causal,
                    scaleOf call,
                    gqa,
                    Span logSumExp,
                    null
                )

                Array.map float output, Array.map float logSumExp
    }

let private double =
    {
        Name = "Float64"
        Round = id
        Tolerance = 1e-12
        Run =
            fun call mask gqa query key value ->
                let output: float[] = Array.zeroCreate (outputs call.Sizes)
                let logSumExp: float[] = Array.zeroCreate (rows call.Sizes)
                let shape = call.Sizes.Shape

                Attention.ScaledDotProduct(
                    ReadOnlySpan query,
                    ReadOnlySpan key,
                    ReadOnlySpan value,
                    Span output,
                    &shape,
                    spanOf mask,
                    call.Dropout,
                    call.Causal,
                    scaleOf call,
                    gqa,
                    Span logSumExp,
                    null
                )

                output, logSumExp
    }

/// The masks of a product, by name; some broadcast, some are whole.
let private masks (random: Random) (sizes: Sizes) =
    let kept count =
        Array.init count (fun _ -> random.NextDouble() < 0.6)

    // Minus infinity hides a key, as in torch.
    let added count =
        Array.init count (fun _ ->
            if random.NextDouble() < 0.2 then
                -infinityf
            else
                float32 (random.NextDouble() * 4.0 - 2.0))

    let pairs = sizes.Queries * sizes.Keys

    [
        "no mask", false, Without
        "causal", true, Without
        "bool", false, Kept(kept (rows sizes * sizes.Keys), contiguous sizes.Shape)
        "bool over batch and heads", false, Kept(kept pairs, AttentionMask.Broadcast(1, 1, sizes.Queries, sizes.Keys))
        "bool over queries",
        false,
        Kept(kept (sizes.Batch * sizes.Keys), AttentionMask.Broadcast(sizes.Batch, 1, 1, sizes.Keys))
        "float", false, Added(added (rows sizes * sizes.Keys), contiguous sizes.Shape)
        "float over batch",
        false,
        Added(added (sizes.QueryHeads * pairs), AttentionMask.Broadcast(1, sizes.QueryHeads, sizes.Queries, sizes.Keys))
    ]

let private sizes =
    [
        for batch, queries, keys in [ 2, 7, 19; 1, 37, 23; 3, 1, 130 ] do
            for queryHeads, keyHeads in [ 2, 2; 6, 2; 3, 1 ] do
                for dim, valueDim in [ 1, 1; 40, 40; 64, 24; 111, 111 ] do
                    {
                        Batch = batch
                        QueryHeads = queryHeads
                        KeyHeads = keyHeads
                        Queries = queries
                        Keys = keys
                        Dim = dim
                        ValueDim = valueDim
                    }
    ]

let private near tolerance (actual: float[]) (expected: float[]) what =
    for i in 0 .. expected.Length - 1 do
        let error = abs (actual[i] - expected[i])

        if not (actual[i] = expected[i] || error <= tolerance * max 1.0 (abs expected[i])) then
            failtest $"%s{what}: element %d{i} is %g{actual[i]}, torch's equivalent gives %g{expected[i]}"

let private check (element: Element) (sizes: Sizes) (dropout: Dropout) scale =
    let random = Random(sizes.Queries * 1000 + sizes.Dim + sizes.QueryHeads)

    let tensor count =
        Array.init count (fun _ -> element.Round(random.NextDouble() * 2.0 - 1.0))

    let query = tensor (rows sizes * sizes.Dim)
    let key = tensor (sizes.Batch * sizes.KeyHeads * sizes.Keys * sizes.Dim)
    let value = tensor (sizes.Batch * sizes.KeyHeads * sizes.Keys * sizes.ValueDim)

    for name, causal, mask in masks random sizes do
        let call =
            {
                Sizes = sizes
                Mask = asTorch mask
                Causal = causal
                Scale = scale
                Dropout = dropout
            }

        let expected, expectedLogSumExp = attention call query key value

        let output, logSumExp =
            element.Run call mask (sizes.QueryHeads <> sizes.KeyHeads) query key value

        let what = $"%s{name} over %O{sizes.Shape}, scale %A{scale}"
        near element.Tolerance output expected what
        near (min element.Tolerance 1e-5) logSumExp expectedLogSumExp $"log-sum-exp, %s{what}"

let private product =
    [
        for element in [ half; bfloat; single; double ] do
            for name, dropout in [ "no dropout", Dropout(); "dropout", Dropout(0.3f, 42UL, 7u) ] do
                // What a float32 cannot hold matters where it is computed in float64.
                for scaleName, scale in [ "default scale", None; "own scale", Some 0.3 ] do
                    test $"%s{element.Name}, %s{name}, %s{scaleName}" {
                        for sizes in sizes do
                            check element sizes dropout scale
                    }
    ]

let private four = AttentionShape(1, 2, 2, 3, 4, 8)

let private call (shape: AttentionShape) (mask: MaskCase) causal scale gqa =
    let queries = int shape.LogSumExpElements * shape.HeadDim
    let keys = shape.Batch * shape.KeyHeads * shape.KeyLength * shape.HeadDim
    let output = Array.create queries 7.0f
    let query: float32[] = Array.zeroCreate queries
    let key: float32[] = Array.zeroCreate keys

    try
        Attention.ScaledDotProduct(
            ReadOnlySpan query,
            ReadOnlySpan key,
            ReadOnlySpan key,
            Span output,
            &shape,
            spanOf mask,
            Dropout(),
            causal,
            scale,
            gqa,
            Span(),
            null
        )
    finally
        Expect.allEqual output 7.0f "nothing was written"

let private grouped = AttentionShape(1, 6, 2, 3, 4, 8)
let private whole = contiguous four

let private badInput =
    [
        test "a mask and causal together" {
            throws<ArgumentException> [ "isCausal"; "mask" ] (fun () ->
                call four (Kept(Array.zeroCreate 24, whole)) true (Nullable()) false)
        }
        test "grouped heads without enableGqa" {
            throws<ArgumentException> [ "enableGqa"; "6"; "2" ] (fun () ->
                call grouped Without false (Nullable()) false)
        }
        test "a scale that is not finite" {
            for scale in [ nan; infinity; 1e300 ] do
                throws<ArgumentOutOfRangeException> [ "scale"; "finite" ] (fun () ->
                    call four Without false (Nullable scale) false)
        }
        test "a bool mask too short" {
            throws<ArgumentException> [ "mask"; "23"; "24" ] (fun () ->
                call four (Kept(Array.zeroCreate 23, whole)) false (Nullable()) false)
        }
        test "a float mask too short" {
            throws<ArgumentException> [ "mask"; "23"; "24" ] (fun () ->
                call four (Added(Array.zeroCreate 23, whole)) false (Nullable()) false)
        }
        test "a negative stride" {
            throws<ArgumentOutOfRangeException> [ "mask"; "query -4" ] (fun () ->
                call four (Added(Array.zeroCreate 24, BiasStrides(0, 0, -4, 1))) false (Nullable()) false)
        }
        test "a negative size of a mask" {
            throws<ArgumentOutOfRangeException> [ "heads" ] (fun () -> AttentionMask.Broadcast(1, -2, 3, 4) |> ignore)
        }
        test "a float64 output over its queries, where the scale asks for a copy of them" {
            let shape = AttentionShape(1, 1, 1, 2, 2, 4)
            let shared = Array.create 8 1.0

            throws<ArgumentException> [ "output"; "query" ] (fun () ->
                Attention.ScaledDotProduct(
                    ReadOnlySpan shared,
                    ReadOnlySpan(Array.zeroCreate 8),
                    ReadOnlySpan(Array.zeroCreate 8),
                    Span shared,
                    &shape,
                    AttentionMask(),
                    Dropout(),
                    false,
                    Nullable 0.3,
                    false,
                    Span(),
                    null
                ))

            Expect.allEqual shared 1.0 "nothing was written"
        }
    ]

[<Tests>]
let tests =
    testList
        "gallery"
        [
            testList "scaled dot product" [ testList "as torch" product; testList "bad input" badInput ]
        ]
