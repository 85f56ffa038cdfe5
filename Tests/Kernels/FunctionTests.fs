/// Functions of score changes on the CPU's vectors, against those of doubles.
module FlashGen.Tests.Kernels.FunctionTests

open System
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels.Calls

/// What the mod of a variant makes of scores: of one query and key with one dimension it is the log-sum-exp.
let private apply name arguments (scores: float32[]) =
    let tensors =
        {
            Query = scores
            Key = [| 1f |]
            Value = [| 1f |]
        }

    let shape = AttentionShape(1, 1, 1, scores.Length, 1, 1)
    run32 (variant name) shape tensors arguments AttentionOptions.Default |> snd

/// Units of the exact result's last place that another is away from it.
let private units (exact: float) (result: float32) =
    let size = float32 (abs exact)

    let unit =
        float (MathF.BitIncrement size) - float size |> max (float Single.Epsilon)

    abs (float result - exact) / unit

[<Tests>]
let tests =
    testList
        "Kernels.Functions"
        [
            test "tanh is within 6 units of its last place, where small scores stand beside large ones too" {
                repeat 5 (fun random ->
                    let rows = random.Next(1, 400)
                    let smallOnly = random.Next 2 = 0

                    // Vectors of small scores take a polynomial up to 5/8.
                    let score _ =
                        let size =
                            match random.Next 4 with
                            | 0 -> 0.625f + float32 (random.Next(-4, 5)) * 6e-8f
                            | 1 when not smallOnly -> 12f * random.NextSingle()
                            | 2 -> 0.625f * random.NextSingle()
                            | _ -> MathF.Pow(10f, -6f * random.NextSingle() - 0.21f)

                        if random.Next 2 = 0 then size else -size

                    let scores = Array.init rows score

                    for score, result in Array.zip scores (apply "Laws.Squashed" null scores) do
                        let exact = tanh (float score)
                        Expect.isLessThan (units exact result) 6.0 $"tanh %.9g{score} is %.9g{exact}")
            }

            test
                "exponentials and logarithms are within 3 units of their last place over their whole range, and right at its ends" {
                let within name f scores =
                    for score, result in Array.zip scores (apply name null scores) do
                        let exact: float = f (float score)

                        Expect.isLessThanOrEqual
                            (units exact result)
                            3.0
                            $"{name} of %.9g{score} is %.9g{exact}, not %.9g{result}"

                let growing =
                    [ "Laws.Grown", 1.0, exp; "Laws.Doubled", 1.0 / log 2.0, (fun x -> 2.0 ** x) ]

                let measuring = [ "Laws.Measured", log; "Laws.Halved", Math.Log2 ]

                repeat 5 (fun random ->
                    let rows = random.Next(1, 400)

                    for name, scale, f in growing do
                        // A result of +infinity would stand for a row's maximum: up to the greatest that is none.
                        let exponent row =
                            match row % 4 with
                            | 0 -> 88.72f - random.NextSingle()
                            | 1 -> -87f - 17f * random.NextSingle()
                            | 2 -> 2e-3f * (random.NextSingle() - 0.5f)
                            | _ -> 175f * random.NextSingle() - 87f

                        within name f (Array.init rows (fun row -> exponent row * float32 scale))

                    for name, f in measuring do
                        let positive row =
                            match row % 4 with
                            | 0 -> BitConverter.Int32BitsToSingle(random.Next(1, 0x800000))
                            | 1 -> 1f + 1e-3f * (random.NextSingle() - 0.5f)
                            | 2 -> 0.5f + 1.5f * random.NextSingle()
                            | _ -> BitConverter.Int32BitsToSingle(random.Next(0x800000, 0x7F800000))

                        within name f (Array.init rows positive))

                within "Laws.Grown" exp [| 0f; -0f; -103.9f; -1e30f; Single.Epsilon; 88.72283f |]
                within "Laws.Doubled" (fun x -> 2.0 ** x) [| 0f; 127.9999f; -126f; -149f; -150.5f; 10f; -0.5f |]

                for name, f in measuring do
                    within name f [| 1f; Single.MaxValue; Single.Epsilon; 2f; 0.5f; 1024f |]
                    let ends = apply name null [| 0f; -1f; Single.NaN |]
                    Expect.equal ends[0] Single.NegativeInfinity $"{name} of 0"
                    Expect.isTrue (Single.IsNaN ends[1] && Single.IsNaN ends[2]) $"{name} of what has none"
            }

            test "powers are within 2 units of their last place, and those of what is not positive as MathF has them" {
                let apply (exponent: float32) =
                    apply "Laws.Raised" (ModArguments().Add("exponent", exponent))

                let within exponent scores =
                    for score, result in Array.zip scores (apply exponent scores) do
                        let exact = float score ** float exponent

                        if exact < float Single.MaxValue then
                            Expect.isLessThanOrEqual
                                (units exact result)
                                2.0
                                $"%.9g{score} to the power of %.9g{exponent} is %.9g{exact}, not %.9g{result}"

                repeat 6 (fun random ->
                    let rows = random.Next(1, 300)

                    let exponent =
                        (random.NextSingle() - 0.5f) * MathF.Pow(10f, 4f * random.NextSingle())
                    // Results over all of a float's range, bases near 1 and far from it.
                    let reach = min 3.0 (80.0 / float (abs exponent))

                    let positive _ =
                        float32 (exp (reach * (2.0 * random.NextDouble() - 1.0)))

                    within exponent (Array.init rows positive))

                within 2f [| 1f; 3f; 1e-30f; 1e19f; Single.Epsilon |]
                within -1f [| 1f; 3f; 2f; 1e30f |]
                within 0f [| 1f; 3f; 1e-30f |]
                within 0.5f [| 4f; 2f; 0.25f; 1e-40f |]

                for exponent in [ 2f; 3f; 0f; -2f; 0.5f ] do
                    let scores = [| -2f; 0f; 3f; -0f; -1f |]
                    // A row whose score is infinite or no number is of no use here.
                    for score, result in Array.zip scores (apply exponent scores) do
                        let expected = MathF.Pow(score, exponent)

                        if Single.IsFinite expected then
                            Expect.equal result expected $"{score} to the power of {exponent}"
            }
        ]
