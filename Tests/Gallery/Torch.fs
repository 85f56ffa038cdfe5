/// torch.nn.functional.scaled_dot_product_attention, written down from its documentation: every line of the equivalent
/// given there, over plain arrays in float64, with nothing of ours but the dropout's draws.
module FlashGen.Tests.Gallery.Torch

open System
open FlashGen

/// torch's attn_mask over (batch, head, query, key), already broadcast.
type Mask =
    | NoMask
    | Bool of (int -> int -> int -> int -> bool)
    | Float of (int -> int -> int -> int -> float)

type Sizes =
    {
        Batch: int
        QueryHeads: int
        KeyHeads: int
        Queries: int
        Keys: int
        Dim: int
        ValueDim: int
    }

    member sizes.Shape =
        AttentionShape(
            sizes.Batch,
            sizes.QueryHeads,
            sizes.KeyHeads,
            sizes.Queries,
            sizes.Keys,
            sizes.Dim,
            sizes.ValueDim
        )

type Call =
    {
        Sizes: Sizes
        Mask: Mask
        Causal: bool
        Scale: float option
        Dropout: Dropout
    }

/// The draw that decides over one weight: Philox4x32-10 by position.
let private isDropped (call: Call) batch head query key =
    let draw =
        Philox.Draw(
            call.Dropout.Seed,
            call.Dropout.Offset,
            uint32 (batch * call.Sizes.QueryHeads + head),
            uint32 query,
            uint32 key
        )

    int draw < call.Dropout.Threshold

/// Output and log-sum-exp. A row without a key: output 0, as torch has it since 2.5, and log-sum-exp -inf.
let attention (call: Call) (query: float[]) (key: float[]) (value: float[]) =
    let sizes = call.Sizes
    let scaleFactor = defaultArg call.Scale (1.0 / sqrt (float sizes.Dim))

    let output =
        Array.zeroCreate (sizes.Batch * sizes.QueryHeads * sizes.Queries * sizes.ValueDim)

    let logSumExp = Array.zeroCreate (sizes.Batch * sizes.QueryHeads * sizes.Queries)

    for b in 0 .. sizes.Batch - 1 do
        for h in 0 .. sizes.QueryHeads - 1 do
            // repeat_interleave: each key head stands beside itself, query heads / key heads times.
            let kept = b * sizes.KeyHeads + h / (sizes.QueryHeads / sizes.KeyHeads)

            for i in 0 .. sizes.Queries - 1 do
                let row = (b * sizes.QueryHeads + h) * sizes.Queries + i

                let weights =
                    Array.init sizes.Keys (fun j ->
                        let mutable product = 0.0

                        for d in 0 .. sizes.Dim - 1 do
                            product <-
                                product
                                + query[row * sizes.Dim + d] * key[(kept * sizes.Keys + j) * sizes.Dim + d]

                        let bias =
                            match call.Mask with
                            | NoMask -> if call.Causal && j > i then -infinity else 0.0
                            | Bool keeps -> if keeps b h i j then 0.0 else -infinity
                            | Float adds -> adds b h i j

                        product * scaleFactor + bias)

                let most = if sizes.Keys = 0 then -infinity else Array.max weights

                if most = -infinity then
                    logSumExp[row] <- -infinity
                else
                    let sum = weights |> Array.sumBy (fun weight -> exp (weight - most))
                    logSumExp[row] <- most + log sum

                    for j in 0 .. sizes.Keys - 1 do
                        let weight = exp (weights[j] - most) / sum

                        if not (isDropped call b h i j) then
                            let weight = weight * 65536.0 / float (65536 - call.Dropout.Threshold)

                            for d in 0 .. sizes.ValueDim - 1 do
                                output[row * sizes.ValueDim + d] <-
                                    output[row * sizes.ValueDim + d]
                                    + weight * value[(kept * sizes.Keys + j) * sizes.ValueDim + d]

    output, logSumExp
