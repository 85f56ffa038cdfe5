module FlashGen.Tests.Runtime.ReferenceTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade
open FlashGen.Tests.Runtime.ReferenceTypes

let private none = ModArguments()
let private exactly = { absolute = 1e-14; relative = 1e-14 }

let private random seed count =
    let source = Random(seed: int)
    Array.init count (fun _ -> source.NextDouble() * 2.0 - 1.0)

[<Attention(1, Types = ElementTypes.Float64); Sink>]
type private Sink = class end

[<Attention(1, Types = ElementTypes.Float64); DropoutAttribute>]
type private Dropped = class end

[<Tests>]
let softmax =
    testList
        "Reference: sink and dropout"
        [
            test "a sink joins the denominator, unscaled and without a value" {
                let shape = AttentionShape(1, 2, 1, 1, 2, 1)
                let sink = ModArguments().Add("sink", [| 0.0f; MathF.Log 2.0f |])

                let result =
                    forward (variant typeof<Sink>) [| 0.0; 0.0 |] [| 0.0; 0.0 |] [| 3.0; 9.0 |] shape sink

                Expect.floatClose exactly result.Output[0] 4.0 "12 over 2 + 1"
                Expect.floatClose exactly result.LogSumExp[0] (Math.Log 3.0) "ln 3"
                Expect.floatClose { absolute = 1e-6; relative = 0.0 } result.Output[1] 3.0 "12 over 2 + 2"
            }

            test "a row with nothing but the sink is 0, its log-sum-exp the sink" {
                let shape = shape 1 0 1

                let result =
                    forward (variant typeof<Sink>) [| 0.0 |] [||] [||] shape (ModArguments().Add("sink", [| 1.5f |]))

                Expect.equal (result.Output[0], result.LogSumExp[0]) (0.0, 1.5) "sink alone"
            }

            test "a sink of -inf changes nothing" {
                let arguments = ModArguments().Add("sink", [| -infinityf |])

                let empty =
                    forward (variant typeof<Sink>) [| 0.0 |] [||] [||] (shape 1 0 1) arguments

                Expect.equal (empty.Output[0], empty.LogSumExp[0]) (0.0, -infinity) "empty"

                let result =
                    forward (variant typeof<Sink>) [| 0.0 |] [| 0.0 |] [| 3.0 |] (shape 1 1 1) arguments

                Expect.equal (result.Output[0], result.LogSumExp[0]) (3.0, 0.0) "one key"
            }

            test "dropout takes the weights whose draw is below the threshold, and raises the others" {
                let shape = AttentionShape(2, 2, 1, 3, 40, 1)
                let dropout = Dropout(0.25f, 0x0123456789abcdefUL, 9u)

                let result =
                    forward
                        (variant typeof<Dropped>)
                        (Array.zeroCreate 12)
                        (Array.zeroCreate 80)
                        (Array.replicate 80 1.0)
                        shape
                        (ModArguments().Add("dropout", dropout))

                for batch in 0..1 do
                    for head in 0..1 do
                        for query in 0..2 do
                            let row = batch * 6 + head * 3 + query

                            let kept =
                                [
                                    for key in 0..39 do
                                        // Written out from the semantics: word and half of one Philox call for eight keys.
                                        let block =
                                            Philox.Block(
                                                uint (key / 32 * 4 + key % 8 / 2),
                                                uint query,
                                                uint (batch * 2 + head),
                                                9u,
                                                0x89abcdefu,
                                                0x01234567u
                                            )

                                        let n = key % 32 / 8 * 2 + key % 2
                                        let word = [ block.X0; block.X1; block.X2; block.X3 ][n / 2]
                                        let draw = if n % 2 = 0 then word &&& 0xffffu else word >>> 16

                                        if draw >= 16384u then
                                            key
                                ]

                            let expected = float kept.Length / 40.0 * 4.0 / 3.0
                            Expect.floatClose exactly result.Output[row] expected $"row {row}"
                            Expect.floatClose exactly result.LogSumExp[row] (Math.Log 40.0) "log-sum-exp is of all"
            }

            test "a draw that equals the threshold is kept" {
                // Under seed 0 the first draw is 0xe8d5, from the first published vector of Philox.
                let output threshold =
                    let dropout = Dropout(float32 threshold / 65536.0f, 0UL)
                    Expect.equal dropout.Threshold threshold "threshold"
                    let arguments = ModArguments().Add("dropout", dropout)
                    (forward (variant typeof<Dropped>) [| 0.0 |] [| 0.0 |] [| 1.0 |] (shape 1 1 1) arguments).Output[0]

                Expect.floatClose exactly (output 0xe8d5) (65536.0 / float (65536 - 0xe8d5)) "kept"
                Expect.equal (output 0xe8d6) 0.0 "dropped"
            }

            test "dropout of 0 changes nothing" {
                let run (variant: AttentionVariant) arguments =
                    (forward variant (random 1 4) (random 2 5) (random 3 5) (shape 4 5 1) arguments).Output

                Expect.equal
                    (run (variant typeof<Dropped>) (ModArguments().Add("dropout", Dropout(0.0f, 5UL))))
                    (run (variant typeof<Full>) none)
                    "bit for bit"
            }
        ]

[<Tests>]
let tensors =
    testList
        "Reference: heads, strides, rows and types"
        [
            test "query head h uses key head h / group" {
                let shape = AttentionShape(1, 6, 2, 1, 1, 1)

                let result =
                    forward (variant typeof<Full>) (random 1 6) (random 2 2) [| 10.0; 20.0 |] shape none

                Expect.equal (List.ofArray result.Output) [ 10.0; 10.0; 10.0; 20.0; 20.0; 20.0 ] "outputs"
            }

            test "rows-first layout and any strides read the same numbers" {
                let batch, heads, keyHeads, queries, keys, dim, valueDim = 2, 4, 2, 3, 5, 4, 3
                let sizes = AttentionShape(batch, heads, keyHeads, queries, keys, dim, valueDim)
                let query = random 1 (batch * heads * queries * dim)
                let key = random 2 (batch * keyHeads * keys * dim)
                let value = random 3 (batch * keyHeads * keys * valueDim)
                let expected = forward (variant typeof<Causal>) query key value sizes none

                // (batch, head, row, dim) to places that a function of them names; NaN lies between.
                let scatter (tensor: float[]) heads rows dim size (place: int -> int -> int -> int) =
                    let result = Array.create size nan

                    for b in 0 .. batch - 1 do
                        for h in 0 .. heads - 1 do
                            for r in 0 .. rows - 1 do
                                for d in 0 .. dim - 1 do
                                    result[place b h r + d] <- tensor[((b * heads + h) * rows + r) * dim + d]

                    result

                let rowsFirst tensor heads rows dim =
                    scatter tensor heads rows dim (batch * heads * rows * dim) (fun b h r ->
                        ((b * rows + r) * heads + h) * dim)

                let transposed =
                    forward
                        (variant typeof<CausalRowsFirst>)
                        (rowsFirst query heads queries dim)
                        (rowsFirst key keyHeads keys dim)
                        (rowsFirst value keyHeads keys valueDim)
                        sizes
                        none

                Expect.equal transposed.Output expected.Output "rows first"

                let strided =
                    AttentionShape(
                        batch,
                        heads,
                        keyHeads,
                        queries,
                        keys,
                        dim,
                        valueDim,
                        QueryStrides = TensorStrides(200L, 7L, 50L),
                        KeyStrides = TensorStrides(10L, 5L, 20L),
                        ValueStrides = TensorStrides(100L, 50L, 9L)
                    )

                let gapped =
                    forward
                        (variant typeof<Causal>)
                        (scatter query heads queries dim 400 (fun b h r -> b * 200 + h * 7 + r * 50))
                        (scatter key keyHeads keys dim 200 (fun b h r -> b * 10 + h * 5 + r * 20))
                        (scatter value keyHeads keys valueDim 250 (fun b h r -> b * 100 + h * 50 + r * 9))
                        strided
                        none

                Expect.equal gapped.Output expected.Output "gaps"
            }

            test "sampled rows are those of the whole" {
                let shape = AttentionShape(2, 2, 1, 7, 9, 4)
                let query, key, value = random 1 112, random 2 72, random 3 72
                let whole = forward (variant typeof<Causal>) query key value shape none

                let sampled =
                    forwardRows (variant typeof<Causal>) query key value shape none [| 6; 0; 3 |]

                for batch in 0..1 do
                    for head in 0..1 do
                        for index, row in List.indexed [ 6; 0; 3 ] do
                            let part = int (sampled.RowAt(batch, head, index))
                            let full = int (whole.RowAt(batch, head, row))
                            Expect.equal sampled.LogSumExp[part] whole.LogSumExp[full] "log-sum-exp"

                            Expect.equal
                                sampled.Output[part * 4 .. part * 4 + 3]
                                whole.Output[full * 4 .. full * 4 + 3]
                                $"row {row}"

                throws<ArgumentException> [ "rows has 7"; "7 query rows" ] (fun () ->
                    forwardRows (variant typeof<Causal>) query key value shape none [| 7 |]
                    |> ignore)
            }

            test "every element type is read exactly" {
                let shape = shape 2 3 2
                let numbers = [| 0.5; -1.25; 2.0; 0.0; 1.5; -0.75 |]

                let run (convert: float -> 'T) =
                    let tensor = Array.map convert numbers

                    (forwardRows (variant typeof<Full>) tensor[..3] tensor tensor shape none null).Output

                let expected = run id
                Expect.equal (run float32) expected "float"
                Expect.equal (run (fun x -> Half.op_Explicit (float32 x): Half)) expected "Half"
                Expect.equal (run (fun x -> BFloat16.op_Explicit (float32 x): BFloat16)) expected "BFloat16"
            }

            test "sizes of 0 give empty or zero results" {
                for batch, heads, queries in [ 0, 2, 3; 2, 0, 3; 2, 2, 0 ] do
                    let shape = AttentionShape(batch, heads, heads, queries, 4, 2)

                    let tensor rows =
                        Array.zeroCreate<float>(batch * heads * rows * 2)

                    let result =
                        forward (variant typeof<Full>) (tensor queries) (tensor 4) (tensor 4) shape none

                    Expect.isEmpty result.Output $"{shape}"
            }

            test "a mod that its class has and its variant lacks is no result" {
                throws<InvalidOperationException> [ "1 masks"; "0" ] (fun () ->
                    forward (variant typeof<LosesItsMask>) [| 0.0 |] [| 0.0 |] [| 0.0 |] (shape 1 1 1) none
                    |> ignore)
            }
        ]
