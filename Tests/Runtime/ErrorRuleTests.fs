module FlashGen.Tests.Runtime.ErrorRuleTests

open System
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests.Runtime.HandMade

[<Attention(Types =
    (ElementTypes.Float16
     ||| ElementTypes.BFloat16
     ||| ElementTypes.Float32
     ||| ElementTypes.Float64));
  SoftCap(16.0f)>]
type private Capped = class end

let private sizes = AttentionShape(2, 2, 1, 5, 37, 16)

let private random<'T when 'T: unmanaged and 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType>
    seed
    count
    : 'T[] =
    let source = Random(seed: int)
    Array.init count (fun _ -> Elements.Narrow<'T>(float32 (source.NextDouble() * 4.0 - 2.0)))

/// The reference and the naive result of one random call.
let private both<'T when 'T: unmanaged and 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> roundWeights =
    let query, key, value = random<'T> 1 320, random<'T> 2 1184, random<'T> 3 1184
    let variant = variant typeof<Full>
    let shape = sizes
    let reference = Reference.Forward<'T>(variant, query, key, value, &shape)

    let naive =
        Reference.Naive<'T>(variant, query, key, value, &shape, null, null, roundWeights)

    reference, naive

let private judge<'T when 'T: unmanaged and 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType>
    (rule: ErrorRule)
    (output: 'T[])
    (lse: float32[])
    (reference, naive)
    =
    let shape = sizes
    rule.Compare<'T, float32>(output, lse, &shape, TensorLayout.BatchHeadSequence, reference, naive)

let private floats (values: float[]) = Array.map float32 values

let private maxDifference (a: ReferenceResult) (b: ReferenceResult) =
    Array.zip a.Output b.Output
    |> Array.map (fun (a, b) -> abs (a - b))
    |> Array.max

let private rule = ErrorRule()

[<Tests>]
let naive =
    testList
        "Reference.Naive"
        [
            test "errs as its type does, and not more" {
                let float32s = both<float32> false ||> maxDifference
                let halves = both<Half> false ||> maxDifference
                let bfloats = both<BFloat16> false ||> maxDifference
                Expect.isTrue (float32s > 0.0 && float32s < 2e-6) $"float32: {float32s}"
                Expect.isTrue (halves > 1e-5 && halves < 1.1e-3) $"Half: {halves}"
                Expect.isTrue (bfloats > 1e-4 && bfloats < 8.1e-3) $"BFloat16: {bfloats}"
                Expect.equal (both<float> false ||> maxDifference) 0.0 "double is the reference itself"
            }

            test "rounds the weights where it is told to" {
                let _, kept = both<Half> false
                let _, rounded = both<Half> true
                Expect.notEqual rounded.Output kept.Output "outputs"
                Expect.equal rounded.LogSumExp kept.LogSumExp "log-sum-exp comes before"
            }
        ]

[<Tests>]
let outputs =
    testList
        "ErrorRule: output"
        [
            test "the naive result itself passes" {
                let reference, naive = both<float32> false

                let report =
                    judge rule (floats naive.Output) (floats naive.LogSumExp) (reference, naive)

                Expect.isTrue report.Passed (string report)
                Expect.equal report.Output.Elements 320L "elements"
                Expect.equal report.LogSumExp.Elements 20L "rows"
            }

            test "values count as dropout multiplies them" {
                let shape = AttentionShape(1, 1, 1, 1, 2, 1)

                let largest (variant: AttentionVariant) arguments =
                    Reference.Forward<float32>(
                        variant,
                        ReadOnlySpan [| 1.0f |],
                        ReadOnlySpan [| 1.0f; 1.0f |],
                        ReadOnlySpan [| -3.0f; 2.0f |],
                        &shape,
                        arguments
                    )
                    |> fun reference -> reference.MaxValue

                let dropped =
                    largest
                        FlashGen.Tests.Variants.Laws.Dropped.Variant
                        (ModArguments().Add("dropout", Dropout(0.75f, 1UL, 0u)))

                Expect.equal (largest (variant typeof<Full>) null) 3.0 "without"
                Expect.equal dropped 12.0 "a quarter is kept, four times as large"
            }

            test "rows beyond the largest score are left out, and counted" {
                let reference, naive = both<float32> false
                let largest = reference.LogSumExp |> Array.map abs |> Array.sort |> Array.item 12

                let beyond =
                    reference.LogSumExp |> Seq.filter (fun sum -> abs sum > largest) |> Seq.length

                let output = floats naive.Output

                reference.LogSumExp
                |> Array.iteri (fun row sum ->
                    if abs sum > largest then
                        output[row * 16] <- nanf)

                let report =
                    judge (ErrorRule(LargestScore = largest)) output (floats naive.LogSumExp) (reference, naive)

                Expect.isTrue report.Passed (string report)
                Expect.equal (report.RowsNotJudged, beyond) (7L, 7) "of 20 rows those above the thirteenth"
                Expect.equal report.Output.Elements (16L * 13L) "elements of the others"
                Expect.stringContains (string report) "7 rows not judged" "the report says so"
                Expect.equal (judge rule (floats naive.Output) [||] (reference, naive)).RowsNotJudged 0L "else none"
            }

            test "the tolerance is the formula's" {
                let reference, naive = both<float32> false

                let expected factor =
                    factor * maxDifference reference naive
                    + 1e-5
                    + 4.0 * Math.Pow(2.0, -24.0) * reference.MaxProduct * reference.MaxValue

                Expect.floatClose Accuracy.veryHigh (rule.OutputTolerance(reference, naive)) (expected 2.0) "plain"
                let capped = ErrorRule.For(variant typeof<Capped>, ElementType.Float32)
                Expect.floatClose Accuracy.veryHigh (capped.OutputTolerance(reference, naive)) (expected 3.0) "soft cap"
                let approximate = ErrorRule.For(variant typeof<Capped>, ElementType.Float32, true)

                Expect.floatClose
                    Accuracy.veryHigh
                    (approximate.OutputTolerance(reference, naive))
                    (expected 3.0 + 16.0 / 2048.0)
                    "soft cap with an approximate tanh"
            }

            test "one element beyond it fails, by place" {
                let reference, naive = both<float32> false
                let tolerance = rule.OutputTolerance(reference, naive)
                let place = ((1 * 2 + 0) * 5 + 3) * 16 + 7

                let spoilt by =
                    let output = floats naive.Output
                    output[place] <- float32 (reference.Output[place] + by * tolerance)
                    (judge rule output [||] (reference, naive)).Output

                Expect.isTrue (spoilt 0.98).Passed "just within"
                Expect.isTrue (spoilt -0.98).Passed "just within, below"

                for by in [ 1.02; -1.02; 1e6 ] do
                    let figure = spoilt by
                    Expect.isFalse figure.Passed $"{by} of the tolerance"
                    Expect.equal (figure.Batch, figure.Head, figure.Row, figure.Dim) (1, 0, 3, 7) "place"
                    Expect.equal figure.Expected reference.Output[place] "expected"
            }

            test "NaN must meet NaN, and infinity itself" {
                let reference, naive = both<float32> false

                for bad in [ nanf; infinityf; -infinityf ] do
                    let output = floats naive.Output
                    output[5] <- bad
                    Expect.isFalse (judge rule output [||] (reference, naive)).Passed $"{bad} for a number"

                let expected value =
                    let reference, naive = both<float32> false
                    reference.Output[5] <- value
                    naive.Output[5] <- value
                    reference, naive

                for bad in [ nan; infinity; -infinity ] do
                    let output = floats naive.Output
                    Expect.isFalse (judge rule output [||] (expected bad)).Passed $"a number for {bad}"
                    output[5] <- float32 bad
                    Expect.isTrue (judge rule output [||] (expected bad)).Passed $"{bad} for {bad}"
                    output[5] <- if Double.IsNaN bad then infinityf else nanf
                    Expect.isFalse (judge rule output [||] (expected bad)).Passed $"another for {bad}"
            }

            test "where the type itself overflows, the infinity of the naive result is right" {
                let reference, naive = both<float32> false
                reference.Output[5] <- 70000.0
                naive.Output[5] <- infinity
                let output = floats naive.Output
                Expect.isTrue (judge rule output [||] (reference, naive)).Passed "inf for 70000 in Half"
                output[5] <- -infinityf
                Expect.isFalse (judge rule output [||] (reference, naive)).Passed "-inf is not"
            }

            test "rows that may be NaN, may" {
                let reference, naive = both<float32> false
                let output = floats naive.Output
                output[(1 * 5 + 2) * 16] <- nanf

                let only row =
                    ErrorRule(MayBeNaN = fun batch head at -> batch = 0 && head = 1 && at = row)

                Expect.isTrue (judge (only 2) output [||] (reference, naive)).Passed "that row"
                Expect.isFalse (judge (only 3) output [||] (reference, naive)).Passed "another row"
                output[(1 * 5 + 2) * 16 + 1] <- 1e3f
                Expect.isFalse (judge (only 2) output [||] (reference, naive)).Passed "but not wrong"
            }

            test "strides of the output are followed" {
                let reference, naive = both<float32> false

                let strided =
                    AttentionShape(2, 2, 1, 5, 37, 16, OutputStrides = TensorStrides(1000L, 20L, 50L))

                let output = Array.create 1300 nanf

                for b in 0..1 do
                    for h in 0..1 do
                        for r in 0..4 do
                            for d in 0..15 do
                                output[b * 1000 + h * 20 + r * 50 + d] <-
                                    float32 naive.Output[((b * 2 + h) * 5 + r) * 16 + d]

                let report =
                    rule.Compare<float32, float32>(
                        output,
                        Array.empty<float32>,
                        &strided,
                        TensorLayout.BatchHeadSequence,
                        reference,
                        naive
                    )

                Expect.isTrue report.Passed (string report)
            }

            test "results of different calls are refused" {
                let reference, naive = both<float32> false
                let shape = sizes
                let query, key = random<float32> 1 320, random<float32> 2 1184

                let rows =
                    Reference.Naive<float32>(variant typeof<Full>, query, key, key, &shape, null, [| 4; 3; 2; 1; 0 |])

                throws<ArgumentException> [ "naive" ] (fun () ->
                    judge rule (floats naive.Output) [||] (reference, rows) |> ignore)

                throws<ArgumentException> [ "output has 319" ] (fun () ->
                    judge rule (floats naive.Output[1..]) [||] (reference, naive) |> ignore)
            }
        ]

[<Tests>]
let logSumExps =
    testList
        "ErrorRule: log-sum-exp"
        [
            test "one row beyond the tolerance fails, by place; 16-bit types get more" {
                let reference, naive = both<float32> false
                let place = 13
                let wide = ErrorRule.For(variant typeof<Full>, ElementType.BFloat16)
                let narrow = ErrorRule.For(variant typeof<Full>, ElementType.Float32)

                let spoilt rule by =
                    let lse = floats reference.LogSumExp
                    lse[place] <- float32 (reference.LogSumExp[place] + by)
                    judge rule (floats naive.Output) lse (reference, naive)

                let tolerance (rule: ErrorRule) =
                    rule.LogSumExpTolerance(reference, naive)
                    + rule.LogSumExpShare reference.LogSumExp[place]

                Expect.isTrue (tolerance narrow < 2e-5) "float32's"

                Expect.floatClose
                    Accuracy.medium
                    (tolerance wide - tolerance narrow)
                    (1e-3 * max 1.0 (abs reference.LogSumExp[place]))
                    "more"

                for rule in [ narrow; wide ] do
                    Expect.isTrue (spoilt rule (0.9 * tolerance rule)).Passed "within"
                    let report = spoilt rule (1.1 * tolerance rule)
                    Expect.isFalse report.Passed "beyond"
                    Expect.isTrue report.Output.Passed "the output is right"
                    Expect.equal (report.LogSumExp.Batch, report.LogSumExp.Head, report.LogSumExp.Row) (1, 0, 3) "place"
            }

            test "where scores are changed, twice the naive error is allowed more: a change may enlarge it" {
                let reference, naive = both<float32> false
                naive.LogSumExp[3] <- reference.LogSumExp[3] + 0.25
                let lse = floats reference.LogSumExp
                lse[13] <- float32 (reference.LogSumExp[13] + 0.49)

                let judged variant =
                    judge (ErrorRule.For(variant, ElementType.Float32)) (floats naive.Output) lse (reference, naive)

                Expect.isFalse (judged (variant typeof<Full>)).Passed "no change"
                Expect.isTrue (judged FlashGen.Tests.Variants.SquaredScore.Variant).Passed "squared"
                lse[13] <- float32 (reference.LogSumExp[13] + 0.51)
                Expect.isFalse (judged FlashGen.Tests.Variants.SquaredScore.Variant).Passed "beyond that"
            }

            test "where scores are changed, A is no less than the largest of them" {
                let shape = AttentionShape(1, 1, 1, 1, 2, 1)

                let tolerances variant =
                    let reference =
                        Reference.Forward<float32>(
                            variant,
                            ReadOnlySpan [| 300.0f |],
                            ReadOnlySpan [| 1.0f; 7.0f |],
                            ReadOnlySpan [| 1.0f; 2.0f |],
                            &shape
                        )

                    let rule = ErrorRule.For(variant, ElementType.Float32)
                    let unit = 4.0 * Math.Pow(2.0, -24.0)

                    rule.OutputTolerance(reference, reference) - rule.Absolute,
                    rule.LogSumExpTolerance(reference, reference),
                    unit

                let output, lse, unit = tolerances (variant typeof<Full>)
                Expect.floatClose Accuracy.high (output / unit) (2.0 * 2100.0) "no change: the product"
                Expect.floatClose Accuracy.high (lse / unit) 2100.0 "log-sum-exp"
                let output, lse, unit = tolerances FlashGen.Tests.Variants.SquaredScore.Variant
                Expect.floatClose Accuracy.high (output / unit) (2.0 * 2100.0 * 2100.0) "squared"
                Expect.floatClose Accuracy.high (lse / unit) (2100.0 * 2100.0) "log-sum-exp, squared"
            }

            test "rows whose scores overflow once they are times log2(e) are not judged, but in doubles" {
                let reference, naive = both<float32> false
                let lse = floats reference.LogSumExp
                reference.LogSumExp[13] <- 2.4e38
                lse[13] <- nanf

                let judged elementType =
                    judge
                        (ErrorRule.For(variant typeof<Full>, elementType))
                        (floats naive.Output)
                        lse
                        (reference, naive)

                Expect.isTrue (judged ElementType.Float32).Passed "float"
                Expect.isFalse (judged ElementType.Float64).Passed "double"
                reference.LogSumExp[13] <- 2.3e38
                Expect.isFalse (judged ElementType.Float32).Passed "below that"
            }

            test "-inf of an empty row must be -inf" {
                let reference, naive = both<float32> false
                reference.LogSumExp[0] <- -infinity
                naive.LogSumExp[0] <- -infinity
                let lse = floats naive.LogSumExp
                Expect.isTrue (judge rule (floats naive.Output) lse (reference, naive)).Passed "-inf"
                lse[0] <- -1e30f
                Expect.isFalse (judge rule (floats naive.Output) lse (reference, naive)).Passed "a sentinel"
            }
        ]

[<Tests>]
let verify =
    testList
        "Reference.Verify"
        [
            test "judges a right result right and a wrong one wrong" {
                let query, key, value = random<Half> 1 320, random<Half> 2 1184, random<Half> 3 1184
                let variant = variant typeof<Full>
                let shape = sizes
                let naive = Reference.Naive<Half>(variant, query, key, value, &shape)
                let output = Array.map (fun (x: float) -> Half.op_Explicit x: Half) naive.Output
                let lse = floats naive.LogSumExp

                let run () =
                    Reference.Verify<Half, float32>(variant, query, key, value, output, lse, &shape)

                Expect.isTrue (run ()).Passed "the naive result"
                let off = Half.op_Explicit (Elements.Widen output[100] + 0.01): Half
                output[100] <- off
                Expect.isFalse (run ()).Passed "a hundredth off"
            }
        ]
