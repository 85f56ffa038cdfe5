/// What `[BlockSize]` asks for, held to what the targets have room for.
namespace FlashGen.Dsl

[<RequireQualifiedAccess>]
module BlockSizeCheck =
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
                        if size.Target = Some Simd && size.Warps + size.Stages > 0 then
                            Error "the CPU has neither warps nor stages."

                        if size.Target = Some Portable && size.Stages > 0 then
                            Error "portable holds one tile of keys at a time: it has no stages."

                        if
                            List.contains Simd spec.Targets
                            && (size.Target = None || size.Target = Some Simd)
                        then
                            for vectorBits in TargetDescription.simdWidths do
                                for elementType in spec.Types do
                                    Planner.simd vectorBits elementType (Planner.largestDims spec) alone

                        if List.contains Portable spec.Targets && size.Target = Some Portable then
                            for elementType in spec.Types do
                                for dims in Planner.portableDims elementType spec do
                                    Planner.portable elementType dims { spec with BlockSizes = [ size ] }

                        for kind in [ Sm80; Sm90 ] do
                            if size.Target = Some kind && TensorPlanner.takes kind spec then
                                for dims in TensorPlanner.buckets spec do
                                    TensorPlanner.plan kind Float16 dims { spec with BlockSizes = [ size ] }
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
