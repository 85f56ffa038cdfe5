/// Laws of attention: what must hold between calls, whatever the numbers are.
module FlashGen.Tests.Kernels.LawTests

open System
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels.Calls

let private options = AttentionOptions.Default

let private dropout (random: Random) =
    Dropout(0.1f + 0.6f * random.NextSingle(), uint64 (random.NextInt64()), uint32 (random.Next()))

[<Tests>]
let tileSizes =
    testList
        "Kernels.Laws.TileSizes"
        [
            for size in [ "Short"; "Odd"; "Single" ] do
                test $"{size} tiles give what the planner's do" {
                    let planned, other = variant "TileSizes.Planned", variant $"TileSizes.{size}"

                    repeat 1 (fun random ->
                        let shape =
                            AttentionShape(2, 4, 2, random.Next(1, 150), random.Next(1, 200), random.Next(1, 70))

                        let arguments =
                            ModArguments().Add("slopes", floats random 4 0.3f).Add("dropout", dropout random)

                        let wide = float64s random planned shape
                        let a, la = run64 planned shape wide arguments options
                        let b, lb = run64 other shape wide arguments options
                        Expect.isLessThan (apart a b) 1e-12 $"output in float64, {shape}"
                        Expect.isLessThan (apart la lb) 1e-12 $"log-sum-exp in float64, {shape}"
                        let narrow = float32s random planned shape
                        let a, la = run32 planned shape narrow arguments options
                        let b, lb = run32 other shape narrow arguments options
                        Expect.isLessThan (apart32 a b) 2e-5 $"output in float32, {shape}"
                        Expect.isLessThan (apart32 la lb) 2e-5 $"log-sum-exp in float32, {shape}")
                }
        ]

[<Tests>]
let causal =
    testList
        "Kernels.Laws.Causal"
        [
            for name in [ "WindowToZero"; "CausalMod" ] do
                test $"{name} is causal, to the bit" {
                    repeat 2 (fun random ->
                        let shape =
                            AttentionShape(
                                1,
                                2,
                                1,
                                random.Next(1, 200),
                                random.Next(1, 200),
                                32,
                                Offsets = ReadOnlyMemory [| random.Next(-50, 50) |]
                            )

                        let causal = variant "Laws.Causal"
                        let tensors = float32s random causal shape
                        let expected = run32 causal shape tensors null options
                        let actual = run32 (variant $"Laws.{name}") shape tensors null options
                        Expect.equal actual expected $"{shape}")
                }
        ]

/// Merges partials of the same rows (semantics 12).
let private merge dim (partials: (float[] * float[]) list) =
    let rows = (snd partials.Head).Length
    let output = Array.zeroCreate (rows * dim)
    let logSumExp = Array.create rows -infinity

    for row in 0 .. rows - 1 do
        let top = partials |> List.map (fun (_, lse) -> lse[row]) |> List.max

        if top > -infinity then
            let whole =
                top + log (partials |> List.sumBy (fun (_, lse) -> exp (lse[row] - top)))

            logSumExp[row] <- whole

            for part, lse in partials do
                for d in 0 .. dim - 1 do
                    output[row * dim + d] <- output[row * dim + d] + exp (lse[row] - whole) * part[row * dim + d]

    output, logSumExp

let private plain = lazy (variant "Laws.Plain")

/// A tensor's rows in another order, within each head.
let private permute (order: int[]) heads dim (values: 'T[]) =
    [|
        for head in 0 .. heads - 1 do
            for row in order do
                yield! Array.sub values ((head * order.Length + row) * dim) dim
    |]

[<Tests>]
let keys =
    testList
        "Kernels.Laws.Keys"
        [
            test "partials over parts of the keys merge to the whole" {
                repeat 3 (fun random ->
                    let keys, dim, valueDim = random.Next(1, 300), 24, 17
                    let shape = AttentionShape(1, 3, 3, 40, keys, dim, valueDim)
                    let tensors = float64s random plain.Value shape
                    let cuts = [ 0; random.Next(keys + 1); random.Next(keys + 1); keys ] |> List.sort

                    let partials =
                        [
                            for first, last in List.pairwise cuts ->
                                let part =
                                    AttentionShape(
                                        1,
                                        3,
                                        3,
                                        40,
                                        last - first,
                                        dim,
                                        valueDim,
                                        KeyStrides = TensorStrides(0L, int64 (keys * dim), int64 dim),
                                        ValueStrides = TensorStrides(0L, int64 (keys * valueDim), int64 valueDim)
                                    )

                                let slice size (values: float[]) = values[first * size ..]

                                run64
                                    plain.Value
                                    part
                                    { tensors with
                                        Key = slice dim tensors.Key
                                        Value = slice valueDim tensors.Value
                                    }
                                    null
                                    options
                        ]

                    let whole, lse = run64 plain.Value shape tensors null options
                    let merged, mergedLse = merge valueDim partials
                    Expect.isLessThan (apart whole merged) 1e-12 $"output, cuts {cuts}"
                    Expect.isLessThan (apart lse mergedLse) 1e-12 $"log-sum-exp, cuts {cuts}")
            }

            test "maxima may rise or fall from tile to tile by any amount" {
                repeat 18 (fun random ->
                    for rise in [ 3.0; 15.0; 40.0; 100.0; 2000.0; -3.0; -40.0; -2000.0 ] do
                        let keys, dim = 128 * random.Next(3, 6), 32
                        let shape = AttentionShape(1, 1, 1, random.Next(1, 70), keys, dim)
                        // Scores of a tile are about so much above those of the one before.
                        let step = rise / sqrt (float dim)
                        let noise magnitude = (random.NextDouble() - 0.5) * magnitude

                        let narrow =
                            {
                                Query = Array.init (shape.QueryLength * dim) (fun _ -> float32 (1.0 + noise 0.02))
                                Key =
                                    Array.init (keys * dim) (fun i ->
                                        float32 (step * float (i / dim / 128) + noise 1.0))
                                Value = floats random (keys * dim) 2f
                            }

                        let wide =
                            {
                                Query = Array.map float narrow.Query
                                Key = Array.map float narrow.Key
                                Value = Array.map float narrow.Value
                            }

                        let expected, expectedSum = run64 plain.Value shape wide null options
                        let actual, actualSum = run32 plain.Value shape narrow null options
                        let tolerance = 2e-5 + 2e-6 * abs rise * float (keys / 128)
                        let rises = $"{rise} a tile of 128, {shape}"
                        Expect.isLessThan (apart expected (Array.map float actual)) tolerance $"output, {rises}"

                        Expect.isLessThan
                            (apart expectedSum (Array.map float actualSum))
                            tolerance
                            $"log-sum-exp, {rises}")
            }

            test "without a mask the order of keys does not matter" {
                repeat 4 (fun random ->
                    let keys, dim = random.Next(1, 400), 20
                    let shape = AttentionShape(1, 4, 2, 33, keys, dim)
                    let tensors = float64s random plain.Value shape
                    let order = Array.init keys id
                    random.Shuffle order

                    let mixed =
                        { tensors with
                            Key = permute order 2 dim tensors.Key
                            Value = permute order 2 dim tensors.Value
                        }

                    let a, la = run64 plain.Value shape tensors null options
                    let b, lb = run64 plain.Value shape mixed null options
                    Expect.isLessThan (apart a b) 1e-12 "output"
                    Expect.isLessThan (apart la lb) 1e-12 "log-sum-exp")
            }

            test "values that are all one come back, and so does a score that all keys share" {
                repeat 5 (fun random ->
                    let keys = random.Next(1, 300)
                    let shape = AttentionShape(1, 1, 1, 50, keys, 16)

                    let tensors =
                        { float32s random plain.Value shape with
                            Query = Array.zeroCreate 800
                            Value = Array.create (keys * 16) 1f
                        }

                    let output, logSumExp = run32 plain.Value shape tensors null options
                    Expect.isLessThan (apart32 output (Array.create 800 1f)) 1e-6 "output"
                    Expect.isLessThan (apart32 logSumExp (Array.create 50 (log (float32 keys)))) 1e-5 "log-sum-exp")
            }
        ]

[<Tests>]
let repeatability =
    testList
        "Kernels.Laws.Repeatability"
        [
            for name in [ "Everything"; "NarrowValues"; "TileSizes.Odd"; "GraphBias"; "SmallTables" ] do
                test $"{name}: the same bits again, and on 1, 2 and 5 threads" {
                    repeat 6 (fun random ->
                        let case = Cases.make (random.Next()) (variant name) (random.Next 4)

                        let runs =
                            [
                                for threads in [ 1; 1; 2; 2; 5; 0 ] ->
                                    [
                                        for element in Outcomes.declared case.Variant ->
                                            element.Run(case, AttentionOptions(Threads = threads))
                                    ]
                            ]

                        for run in runs.Tail do
                            Expect.isTrue (run = runs.Head) $"{case}")
                }
        ]

[<Tests>]
let dropoutMask =
    testList
        "Kernels.Laws.Dropout"
        [
            for name in [ "Dropped"; "Dropped16"; "Dropped37" ] do
                test $"{name} keeps the entries whose Philox draw says so, each of them" {
                    repeat 7 (fun random ->
                        // Equal scores and values that are the identity: the output is the dropout mask itself.
                        let batch, heads, queries, keys = 2, 3, random.Next(1, 100), random.Next(1, 200)
                        let shape = AttentionShape(batch, heads, heads, queries, keys, 4, keys)
                        let variant = variant $"Laws.{name}"
                        let dropout = dropout random

                        let identity =
                            Array.init (batch * heads * keys * keys) (fun at ->
                                let at = at % (keys * keys)
                                if at / keys = at % keys then 1f else 0f)

                        let tensors =
                            { float32s random variant shape with
                                Query = Array.zeroCreate (batch * heads * queries * 4)
                                Value = identity
                            }

                        let output, logSumExp =
                            run32 variant shape tensors (ModArguments().Add("dropout", dropout)) options

                        for at in 0 .. output.Length - 1 do
                            let key, row = at % keys, at / keys
                            let head, query = row / queries, row % queries

                            let draw =
                                Philox.Draw(dropout.Seed, dropout.Offset, uint32 head, uint32 query, uint32 key)

                            let expected =
                                if int draw >= dropout.Threshold then
                                    dropout.Scale / float32 keys
                                else
                                    0f

                            if abs (output[at] - expected) > 1e-6f then
                                failtest
                                    $"batch and head {head}, query {query}, key {key}: {output[at]} instead of {expected}"

                        Expect.isLessThan
                            (apart32 logSumExp (Array.create logSumExp.Length (log (float32 keys))))
                            1e-5
                            "log-sum-exp is of the undropped row")
                }
        ]

[<Tests>]
// Alone: calls share what they keep from one to the next, and another test's call may hold it.
let allocation =
    testSequenced
    <| testList
        "Kernels.Laws.Allocation"
        [
            test "a call allocates nothing that grows with it, once warm" {
                // The class's own Forward: arguments by name may box.
                let bytesOf (shape: AttentionShape) =
                    let tensors = float32s (randomOf 8) plain.Value shape

                    let output =
                        Array.zeroCreate<float32>(int (shape.OutputElements plain.Value.Layout))

                    let one = AttentionOptions(Threads = 1)

                    let call () =
                        FlashGen.Tests.Variants.Laws.Plain.Forward(
                            ReadOnlySpan tensors.Query,
                            ReadOnlySpan tensors.Key,
                            ReadOnlySpan tensors.Value,
                            Span output,
                            &shape,
                            Span<float32>.Empty,
                            one
                        )

                    call ()
                    call ()
                    let before = GC.GetAllocatedBytesForCurrentThread()

                    for _ in 1..10 do
                        call ()

                    GC.GetAllocatedBytesForCurrentThread() - before

                Expect.equal (bytesOf (AttentionShape(1, 2, 2, 64, 64, 32))) 0L "small"
                Expect.equal (bytesOf (AttentionShape(1, 2, 2, 300, 500, 64))) 0L "larger"
            }
        ]
