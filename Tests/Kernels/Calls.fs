/// Small calls in float32 and float64, for tests that look at one thing.
module FlashGen.Tests.Kernels.Calls

open System
open FlashGen
open FlashGen.Tests

/// The variant of a class of this name in the tests' own catalogue.
let variant name =
    let full = "FlashGen.Tests.Variants." + name

    match
        AttentionVariant.In FlashGen.Tests.Variants.Catalogue.Assembly
        |> Seq.tryFind (fun variant -> variant.Name = full)
    with
    | Some variant -> variant
    | None -> failwith $"The catalogue has no variant {full}."

/// Random numbers that the seed and a test's own number decide.
let randomOf salt = Random(Settings.seed * 31 + salt)

/// Checks a few times, or many in a thorough run.
let repeat salt check =
    let random = randomOf salt

    for _ in 1 .. (if Settings.thorough then 40 else 6) do
        check random

let floats (random: Random) count magnitude =
    Array.init count (fun _ -> (random.NextSingle() * 2f - 1f) * magnitude)

let doubles (random: Random) count magnitude =
    Array.init count (fun _ -> (random.NextDouble() * 2.0 - 1.0) * magnitude)

/// A call's tensors.
type Tensors<'T> = { Query: 'T[]; Key: 'T[]; Value: 'T[] }

let private sized (variant: AttentionVariant) (shape: AttentionShape) make =
    {
        Query = make (int (shape.QueryElements variant.Layout))
        Key = make (int (shape.KeyElements variant.Layout))
        Value = make (int (shape.ValueElements variant.Layout))
    }

let float32s (random: Random) variant shape =
    sized variant shape (fun count -> floats random count 2f)

let float64s (random: Random) variant shape =
    sized variant shape (fun count -> doubles random count 2.0)

/// Output and log-sum-exp of a call in float32.
let run32 (variant: AttentionVariant) (shape: AttentionShape) tensors arguments options =
    let output = Array.create (int (shape.OutputElements variant.Layout)) nanf
    let logSumExp = Array.create (int shape.LogSumExpElements) nanf

    variant.Forward(
        ReadOnlySpan<float32> tensors.Query,
        ReadOnlySpan tensors.Key,
        ReadOnlySpan tensors.Value,
        Span output,
        &shape,
        arguments,
        Span logSumExp,
        options
    )

    output, logSumExp

/// Output and log-sum-exp of a call in float64.
let run64 (variant: AttentionVariant) (shape: AttentionShape) tensors arguments options =
    let output = Array.create (int (shape.OutputElements variant.Layout)) nan
    let logSumExp = Array.create (int shape.LogSumExpElements) nan

    variant.Forward(
        ReadOnlySpan<float> tensors.Query,
        ReadOnlySpan tensors.Key,
        ReadOnlySpan tensors.Value,
        Span output,
        &shape,
        arguments,
        Span logSumExp,
        options
    )

    output, logSumExp

/// The largest difference; infinite where only one is finite.
let apart (a: float[]) (b: float[]) =
    Seq.map2
        (fun (x: float) y ->
            if x.Equals y then 0.0
            elif Double.IsFinite(x - y) then abs (x - y)
            else infinity)
        a
        b
    |> Seq.fold max 0.0

let apart32 (a: float32[]) (b: float32[]) =
    apart (Array.map float a) (Array.map float b)
