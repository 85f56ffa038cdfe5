/// Devices execute the tiles that a mask keeps, and run it only where it keeps a tile in part.
module FlashGen.Tests.Portable.TileTests

open System
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels
open FlashGen.Tests.Kernels.Calls

/// Tiles of a call on a device.
let count (variant: AttentionVariant) (shape: AttentionShape) arguments : Devices.Tiles * string =
    use kernels = variant.Load Devices.simulator.Value
    let tensors = float32s (Random 1) variant shape
    let output = Array.create (int (shape.OutputElements variant.Layout)) nanf

    let _, tiles =
        Devices.run<float32, float32>
            kernels
            shape
            (tensors.Query, tensors.Key, tensors.Value)
            (if isNull arguments then ModArguments() else arguments)
            output
            [||]

    tiles, Devices.planOf kernels ElementType.Float32 shape

/// The tiles that the mask leaves, asked pair by pair.
let needed (variant: AttentionVariant) (shape: AttentionShape) arguments plan : Devices.Tiles =
    let mutable shape = shape

    let maps =
        [
            for batch in 0 .. shape.Batch - 1 do
                for head in 0 .. shape.QueryHeads - 1 ->
                    CoverageMap.Of(
                        variant,
                        &shape,
                        arguments,
                        Devices.number "m" plan,
                        Devices.number "n" plan,
                        batch,
                        head
                    )
        ]

    let sum coverage =
        maps |> List.sumBy (fun map -> map.Count coverage)

    {
        Full = sum TileCoverage.Full
        Partial = sum TileCoverage.Partial
        Empty = sum TileCoverage.Empty
    }

let private shapes (random: Random) =
    [
        AttentionShape(1, 1, 1, 129, 129, 8)
        AttentionShape(
            2,
            2,
            1,
            70,
            100,
            8,
            KeyLengths = ReadOnlyMemory [| 100; random.Next 100 |],
            Offsets = ReadOnlyMemory [| random.Next(-60, 60); random.Next(0, 200) |]
        )
    ]

/// Masks that are bounds on a row's keys: the closed form is exact.
let private affine =
    [
        for name in [ "Full"; "Causal"; "CausalTopLeft"; "Chunked"; "PrefixLm" ] do
            AttentionVariant.In typeof<FlashGen.Kernels.Full>.Assembly
            |> Seq.find (fun variant -> variant.Name.EndsWith("." + name, StringComparison.Ordinal))
        for name in
            [
                "Laws.CausalMod"
                "TileSizes.Planned"
                "TileSizes.Odd"
                "Enclosing.Middle.Inner"
                "Bands"
            ] do
            variant name
    ]

[<Tests>]
let tiles =
    testSequenced (
        testList
            "Portable.Tiles"
            [
                for variant in affine do
                    test $"{variant.Name} computes the tiles that its mask keeps, and masks those that it keeps in part" {
                        let random = Random(Settings.seed)

                        for shape in shapes random do
                            let arguments = Arguments.random variant shape random
                            let counted, plan = count variant shape arguments
                            Expect.equal counted (needed variant shape arguments plan) $"{shape}, {plan}"
                    }

                for name in [ "TreeCausal"; "GlobalAndSliding"; "Thresholds" ] do
                    test $"{name} computes every tile that its mask keeps, and calls none full that is not" {
                        let random = Random(Settings.seed)
                        let variant = variant name

                        for shape in shapes random do
                            let arguments = Arguments.random variant shape random
                            let counted, plan = count variant shape arguments
                            let needed = needed variant shape arguments plan

                            Expect.isGreaterThanOrEqual
                                (counted.Full + counted.Partial)
                                (needed.Full + needed.Partial)
                                $"tiles, {shape}"

                            Expect.isLessThanOrEqual counted.Full needed.Full $"full tiles, {shape}"
                    }

                test "documents of their own keep apart" {
                    let variant = FlashGen.Kernels.Documents.Variant
                    let shape = AttentionShape(1, 1, 1, 128, 128, 8)
                    let documents = Array.init 128 (fun at -> at / 32)

                    let arguments =
                        ModArguments().Add("queryDocument", documents).Add("keyDocument", documents)

                    let counted, plan = count variant shape arguments
                    Expect.equal counted (needed variant shape arguments plan) "tiles"
                    Expect.equal counted.Empty (counted.Full * 3L) "three of four are passed over"
                }
            ]
    )
