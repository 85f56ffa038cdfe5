/// How the run-time arguments of each variant are made: by name, so large that no reached read leaves a table.
module FlashGen.Tests.Kernels.Arguments

open System
open FlashGen

/// The keys of a batch entry come after so many positions at most: what an unguarded read by position needs.
let private positions (shape: AttentionShape) align =
    Seq.init shape.Batch (fun batch -> shape.QueryLength + shape.OffsetAt(batch, align))
    |> Seq.fold max shape.KeyLength

let private between (random: Random) low high =
    low + random.NextSingle() * (high - low)

/// Mostly small numbers, and now and then -inf, which takes a pair out.
let private biases (random: Random) count =
    Array.init count (fun _ ->
        if random.Next 20 = 0 then
            -infinityf
        else
            between random -2f 2f)

let private documents (random: Random) length =
    let longest = 1 + random.Next(max 1 (length / 2))
    let mutable document = 0

    Array.init length (fun _ ->
        if random.Next longest = 0 then
            document <- document + 1

        document)

/// A bias whose strides skip some axes, and leave gaps in others.
let private bias (random: Random) (shape: AttentionShape) =
    let mutable length = 1L

    let axis size =
        if random.Next 4 = 0 then
            0L
        else
            let stride = length + int64 (random.Next 2)
            length <- stride * int64 (max 1 size)
            stride

    let key = axis shape.KeyLength
    let query = axis shape.QueryLength
    let head = axis shape.QueryHeads
    let batch = axis shape.Batch
    biases random (int length), BiasStrides(batch, head, query, key)

/// One argument, by its name and the type that the variant wants.
let private value (variant: AttentionVariant) (shape: AttentionShape) (random: Random) (info: ArgumentInfo) : obj =
    let queries, keys = shape.QueryLength, shape.KeyLength
    let heads = shape.QueryHeads
    let pairs = queries * keys

    let floats count =
        Array.init count (fun _ -> between random -1f 1f)

    let ints low high count =
        Array.init count (fun _ -> random.Next(low, high + 1))

    let bytes high count =
        Array.init count (fun _ -> byte (random.Next(high + 1)))

    match info.Name with
    // The ready-made attributes' own.
    | "scale" -> between random -0.3f 0.3f
    | "slopes" ->
        let count = if random.Next 2 = 0 then heads else shape.Batch * heads
        Array.init count (fun _ -> between random -0.05f 0.3f)
    | "sink" -> floats heads
    | "prefix" -> ints 0 (keys + 5) shape.Batch
    | "queryDocument" -> Array.concat (List.init shape.Batch (fun _ -> documents random queries))
    | "keyDocument" -> Array.concat (List.init shape.Batch (fun _ -> documents random keys))
    | "dropout" -> Dropout(random.NextSingle() * 0.7f, uint64 (random.NextInt64()), uint32 (random.Next()))
    // Scaled dot product attention's own mask: (batch, heads, queries, keys), the heads one behind the other.
    | "keep" -> Array.init (shape.Batch * heads * pairs) (fun _ -> random.Next 4 > 0)
    | "batchStride" -> int64 (heads * pairs)
    | "headStride" -> int64 pairs
    | "queryStride" -> int64 keys
    | "keyStride" -> 1L
    // Masks.
    | "global" -> random.Next 6
    | "window" -> random.Next 60
    | "width"
    | "patches" -> random.Next(1, 18)
    | "radius" -> random.Next 4
    | "ancestors" -> Array.init pairs (fun _ -> random.Next 3 > 0)
    | "length" -> box (keys / 2)
    | "shared" -> random.Next(keys / 2 + 1)
    | "continuation" -> documents random (positions shape variant.Align)
    | "bits" -> Array.init (queries * ((keys + 31) / 32)) (fun _ -> uint32 (random.NextInt64(1L <<< 32)))
    | "words" -> box ((keys + 31) / 32)
    | "begins" -> ints 0 queries keys
    | "ends" -> ints (queries / 2) (queries + 1) keys
    | "levels" -> ints -3 3 (keys / 2)
    | "divisor" -> box ((if random.Next 2 = 0 then 1 else -1) * random.Next(1, 9))
    | "limits" -> ints -3 7 (keys / 3 + 2)
    | "causal" -> random.Next 2 = 0
    | "start" -> box (3000000000L - int64 (random.Next 40))
    | "stride" -> uint32 (random.Next(2, 7))
    | "moments" -> Array.init keys (fun _ -> random.NextInt64(5000000000L, 5000000000L + 100000000L * int64 (keys + 1)))
    | "kinds"
    | "holes" -> bytes 255 keys
    | "padding" -> Array.init keys (fun _ -> random.Next 5 = 0)
    | "colours" -> Array.init queries (fun _ -> 4000000000u + uint32 (random.Next 3))
    | "times" -> Array.init keys (fun _ -> random.NextInt64())
    | "imageOfText" -> ints 0 8 queries
    | "params" -> ints 0 3 keys
    | "class" -> random.Next 4
    | "groups" -> ints 0 3 keys
    | "third" -> 0.1f
    // Score changes.
    | "reach" -> random.Next 12
    | "distances" -> biases random (heads * 23)
    | "side" -> random.Next(1, 20)
    | "byRow" -> biases random (2 * max queries keys + 3)
    | "byColumn" -> floats 39
    | "hops" -> bytes 9 pairs
    | "byHops" -> biases random 10
    | "edges" -> floats pairs
    | "rate" -> box (random.NextSingle() * 0.1f)
    | "slope" when info.Kind = ArgumentKind.Scalar -> between random -0.1f 0.1f
    | "weights" -> floats (keys / 2 + 1)
    | "pairs" -> biases random (shape.Batch * queries * 2)
    | "scores" -> between random -1.5f 1.5f
    | "row" -> floats keys
    | "j" -> random.Next(-3, 4)
    | "gains" -> floats heads
    | "factor" -> between random -1f 1f
    // Whole, for negative scores have no other powers.
    | "exponent" -> float32 (random.Next(0, 3))
    | other -> failwith $"{variant.Name} has an argument '{other}' ({info.TypeName}); say here how to make it."

let random (variant: AttentionVariant) (shape: AttentionShape) (random: Random) =
    let arguments = ModArguments()
    let mutable strides = None

    for info in variant.Arguments do
        match info.Name with
        | "bias" ->
            let elements, skips = bias random shape
            strides <- Some skips
            arguments.Add("bias", elements) |> ignore
        | "biasStrides" -> arguments.Add("biasStrides", strides.Value) |> ignore
        | name -> arguments.Add(name, value variant shape random info) |> ignore

    arguments
