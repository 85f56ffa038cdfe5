/// Each variant of the gallery against its model's own definition, without our reference: queries are zero, so that every
/// kept key has the same weight, and the value of a key is its number. Log-sum-exp then counts the kept keys, and the
/// output is their mean.
module FlashGen.Tests.Gallery.GalleryTests

open System
open Expecto
open FlashGen
open FlashGen.Kernels
open FlashGen.Tests.Runtime.HandMade

/// One query at a position among many keys, in one head.
type private Place = { Position: int; Keys: int }

let private at position keys = { Position = position; Keys = keys }

let private run (variant: AttentionVariant) (arguments: ModArguments) score (place: Place) =
    // Query times key is the score, before the scale, which is 1 at head dimension 1.
    let query = [| 1.0f |]
    let key = Array.create place.Keys score
    let value = Array.init place.Keys float32
    let output = [| nanf |]
    let logSumExp = [| nanf |]

    let shape =
        AttentionShape(1, 1, 1, 1, place.Keys, 1, Offsets = ReadOnlyMemory [| place.Position |])

    variant.Forward(
        ReadOnlySpan query,
        ReadOnlySpan key,
        ReadOnlySpan value,
        Span output,
        &shape,
        arguments,
        Span logSumExp,
        null
    )

    float output[0], float logSumExp[0]

let private near expected actual what =
    let tolerance = 2e-6 * max 1.0 (abs expected)
    Expect.isTrue (abs (actual - expected) <= tolerance) $"%s{what}: %g{actual} for %g{expected}"

/// The keys that a variant keeps are exactly these.
let private keeps variant arguments place (keys: seq<int>) =
    let output, logSumExp = run variant arguments 0.0f place
    let what = $"%O{variant}, position %d{place.Position} of %d{place.Keys} keys"
    near (log (float (Seq.length keys))) logSumExp $"log-sum-exp of %s{what}"
    near (keys |> Seq.averageBy float) output $"output of %s{what}"

let private none () = ModArguments()

let private masks =
    [
        test "Full sees every key" { keeps FlashGen.Kernels.Full.Variant (none ()) (at 0 300) (seq { 0..299 }) }
        test "Causal sees the keys up to its own" {
            for position in [ 0; 1; 127; 128; 299 ] do
                keeps Causal.Variant (none ()) (at position 300) (seq { 0..position })
        }
        test "Causal puts the last query at the last key, CausalTopLeft the first at the first" {
            for variant, expected in [ Causal.Variant, [ 4.0; 5.0; 6.0 ]; CausalTopLeft.Variant, [ 1.0; 2.0; 3.0 ] ] do
                let shape = AttentionShape(1, 1, 1, 3, 6, 1)
                let output: float32[] = Array.zeroCreate 3
                let logSumExp: float32[] = Array.zeroCreate 3

                variant.Forward(
                    ReadOnlySpan(Array.zeroCreate<float32> 3),
                    ReadOnlySpan(Array.zeroCreate<float32> 6),
                    ReadOnlySpan(Array.zeroCreate<float32> 6),
                    Span output,
                    &shape,
                    none (),
                    Span logSumExp,
                    null
                )

                for row in 0..2 do
                    near (log expected[row]) (float logSumExp[row]) $"%O{variant}, row %d{row}"
        }
        test "ModernBERT's local layers see 64 keys on each side" {
            keeps SlidingWindow.Variant (none ()) (at 200 400) (seq { 136..264 })
            keeps SlidingWindow.Variant (none ()) (at 10 400) (seq { 0..74 })
            keeps SlidingWindow.Variant (none ()) (at 390 400) (seq { 326..399 })
        }
        test "Mistral sees 4096 keys, its own counted" {
            keeps CausalSlidingWindow.Variant (none ()) (at 5000 6000) (seq { 905..5000 })
            keeps CausalSlidingWindow.Variant (none ()) (at 4095 6000) (seq { 0..4095 })
        }
        test "PaliGemma sees the prefix and what came before" {
            let prefix = ModArguments().Add("prefix", [| 100 |])
            keeps PrefixLm.Variant prefix (at 20 300) (seq { 0..99 })
            keeps PrefixLm.Variant prefix (at 250 300) (seq { 0..250 })
        }
        test "A packed token sees its own document" {
            let documents =
                Array.init 300 (fun key ->
                    if key < 90 then 0
                    elif key < 210 then 7
                    else 3)

            let arguments document =
                ModArguments().Add("queryDocument", [| document |]).Add("keyDocument", documents)

            keeps Documents.Variant (arguments 0) (at 0 300) (seq { 0..89 })
            keeps Documents.Variant (arguments 7) (at 0 300) (seq { 90..209 })
            keeps Documents.Variant (arguments 3) (at 0 300) (seq { 210..299 })
        }
        test "Llama 4 sees its own chunk of 8192" {
            keeps Chunked.Variant (none ()) (at 8191 9000) (seq { 0..8191 })
            keeps Chunked.Variant (none ()) (at 8192 9000) (seq { 8192..8192 })
            keeps Chunked.Variant (none ()) (at 8500 9000) (seq { 8192..8500 })
        }
    ]

let private scores =
    [
        test "Gemma 2 bounds scores to 50" {
            for score in [ 0.5f; 30.0f; -80.0f; 400.0f ] do
                let _, logSumExp = run SoftCap.Variant (none ()) score (at 99 200)
                let expected = log 100.0 + 50.0 * tanh (float score / 50.0)
                Expect.isTrue (abs (logSumExp - expected) < 1e-4) $"score %g{score}: %g{logSumExp} for %g{expected}"
        }
        test "BLOOM's penalty is linear in the distance" {
            let slope = 0.25
            let arguments = ModArguments().Add("slopes", [| float32 slope |])
            let _, logSumExp = run Alibi.Variant arguments 0.0f (at 150 200)

            let expected =
                log (seq { 0..150 } |> Seq.sumBy (fun key -> exp (-slope * float (150 - key))))

            near expected logSumExp "log-sum-exp"
        }
        test "A bias joins the score" {
            let bias =
                Array.init 200 (fun key -> if key % 3 = 0 then -infinityf else float32 key / 100.0f)

            let arguments =
                ModArguments().Add("bias", bias).Add("biasStrides", BiasStrides(0, 0, 0, 1))

            let _, logSumExp = run Biased.Variant arguments 0.0f (at 0 200)
            let expected = log (bias |> Array.sumBy (fun added -> exp (float added)))
            near expected logSumExp "log-sum-exp"
        }
        test "gpt-oss sees 128 keys, its own counted, and its sink" {
            let sink = 1.5
            let arguments = ModArguments().Add("sink", [| float32 sink |])
            let output, logSumExp = run Sink.Variant arguments 0.0f (at 500 600)
            let denominator = 128.0 + exp sink
            near (log denominator) logSumExp "log-sum-exp"
            near ((seq { 373..500 } |> Seq.sumBy float) / denominator) output "output"
        }
        test "Dropout keeps the denominator, and drops by position" {
            let dropout = Dropout(0.5f, 11UL)
            let arguments = ModArguments().Add("dropout", dropout)
            let output, logSumExp = run CausalDropout.Variant arguments 0.0f (at 299 300)
            near (log 300.0) logSumExp "log-sum-exp"

            let kept =
                seq { 0..299 }
                |> Seq.filter (fun key -> int (Philox.Draw(11UL, 0u, 0u, 0u, uint32 key)) >= dropout.Threshold)

            near (Seq.sumBy float kept * 2.0 / 300.0) output "output"
        }
    ]

/// The field's tutorials: X is 1 to 16 in four rows, query = key = value = X, softmax(X X^T / 2) X. Golden values: they print
/// 12.99999999 13.99999999 14.99999999 15.99999999 and then rows of 13 14 15 16.
let private tutorial =
    test "the tutorials' four by four" {
        let x = Array.init 16 (fun n -> float (n + 1))
        let output: float[] = Array.zeroCreate 16
        let logSumExp: float[] = Array.zeroCreate 4
        let shape = AttentionShape(1, 1, 1, 4, 4, 4)

        FlashGen.Kernels.Full.Variant.Forward(
            ReadOnlySpan x,
            ReadOnlySpan x,
            ReadOnlySpan x,
            Span output,
            &shape,
            none (),
            Span logSumExp,
            null
        )

        let rows =
            output
            |> Array.chunkBySize 4
            |> Array.map (fun row -> row |> Array.map (fun value -> value.ToString "0.########") |> String.concat " ")

        Expect.equal
            rows
            [|
                "12.99999999 13.99999999 14.99999999 15.99999999"
                "13 14 15 16"
                "13 14 15 16"
                "13 14 15 16"
            |]
            "output"

        Expect.floatClose Accuracy.veryHigh logSumExp[0] 75.0000000020612 "log-sum-exp of the first row"
    }

[<Tests>]
let tests =
    testList
        "gallery"
        [
            testList
                "models"
                [
                    testList "masks" masks
                    testList "scores" scores
                    tutorial
                    test "every variant of the gallery takes every element type and dimension" {
                        let gallery =
                            AttentionVariant.In typeof<FlashGen.Kernels.Causal>.Assembly
                            |> Seq.filter (fun variant -> variant.Declaration.IsPublic)
                            |> List.ofSeq

                        Expect.hasLength gallery 13 "the gallery's variants"

                        for variant in gallery do
                            Expect.equal variant.Types every $"types of %O{variant}"
                            Expect.isEmpty variant.Dims $"dimensions of %O{variant}"
                    }
                ]
        ]
