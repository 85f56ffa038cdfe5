/// Executed tiles are kept tiles: a kernel that computes everything and masks it would give right answers too.
module FlashGen.Tests.Kernels.TileTests

open System
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels.Calls

/// Full and partial tiles that a call has to compute, counted pair by pair.
let needed (variant: AttentionVariant) (shape: AttentionShape) arguments =
    let plan = PropertyTests.planAt Widths.own ElementType.Float32 variant
    let isFew = shape.QueryLength <= FlashGen.Support.SimdRows.MostQueries

    // A few queries are computed row by row, and one-query calls may have a plan of their own.
    let rows =
        if isFew then
            1
        else
            PropertyTests.panelRows ElementType.Float32 plan

    let ofDecoding =
        variant.Plans
        |> Seq.tryFind (fun each ->
            isFew
            && each.Target = Target.Simd
            && each.ElementType = ElementType.Float32
            && each.ShapeClass = "decode"
            && PropertyTests.planNumber "bits" each.Canonical = Widths.own)
        |> Option.map (fun each -> each.Canonical)

    let keys = PropertyTests.planNumber "n" (defaultArg ofDecoding plan)

    let keeps = Keeps.pair variant shape arguments
    let mutable full, partial = 0L, 0L

    for batch in 0 .. shape.Batch - 1 do
        let length = shape.KeyLengthAt batch

        for head in 0 .. shape.QueryHeads - 1 do
            for firstRow in 0..rows .. shape.QueryLength - 1 do
                let panel = [ firstRow .. min shape.QueryLength (firstRow + rows) - 1 ]

                let kept =
                    Array.init length (fun key -> panel |> List.map (fun row -> keeps batch head row key))

                // A panel's tiles end where its first and last kept keys are.
                let some = kept |> Array.map (List.exists id)

                match Array.tryFindIndex id some, Array.tryFindIndexBack id some with
                | Some first, Some last ->
                    for start in first / keys * keys .. keys .. last do
                        let tile = [ max first start .. min last (start + keys - 1) ]

                        if List.forall (fun key -> List.forall id kept[key]) tile then
                            full <- full + 1L
                        elif List.exists (fun key -> some[key]) tile then
                            partial <- partial + 1L
                | _ -> ()

    full, partial

/// Full and partial tiles that a call computes.
let count (variant: AttentionVariant) shape arguments =
    let tiles = TileCounter()
    let tensors = float32s (Random 1) variant shape

    run32 variant shape tensors arguments (AttentionOptions(Tiles = tiles))
    |> ignore

    tiles.Full, tiles.Partial

let private shapes (random: Random) =
    [
        for _ in 1 .. (if Settings.thorough then 40 else 6) do
            let batch = random.Next(1, 3)
            let queries, keys = random.Next(1, 260), random.Next(1, 500)

            AttentionShape(
                batch,
                2,
                1,
                queries,
                keys,
                8,
                KeyLengths =
                    (if random.Next 2 = 0 then
                         ReadOnlyMemory.Empty
                     else
                         ReadOnlyMemory(Array.init batch (fun _ -> random.Next(keys + 1)))),
                Offsets =
                    (if random.Next 2 = 0 then
                         ReadOnlyMemory.Empty
                     else
                         ReadOnlyMemory(Array.init batch (fun _ -> random.Next(-150, 300))))
            )
    ]

let private gallery =
    [
        for variant in AttentionVariant.In typeof<FlashGen.Kernels.Full>.Assembly do
            if variant.Types.HasFlag ElementTypes.Float32 then
                variant
    ]

/// Masks that are bounds on a row's keys: the closed form is exact.
let private affine =
    [
        for variant in gallery do
            if
                variant.Masks.Count = 0
                && not (
                    Seq.exists
                        (fun (info: ArgumentInfo) -> List.contains info.Name [ "prefix"; "queryDocument" ])
                        variant.Arguments
                )
            then
                variant
        for name in
            [
                "Laws.Plain"
                "Laws.Causal"
                "Laws.WindowToZero"
                "Laws.CausalMod"
                "Enclosing.Middle.Inner"
            ] do
            variant name
        for name in [ "Planned"; "Short"; "Odd"; "Single" ] do
            variant ("TileSizes." + name)
    ]

[<Tests>]
let exact =
    testList
        "Kernels.Tiles.Exact"
        [
            for variant in affine do
                test $"{variant.Name} computes the tiles that its mask keeps, and masks those that it keeps in part" {
                    let random = Random(Settings.seed)

                    for shape in shapes random do
                        let arguments = Arguments.random variant shape random
                        Expect.equal (count variant shape arguments) (needed variant shape arguments) $"{shape}"
                }
        ]

[<Tests>]
let enough =
    testList
        "Kernels.Tiles.Tables"
        [
            for name in
                [
                    "TreeCausal"
                    "PackedBits"
                    "Thresholds"
                    "GlobalAndSliding"
                    "Neighbourhood"
                    "SharedPrefix"
                ] do
                test $"{name} computes every tile that its mask keeps, and calls none full that is not" {
                    let random = Random(Settings.seed)
                    let variant = variant name

                    for shape in shapes random do
                        let arguments = Arguments.random variant shape random
                        let full, partial = count variant shape arguments
                        let neededFull, neededPartial = needed variant shape arguments
                        Expect.isGreaterThanOrEqual (full + partial) (neededFull + neededPartial) $"tiles, {shape}"
                        Expect.isLessThanOrEqual full neededFull $"full tiles, {shape}"
                }

            test "documents of their own keep apart: most tiles are never computed" {
                let variant =
                    gallery |> List.find (fun variant -> variant.Name.EndsWith ".Documents")

                let shape = AttentionShape(1, 1, 1, 1024, 1024, 8)
                let documents = Array.init 1024 (fun at -> at / 128)

                let arguments =
                    ModArguments().Add("queryDocument", documents).Add("keyDocument", documents)

                let full, partial = count variant shape arguments
                let neededFull, neededPartial = needed variant shape arguments
                Expect.equal (full, partial) (neededFull, neededPartial) "tiles"
            }
        ]

/// The same keys and values with three numbers between their rows.
let private withGaps (tensors: Tensors<float32>) (shape: AttentionShape) =
    let row = shape.HeadDim + 3

    let spread (dense: float32[]) =
        let rows = dense.Length / shape.HeadDim

        Array.init (rows * row) (fun at ->
            if at % row < shape.HeadDim then
                dense[at / row * shape.HeadDim + at % row]
            else
                nanf)

    let strides =
        Nullable(
            TensorStrides(int64 (shape.KeyHeads * shape.KeyLength * row), int64 (shape.KeyLength * row), int64 row)
        )

    { tensors with
        Key = spread tensors.Key
        Value = spread tensors.Value
    },
    AttentionShape(
        shape.Batch,
        shape.QueryHeads,
        shape.KeyHeads,
        shape.QueryLength,
        shape.KeyLength,
        shape.HeadDim,
        KeyStrides = strides,
        ValueStrides = strides
    )

[<Tests>]
let copied =
    testList
        "Kernels.Tiles.Copied"
        [
            for variant in gallery do
                test $"{variant.Name} has the same bits from copied tiles, which twice the panels share" {
                    let random = Random(Settings.seed)
                    // So many rows that one thread's items have all the panels that they may.
                    let shape = AttentionShape(1, 2, 1, 2150, 300, 8)
                    let tensors = float32s random variant shape
                    let arguments = Arguments.random variant shape random
                    let gappedTensors, gapped = withGaps tensors shape

                    for bits in Widths.all do
                        let run shape tensors =
                            run32 variant shape tensors arguments (AttentionOptions(Threads = 1, MaxVectorBits = bits))

                        Expect.equal (run gapped gappedTensors) (run shape tensors) $"{bits} bits"
                }
        ]
