/// Random calls: shapes, strides, lengths, offsets, inputs and arguments, each made from a seed alone, so that every process
/// makes the same ones.
module FlashGen.Tests.Kernels.Cases

open System
open System.Reflection
open FlashGen

type Inputs =
    | Plain
    /// Scores of magnitude 1e4.
    | HugeScores
    /// All scores far below -5e4.
    | LowScores
    /// Scores that rise from one end of the keys to the other, by a little or by hundreds a tile.
    | RisingScores
    /// NaN and infinities in some rows of the queries.
    | BadQueries
    /// NaN and infinities in some keys.
    | BadKeys
    /// NaN in some values.
    | BadValues

type Case =
    {
        Variant: AttentionVariant
        Number: int
        Shape: AttentionShape
        Inputs: Inputs
        Arguments: ModArguments
        /// Exact in every element type, gaps and keys beyond the lengths NaN.
        Query: float32[]
        Key: float32[]
        Value: float32[]
    }

    override case.ToString() =
        let list (entries: ReadOnlyMemory<int>) = String.Join(",", entries.ToArray())

        let strides (given: Nullable<TensorStrides>) =
            if given.HasValue then string given.Value else "default"

        $"case {case.Number}, {case.Inputs}: {case.Shape}, key lengths [{list case.Shape.KeyLengths}], offsets [{list case.Shape.Offsets}], "
        + $"query strides {strides case.Shape.QueryStrides}, output strides {strides case.Shape.OutputStrides}"

let private lengths =
    [|
        1, 239
        3, 799
        113, 203
        128, 217
        113, 211
        108, 256
        127, 257
        239, 1
        257, 257
        65, 64
        64, 65
        1, 1
        5, 0
        17, 130
        200, 31
        33, 400
    |]

let private thoroughLengths =
    [| 127, 512; 127, 513; 511, 512; 512, 511; 512, 512; 257, 1009 |]

let private dims =
    [| 1; 8; 16; 32; 40; 59; 64; 80; 96; 111; 128; 160; 192; 224; 256 |]

let private heads = [| 1, 1; 2, 2; 3, 1; 6, 2; 3, 3; 4, 2; 5, 1 |]

/// Strides of a tensor with gaps behind its rows and heads, in a random order of axes.
let private gapped (random: Random) batch heads rows dim =
    let mutable next = int64 (dim + random.Next 5)

    let axis size =
        let stride = next
        next <- stride * int64 (max 1 size) + int64 (random.Next 9)
        stride

    match random.Next 3 with
    | 0 ->
        let row = axis rows
        let head = axis heads
        TensorStrides(axis batch, head, row)
    | 1 ->
        let head = axis heads
        let row = axis rows
        TensorStrides(axis batch, head, row)
    | _ ->
        let row = axis rows
        let batches = axis batch
        TensorStrides(batches, axis heads, row)

/// Strides with gaps, or none.
let private stridesOf random batch has heads rows dim =
    if has then
        Nullable(gapped random batch heads rows dim)
    else
        Nullable()

/// A number for each batch entry, or none.
let private entriesOf batch has entry =
    if has then
        ReadOnlyMemory(Array.init batch (fun _ -> entry ()))
    else
        ReadOnlyMemory.Empty

/// How far back a variant's ready-made masks look.
let private reach (variant: AttentionVariant) =
    let window = variant.Declaration.GetCustomAttribute<SlidingWindowAttribute>()
    let chunk = variant.Declaration.GetCustomAttribute<ChunkedAttribute>()

    if not (isNull window) then window.Left
    elif not (isNull chunk) then chunk.Size
    else 0

/// Every case asks for something else, and takes the rest as it comes.
let private shape (random: Random) (variant: AttentionVariant) number =
    let pick (options: 'a[]) = options[random.Next options.Length]

    let queries, keys =
        match number % 8 with
        | 4 -> 90 + random.Next 80, 1 + random.Next 80
        | 5 ->
            (if random.Next 3 = 0 then
                 7, 0
             else
                 1 + random.Next 3, random.Next 600)
        | 7 when FlashGen.Tests.Settings.thorough -> pick thoroughLengths
        | _ -> pick lengths

    let headDim, valueDim =
        if variant.Dims.Count > 0 then
            let struct (headDim, valueDim) = variant.Dims[random.Next variant.Dims.Count]
            headDim, valueDim
        else
            let headDim = pick dims
            headDim, (if random.Next 3 = 0 then pick dims else headDim)

    let queryHeads, keyHeads =
        if number % 8 = 4 then
            pick [| 6, 2; 6, 1; 4, 2 |]
        else
            pick heads
    // The reference is slow: the larger the pairs, the fewer the heads.
    let large = queries * keys > 20000
    let batch = if large then 1 + random.Next 2 else 1 + random.Next 3

    let queryHeads, keyHeads =
        if large then min queryHeads 2, 1 else queryHeads, keyHeads

    let some odd = number % 8 = odd || random.Next 4 = 0

    let keyLengths =
        if some 2 then
            Array.init batch (fun _ -> random.Next(keys + 1))
        else
            [||]

    let offsets =
        if some 1 then
            // Long windows and chunks end among these few keys only for rows far behind them.
            let far = reach variant

            let around =
                if far > 200 && random.Next 2 = 0 then
                    far - random.Next(max 1 keys)
                else
                    0

            Array.init batch (fun _ -> around + random.Next(-60, 120))
        else
            [||]

    let strides = stridesOf random batch
    let hasStrides = some 3

    AttentionShape(
        batch,
        queryHeads,
        keyHeads,
        queries,
        keys,
        headDim,
        valueDim,
        KeyLengths = ReadOnlyMemory keyLengths,
        Offsets = ReadOnlyMemory offsets,
        QueryStrides = strides hasStrides queryHeads queries headDim,
        KeyStrides = strides hasStrides keyHeads keys headDim,
        ValueStrides = strides (hasStrides && random.Next 2 = 0) keyHeads keys valueDim,
        OutputStrides = strides hasStrides queryHeads queries valueDim
    )

/// As `shape`, for simulated devices: two heads at most, and lengths of a few tiles.
let private smallShape (random: Random) (variant: AttentionVariant) number =
    let pick (options: 'a[]) = options[random.Next options.Length]

    let queries, keys =
        pick [| 1, 129; 33, 129; 65, 64; 64, 65; 40, 70; 129, 33; 1, 1; 5, 0; 31, 97 |]

    let headDim, valueDim =
        if variant.Dims.Count > 0 then
            let struct (headDim, valueDim) = variant.Dims[random.Next variant.Dims.Count]
            headDim, valueDim
        else
            let headDim = pick [| 1; 8; 16; 40; 59; 64; 80; 111; 128; 200 |]
            headDim, (if random.Next 2 = 0 then pick dims else headDim)

    let queryHeads, keyHeads = pick [| 1, 1; 2, 2; 2, 1 |]
    let batch = 1 + random.Next 2
    let some odd = number % 4 = odd || random.Next 4 = 0
    let entries = entriesOf batch
    let strides = stridesOf random batch
    let keyLengths = entries (some 1) (fun () -> random.Next(keys + 1))
    let far = reach variant

    let offsets =
        entries (some 2) (fun () -> (if far > 200 then far - random.Next(max 1 keys) else 0) + random.Next(-60, 120))

    let hasStrides = some 3

    AttentionShape(
        batch,
        queryHeads,
        keyHeads,
        queries,
        keys,
        headDim,
        valueDim,
        KeyLengths = keyLengths,
        Offsets = offsets,
        QueryStrides = strides hasStrides queryHeads queries headDim,
        KeyStrides = strides hasStrides keyHeads keys headDim,
        ValueStrides = strides (hasStrides && random.Next 2 = 0) keyHeads keys valueDim,
        OutputStrides = strides hasStrides queryHeads queries valueDim
    )

/// Few queries of many grouped heads against many keys, as in decoding: heads share tiles there, and keys are split.
let private fewShape (random: Random) (variant: AttentionVariant) number =
    let pick (options: 'a[]) = options[random.Next options.Length]
    let queries = pick [| 1; 1; 1; 2; 5; 11 |]
    let keys = pick [| 1500; 2600; 4100; 6500 |]

    let headDim, valueDim =
        if variant.Dims.Count > 0 then
            let struct (headDim, valueDim) = variant.Dims[random.Next variant.Dims.Count]
            headDim, valueDim
        else
            let headDim = pick [| 64; 128; 40; 80; 96; 59; 128; 256 |]
            headDim, (if random.Next 3 = 0 then 64 else headDim)

    let queryHeads, keyHeads = pick [| 8, 2; 5, 1; 6, 2; 7, 1; 9, 1; 16, 1; 4, 4 |]
    let batch = 1 + random.Next 2
    let some odd = number % 3 = odd || random.Next 4 = 0
    let entries = entriesOf batch
    let strides = stridesOf random batch

    AttentionShape(
        batch,
        queryHeads,
        keyHeads,
        queries,
        keys,
        headDim,
        valueDim,
        KeyLengths = entries (some 1) (fun () -> random.Next(keys + 1)),
        Offsets = entries (some 2) (fun () -> keys - random.Next 300),
        QueryStrides = strides (number % 5 = 4) queryHeads queries headDim,
        OutputStrides = strides (number % 5 = 4) queryHeads queries valueDim
    )

/// More rows and keys of narrow heads than any plan but that of long shapes takes on tensor cores.
let private longShape (random: Random) (variant: AttentionVariant) number =
    let keys = 1025 + random.Next 300

    let headDim, valueDim =
        if variant.Dims.Count > 0 then
            let struct (headDim, valueDim) = variant.Dims[number % variant.Dims.Count]
            headDim, valueDim
        else
            [| 64, 64; 59, 40 |][number % 2]

    let some odd = number % 2 = odd

    AttentionShape(
        1,
        2,
        1,
        65 + random.Next 300,
        keys,
        headDim,
        valueDim,
        KeyLengths = entriesOf 1 (some 1) (fun () -> keys - random.Next 200),
        Offsets = entriesOf 1 (some 0) (fun () -> keys - random.Next 700)
    )

/// Somewhat more tiles of rows than an H200 has multiprocessors, so that a second round of them is nearly empty, against enough keys for
/// that round to have them split; or of a few rounds' rows, which under a causal mask have ever fewer keys.
let private tailShape (random: Random) (_: AttentionVariant) number =
    let pick (options: 'a[]) = options[random.Next options.Length]
    let isTall = number % 4 = 3

    let heads, queries, keys =
        if isTall then
            70, 131, 1300
        elif number % 4 = 2 then
            let queries = 600 + random.Next 150
            24, queries, queries + random.Next 50
        else
            140, pick [| 1; 4; 7 |], pick [| 1300; 1900; 2600 |]

    let headDim, valueDim =
        if isTall then
            96, 96
        else
            pick [| 128, 128; 96, 96; 64, 64; 128, 64; 256, 256 |]

    let some odd = number % 3 = odd

    AttentionShape(
        1,
        heads,
        heads,
        queries,
        keys,
        headDim,
        valueDim,
        KeyLengths = entriesOf 1 (some 1) (fun () -> keys - random.Next 200),
        Offsets = entriesOf 1 (some 2) (fun () -> keys - random.Next 700)
    )

let private inputs (random: Random) number =
    let odd = [| HugeScores; LowScores; RisingScores; BadQueries; BadKeys; BadValues |]

    match number % 8 with
    | 6 -> odd[random.Next odd.Length]
    | _ when random.Next 5 = 0 -> odd[random.Next odd.Length]
    | _ -> Plain

/// Seven bits of a significand, at most: bfloat16 and float16 hold it exactly.
let private shortened (value: float32) =
    BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits value &&& 0xFFFF0000u)

let private exact (random: Random) magnitude =
    shortened ((random.NextSingle() * 2f - 1f) * magnitude)

let private tensor
    (strides: TensorStrides)
    elements
    batch
    heads
    (rows: int -> int)
    dim
    (element: int -> int -> int -> float32)
    =
    let values = Array.create (int elements) nanf

    for b in 0 .. batch - 1 do
        for h in 0 .. heads - 1 do
            for r in 0 .. rows b - 1 do
                let start = int64 b * strides.Batch + int64 h * strides.Head + int64 r * strides.Row

                for d in 0 .. dim - 1 do
                    values[int start + d] <- element h r d

    values

/// float16 has no number below this but zero that keeps seven bits.
let private noTiny value = if abs value < 1e-3f then 0f else value

let private wrongs = [| nanf; infinityf; -infinityf |]

let private makeOf
    (shape: Random -> AttentionVariant -> int -> AttentionShape)
    seed
    (variant: AttentionVariant)
    number
    =
    let name = variant.Name |> Seq.fold (fun hash letter -> hash * 31 + int letter) 7
    let random = Random((seed * 1000003 + name) ^^^ (number * 7919))
    let shape = shape random variant number
    let kind = inputs random number
    let layout = variant.Layout

    let bad kinds rows =
        if List.contains kind kinds && rows > 0 then
            Set.ofList (List.init (1 + random.Next 3) (fun _ -> random.Next rows))
        else
            Set.empty

    let badQueries = bad [ BadQueries ] shape.QueryLength
    let badKeys = bad [ BadKeys ] shape.KeyLength
    let badValues = bad [ BadValues ] shape.KeyLength
    let badDim = random.Next(min shape.HeadDim shape.ValueDim)

    /// By how much a key's elements are above another's at the other end, less than 0 where the first ones are the greatest.
    let rise =
        if kind = RisingScores then
            [| 1f; 4f; -4f; 20f; -20f; 300f; -300f |][random.Next 7]
        else
            0f

    let query _ row d =
        if d = badDim && badQueries.Contains row then
            wrongs[row % 3]
        else
            match kind with
            | HugeScores -> exact random 1e4f
            | LowScores -> 256f + float32 (2 * random.Next 50)
            | RisingScores -> shortened (1f + random.NextSingle())
            | _ -> noTiny (exact random 3f)

    let key _ row d =
        if d = badDim && badKeys.Contains row then
            wrongs[row % 3]
        else
            match kind with
            | LowScores -> -256f - float32 (2 * random.Next 50)
            | RisingScores ->
                let place = float32 row / float32 shape.KeyLength - 0.5f
                noTiny (shortened (rise * place + random.NextSingle() - 0.5f))
            | _ -> noTiny (exact random 1f)

    let value _ row d =
        if d = badDim && badValues.Contains row then
            nanf
        else
            noTiny (exact random 2f)

    {
        Variant = variant
        Number = number
        Shape = shape
        Inputs = kind
        Arguments = Arguments.random variant shape random
        Query =
            tensor
                (shape.QueryStridesIn layout)
                (shape.QueryElements layout)
                shape.Batch
                shape.QueryHeads
                (fun _ -> shape.QueryLength)
                shape.HeadDim
                query
        Key =
            tensor
                (shape.KeyStridesIn layout)
                (shape.KeyElements layout)
                shape.Batch
                shape.KeyHeads
                shape.KeyLengthAt
                shape.HeadDim
                key
        Value =
            tensor
                (shape.ValueStridesIn layout)
                (shape.ValueElements layout)
                shape.Batch
                shape.KeyHeads
                shape.KeyLengthAt
                shape.ValueDim
                value
    }

let make = makeOf shape

/// A case of decoding.
let makeFew = makeOf fewShape

/// A case of long shapes in narrow heads.
let makeLong = makeOf longShape

/// A case whose last round of tiles of rows is nearly empty.
let makeTail = makeOf tailShape

/// A case that a simulated device computes in a moment.
let makeSmall = makeOf smallShape

/// How many cases a variant gets.
let count = if FlashGen.Tests.Settings.thorough then 64 else 8

let all (variant: AttentionVariant) =
    Seq.init count (make FlashGen.Tests.Settings.seed variant)
