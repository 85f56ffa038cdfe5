/// The default plan of each target; what `[BlockSize]` fixes is kept and the rest fitted to it.
namespace FlashGen.Dsl

[<RequireQualifiedAccess>]
module Planner =
    /// Register tiles that keep the FMA units full without spilling (RyuJIT holds RowVectors * KeyUnroll + RowVectors + 1
    /// vectors); doubles take half the lanes, so a panel keeps whole vectors of 32-bit row numbers with an even RowVectors.
    let private simdTile vectorBits elementType =
        match vectorBits, elementType with
        | 512, _ -> 2, 8, 8
        | _, Float64 -> 2, 4, 4
        | _ -> 3, 4, 4

    let private ceilingDivide a b = (a + b - 1) / b

    /// Panels that share a key tile: the tile is read from the first-level cache by all of them, and widened once.
    let private defaultPanels = 4

    let private defaultBlockN = 128

    let private blockSize target (spec: AttentionSpec) =
        let named = spec.BlockSizes |> List.tryFind (fun size -> size.Target = Some target)

        match named with
        | Some _ -> named
        | None -> spec.BlockSizes |> List.tryFind (fun size -> size.Target = None)

    /// The CPU plan at one vector width. The shape class does not change it: a kernel takes fewer panels where there are few rows.
    let simd vectorBits elementType dims (spec: AttentionSpec) =
        let target = TargetDescription.simd vectorBits
        let lanes = TilePlan.lanes elementType vectorBits
        let rowVectors, keyUnroll, valueUnroll = simdTile vectorBits elementType

        let smallest = if elementType = Float64 then 2 else 1

        let rowVectors, panels, blockN =
            match blockSize Simd spec with
            | None -> rowVectors, defaultPanels, defaultBlockN
            | Some size ->
                let rowVectors = max smallest (min rowVectors (ceilingDivide size.BlockM lanes))
                rowVectors, max 1 (ceilingDivide size.BlockM (rowVectors * lanes)), size.BlockN

        TilePlan.verify
            target
            {
                Target = Simd
                Type = elementType
                Dims = dims
                ShapeClass = ShapeClass.Long
                BlockM = panels * rowVectors * lanes
                BlockN = blockN
                Schedule =
                    SimdSchedule
                        {
                            VectorBits = vectorBits
                            RowVectors = rowVectors
                            Panels = panels
                            KeyUnroll = keyUnroll
                            ValueUnroll = valueUnroll
                        }
            }

    /// The dimensions whose buffers a variant must hold: those declared, or the largest that targets take.
    let largestDims (spec: AttentionSpec) =
        match spec.Dims with
        | [] -> { HeadDim = 256; ValueDim = 256 }
        | dims ->
            {
                HeadDim = dims |> List.map (fun d -> d.HeadDim) |> List.max
                ValueDim = dims |> List.map (fun d -> d.ValueDim) |> List.max
            }

    /// The block sizes that do not fit a target that the variant asks for, with the numbers.
    let refusals (spec: AttentionSpec) =
        [
            for size in spec.BlockSizes do
                let alone =
                    { spec with
                        BlockSizes = [ { size with Target = None } ]
                    }

                let reasons =
                    [
                        if
                            List.contains Simd spec.Targets
                            && (size.Target = None || size.Target = Some Simd)
                        then
                            for vectorBits in TargetDescription.simdWidths do
                                for elementType in spec.Types do
                                    simd vectorBits elementType (largestDims spec) alone
                    ]

                match
                    reasons
                    |> List.tryPick (fun plan ->
                        match plan with
                        | Error reason -> Some reason
                        | Ok _ -> None)
                with
                | Some reason -> size, reason
                | None -> ()
        ]
