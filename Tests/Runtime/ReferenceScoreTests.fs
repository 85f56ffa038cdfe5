/// Scores and softmax of the reference against closed forms. With two keys whose scores lie ln 3 apart the weights are 1/4 and 3/4,
/// whatever the scores are; the values 0 and 4 turn them into outputs 3 or 1.
module FlashGen.Tests.Runtime.ReferenceScoreTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade

let private ln3 = Math.Log 3.0
let private ln3f = MathF.Log 3.0f
let private none = ModArguments()

/// As near as float32 arguments allow.
let private near = { absolute = 1e-6; relative = 0.0 }

let private exactly = { absolute = 1e-14; relative = 1e-14 }

/// One query against two keys of dimension 1, values 0 and 4.
let private two (variant: AttentionVariant) query keys arguments =
    let result = forward variant [| query |] keys [| 0.0; 4.0 |] (shape 1 2 1) arguments
    result.Output[0], result.LogSumExp[0]

[<Attention(1, Types = ElementTypes.Float64); Scale(1.0f)>]
type private One = class end

[<Attention(1, Types = ElementTypes.Float64); Scale>]
type private RunTimeScale = class end

[<Attention(1, Types = ElementTypes.Float64); Scale(1.0f); SoftCap(2.0f)>]
type private Capped = class end

[<Attention(1, Types = ElementTypes.Float64, Align = Alignment.TopLeft); Alibi>]
type private Alibi = class end

[<Attention(1, Types = ElementTypes.Float64); Bias>]
type private Biased = class end

[<Attention(1, Types = ElementTypes.Float64, Align = Alignment.TopLeft); SoftCap(0.5f); Alibi; Bias>]
type private Ordered = class end

let private perKey (bias: float32[]) =
    ModArguments().Add("bias", bias).Add("biasStrides", BiasStrides(0L, 0L, 0L, 1L))

[<Tests>]
let scores =
    testList
        "Reference: scores"
        [
            test "weights are exp(score) over their sum, log-sum-exp its logarithm" {
                let output, lse = two (variant typeof<One>) 1.0 [| 0.0; ln3 |] none
                Expect.floatClose exactly output 3.0 "output"
                Expect.floatClose exactly lse (Math.Log 4.0) "log-sum-exp"
            }

            test "the default scale is 1 / sqrt(head dimension)" {
                let query = [| 2.0; 0.0; 0.0; 0.0 |]
                let keys = [| 0.0; 9.0; 9.0; 9.0; ln3; 9.0; 9.0; 9.0 |]
                let shape = AttentionShape(1, 1, 1, 1, 2, 4, 1)
                let result = forward (variant typeof<Full>) query keys [| 0.0; 4.0 |] shape none
                Expect.floatClose exactly result.Output[0] 3.0 "output"
                Expect.floatClose exactly result.MaxProduct ln3 "the largest product, scaled"
                Expect.equal result.MaxValue 4.0 "the largest value"
            }

            test "a run-time scale may be any finite number" {
                let run scale =
                    fst (two (variant typeof<RunTimeScale>) 1.0 [| 0.0; ln3 |] (ModArguments().Add("scale", scale)))

                Expect.floatClose exactly (run 1.0f) 3.0 "1"
                Expect.floatClose exactly (run -1.0f) 1.0 "-1"
                Expect.floatClose exactly (run 0.0f) 2.0 "0"
                throws<ArgumentException> [ "scale is NaN"; "finite" ] (fun () -> run nanf |> ignore)
            }

            test "soft cap is cap * tanh(score / cap)" {
                // 2 tanh(s / 2) = ln 3 where s = ln((2 + ln 3) / (2 - ln 3)).
                let s = Math.Log((2.0 + ln3) / (2.0 - ln3))
                let output, _ = two (variant typeof<Capped>) 1.0 [| 0.0; s |] none
                Expect.floatClose exactly output 3.0 "output"
                let far, lse = two (variant typeof<Capped>) 1.0 [| 1e9; -1e9 |] none
                Expect.floatClose exactly lse (2.0 + Math.Log(1.0 + Math.Exp -4.0)) "scores of 2 and -2"
                Expect.floatClose exactly far (4.0 * Math.Exp -4.0 / (1.0 + Math.Exp -4.0)) "output"
            }

            test "ALiBi falls with the distance, to both sides, by the slope of head and batch entry" {
                let shape = AttentionShape(2, 2, 1, 2, 2, 1)
                let query = Array.zeroCreate 8
                let value = [| 0.0; 4.0; 0.0; 4.0 |]

                let run (slopes: float32[]) =
                    let result =
                        forward
                            (variant typeof<Alibi>)
                            query
                            (Array.zeroCreate 4)
                            value
                            shape
                            (ModArguments().Add("slopes", slopes))

                    [ for output in result.Output -> Math.Round(output, 5) ]

                Expect.equal (run [| ln3f; 0.0f |]) [ 1.0; 3.0; 2.0; 2.0; 1.0; 3.0; 2.0; 2.0 ] "one row of slopes"

                Expect.equal
                    (run [| ln3f; 0.0f; 0.0f; -ln3f |])
                    [ 1.0; 3.0; 2.0; 2.0; 2.0; 2.0; 3.0; 1.0 ]
                    "a row for each batch entry"
            }

            test "a bias adds, by its own strides" {
                let output, _ =
                    two (variant typeof<Biased>) 0.0 [| 0.0; 0.0 |] (perKey [| 0.0f; ln3f |])

                Expect.floatClose near output 3.0 "one for each key"

                let shape = AttentionShape(2, 2, 1, 1, 2, 1)

                let arguments =
                    ModArguments()
                        .Add("bias", [| 0.0f; ln3f; 0.0f; 7.0f; 0.0f; -ln3f; 0.0f; 7.0f; 7.0f; 7.0f; 7.0f |])
                        .Add("biasStrides", BiasStrides(2L, 4L, 0L, 1L))

                let value = [| 0.0; 4.0; 0.0; 4.0 |]

                let result =
                    forward (variant typeof<Biased>) (Array.zeroCreate 4) (Array.zeroCreate 4) value shape arguments

                let at7 = 4.0 * Math.Exp 7.0 / (1.0 + Math.Exp 7.0)

                for index, expected in List.indexed [ 3.0; 1.0; at7; at7 ] do
                    Expect.floatClose near result.Output[index] expected $"batch {index / 2}, head {index % 2}"
            }

            test "soft cap comes first, then ALiBi and bias, then the user's own in source order" {
                // Score 0, capped 0; ALiBi 0 at the query's own key; bias 3; then (3 + 1) * 2 = 8, against 0, 0, 3 - 1... of other orders.
                let scores =
                    [
                        ScoreDelegate(fun score _ _ -> score + 1.0f)
                        ScoreDelegate(fun score _ _ -> score * 2.0f)
                    ]

                let variant = variantWith typeof<Ordered> [] [] scores

                let arguments = (perKey [| 3.0f |]).Add("slopes", [| 5.0f |])

                let lse offset query =
                    let shape = AttentionShape(1, 1, 1, 1, 1, 1, Offsets = ReadOnlyMemory [| offset |])
                    (forward variant [| query |] [| 1.0 |] [| 1.0 |] shape arguments).LogSumExp[0]

                Expect.floatClose exactly (lse 0 0.0) 8.0 "(0 + 0 + 3 + 1) * 2"
                Expect.floatClose exactly (lse 0 1e6) 9.0 "(0.5 + 0 + 3 + 1) * 2: the cap sees the product alone"
                Expect.floatClose exactly (lse 2 0.0) -12.0 "(0 - 10 + 3 + 1) * 2"
            }

            test "the user's own run in float, and only where the masks keep the pair" {
                let seen = ResizeArray<float32>()

                let variant =
                    variantWith
                        typeof<One>
                        []
                        [ MaskDelegate(fun at _ -> at.Key = 1) ]
                        [
                            ScoreDelegate(fun score _ _ ->
                                seen.Add score
                                score)
                        ]

                let _, lse = two variant 1.0 [| 5.0; 0.1 |] none
                Expect.equal (List.ofSeq seen) [ 0.1f ] "called once, with a float"
                Expect.equal lse (float 0.1f) "what it returns is a float"
            }
        ]

[<Tests>]
let kept =
    let biased (bias: float32[]) keys value =
        let result =
            forward (variant typeof<Biased>) [| 1.0 |] keys value (shape 1 keys.Length 1) (perKey bias)

        result.Output[0], result.LogSumExp[0], result.KeptPairs

    testList
        "Reference: what counts as kept"
        [
            test "a score of -inf does not, and its value is never read" {
                let output, lse, count =
                    biased [| 0.0f; -infinityf; 0.0f |] [| 0.0; 0.0; 0.0 |] [| 1.0; nan; 3.0 |]

                Expect.equal output 2.0 "the mean of the others"
                Expect.floatClose exactly lse (Math.Log 2.0) "log-sum-exp"
                Expect.equal count 2L "kept pairs"
            }

            test "an empty row is exactly 0, log-sum-exp -inf" {
                let output, lse, count =
                    biased [| -infinityf; -infinityf |] [| 1.0; 2.0 |] [| nan; 3.0 |]

                Expect.equal (output, lse, count) (0.0, -infinity, 0L) "empty"
            }

            test "scores far below -5e4 do" {
                let output, lse, _ = biased [| -6e4f; -6e4f |] [| 0.0; 0.0 |] [| 1.0; 3.0 |]
                Expect.equal output 2.0 "the mean"
                Expect.floatClose exactly lse (-6e4 + Math.Log 2.0) "log-sum-exp"
            }

            test "+inf and NaN make the row NaN" {
                for bad in [ infinityf; nanf ] do
                    let output, lse, _ = biased [| 0.0f; bad |] [| 0.0; 0.0 |] [| 1.0; 3.0 |]
                    Expect.isTrue (Double.IsNaN output && Double.IsNaN lse) $"{bad}"
            }

            test "NaN in a query reaches its own row, in a key or value the rows that keep it" {
                let run query key value =
                    let shape = AttentionShape(1, 1, 1, 3, 3, 1)

                    let result =
                        forward (variant typeof<ReferenceTypes.Causal>) query key value shape none

                    [ for output in result.Output -> Double.IsNaN output ]

                let ones = [| 1.0; 1.0; 1.0 |]
                Expect.equal (run [| 1.0; nan; 1.0 |] ones ones) [ false; true; false ] "query"
                Expect.equal (run ones [| 1.0; nan; 1.0 |] ones) [ false; true; true ] "key"
                Expect.equal (run ones ones [| 1.0; 1.0; nan |]) [ false; false; true ] "value"
            }

            test "keys beyond the key length do not exist" {
                let shape = AttentionShape(1, 1, 1, 1, 3, 1, KeyLengths = ReadOnlyMemory [| 2 |])

                let result =
                    forward (variant typeof<Full>) [| 1.0 |] [| 0.0; 0.0; nan |] [| 1.0; 3.0; nan |] shape none

                Expect.equal (result.Output[0], result.MaxValue) (2.0, 3.0) "the mean of two, the largest of two"
            }
        ]
