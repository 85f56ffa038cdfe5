/// The default plans of tensor-core kernels, of all lengths, for few keys and for few rows; what `[BlockSize]` fixes is kept and the rest fitted to it.
namespace FlashGen.Dsl

[<RequireQualifiedAccess>]
module TensorPlanner =
    /// Dimensions that tensor-core kernels are unrolled for; a dimension takes the least that holds it.
    let widths = [ 64; 96; 128; 192; 256 ]

    let private widthFor dimension =
        widths |> List.tryFind (fun width -> width >= dimension)

    /// The dimensions of a variant's tensor-core kernels; what is declared beyond them has none.
    let buckets (spec: AttentionSpec) =
        match spec.Dims with
        | [] -> [ for width in widths -> { HeadDim = width; ValueDim = width } ]
        | dims ->
            dims
            |> List.choose (fun dim ->
                match widthFor dim.HeadDim, widthFor dim.ValueDim with
                | Some head, Some value -> Some { HeadDim = head; ValueDim = value }
                | _ -> None)
            |> List.distinct
            |> List.sort

    /// Rows and keys of a Hopper tile, measured on an H200: three consumers where their 160 registers hold scores, outputs and nothing
    /// more, which a variant's own C# would need; then two, which have 240, and which waste less along a mask's edges: a window has two.
    /// Where tables decide, warps that look for tiles have some of the consumers' registers, and dimensions beyond 128 leave fewer for scores.
    let private sm90Size (dims: HeadDims) (spec: AttentionSpec) =
        let coverage = Coverage.ofSpec spec

        let hasRest = not (List.isEmpty coverage.Rest)
        let isPlain = List.isEmpty spec.Scores && not spec.Dropout && not hasRest

        let isWindow = not (List.isEmpty coverage.First) && not (List.isEmpty coverage.Last)

        match max dims.HeadDim dims.ValueDim with
        | 64 when isPlain && not isWindow -> 192, 128
        | 64 -> 128, 128
        | 96
        | 128 -> 128, 128
        | _ when hasRest -> 128, 64
        | 192 -> 128, 96
        | _ -> 128, 80

    /// Rows and keys of an Ampere tile. Four warps of 32 rows read each operand from shared memory half as often as rows of 16 would;
    /// scores and outputs of 32 rows fit a thread's registers up to 128 columns. Beyond, warps have 16 rows, and 32 keys are what two
    /// stages of 256 columns leave of 99 KB.
    let private sm80Size (dims: HeadDims) =
        if max dims.HeadDim dims.ValueDim <= 128 then
            128, 64
        else
            64, 32

    /// Tiles of keys and values in flight: one is computed while the next is copied.
    let private defaultStages = 2

    /// The plan of a tensor-core kernel. Dropout draws for whole blocks of 32 keys; a size for all targets is cut down to what fits.
    let plan kind elementType (dims: HeadDims) (spec: AttentionSpec) =
        let defaultM, defaultN = if kind = Sm90 then sm90Size dims spec else sm80Size dims

        let unit = if spec.Dropout then 32 else 16
        let round size = max unit (size / unit * unit)

        let planOf blockM blockN warps stages =
            TilePlan.verify
                (TargetDescription.tensor kind)
                {
                    Target = kind
                    Type = elementType
                    Dims = dims
                    ShapeClass = ShapeClass.Long
                    BlockM = blockM
                    BlockN = blockN
                    Schedule = TensorSchedule { Warps = warps; Stages = stages }
                }

        let isNarrow = max dims.HeadDim dims.ValueDim > 128

        // Ampere's warps come in pairs, whose copies take whole eights of rows.
        let planWith stages blockM blockN =
            let narrow = planOf blockM blockN (max 1 (blockM / 16)) stages

            if kind = Sm80 && not isNarrow && blockM > 0 && blockM % 64 = 0 then
                match planOf blockM blockN (blockM / 32) stages with
                | Ok wide -> Ok wide
                | Error _ -> narrow
            else
                narrow

        let planned = planWith defaultStages

        let planAsked (size: BlockSize) blockM blockN =
            let stages = if size.Stages = 0 then defaultStages else size.Stages

            if size.Warps = 0 then
                planWith stages blockM blockN
            else
                planOf blockM blockN size.Warps stages

        match Planner.declaredSize kind spec with
        | Some size when size.Target = Some kind -> planAsked size size.BlockM (round size.BlockN)
        | Some size ->
            let blockM = 64 * max 1 (min (size.BlockM / 64) (defaultM / 64))

            [
                for blockN in [ min size.BlockN defaultN .. -unit .. unit ] do
                    planAsked size blockM (round blockN)
                    // Warps and stages for all targets are for those that have them.
                    planned blockM (round blockN)
            ]
            |> List.tryFind Result.isOk
            |> Option.defaultWith (fun () -> planned defaultM (round defaultN))
        | None -> planned defaultM (round defaultN)

    /// A long plan in fewer rows, where it has more on Hopper.
    let private inRows blockM shapeClass (long: TilePlan) =
        if long.Target = Sm90 && long.BlockM > blockM then
            Some
                { long with
                    ShapeClass = shapeClass
                    BlockM = blockM
                    Schedule =
                        TensorSchedule
                            {
                                Warps = blockM / 16
                                Stages = defaultStages
                            }
                }
        else
            None

    let private fitting plan =
        TilePlan.verify (TargetDescription.tensor Sm90) plan |> Result.toOption

    /// The keys up to which the plan of short shapes is the faster one on tensor cores, as measured on an H200: tiles of 192 rows and a
    /// mask's edge leave more of few keys unused than tiles of 192 rows alone do.
    let shortKeys (spec: AttentionSpec) =
        let coverage = Coverage.ofSpec spec

        if List.isEmpty coverage.First && List.isEmpty coverage.Last then
            512
        else
            1024

    /// The plan for at most so many keys beside that of longer ones, where it is another.
    let short long =
        inRows 128 ShapeClass.Short long |> Option.bind fitting

    /// The keys up to which the plan of few rows is the fastest for any rows: two groups of a multiprocessor hide what score changes and
    /// a short loop leave to wait for, as measured on an H200; not beside warps that search, which have it tight.
    let decodeKeys (spec: AttentionSpec) =
        let hasRest = not (List.isEmpty (Coverage.ofSpec spec).Rest)
        let hasChanges = not (List.isEmpty spec.Scores) || spec.Dropout || spec.Sink

        if hasChanges && not hasRest then 1024 else 0

    /// The plan for rows that fit one tile of 64, where a multiprocessor has room for two groups of them.
    let decode long =
        inRows 64 ShapeClass.Decode long
        |> Option.filter (fun plan -> TilePlan.tensorGroups plan = 2)
        |> Option.bind fitting

    /// Whether a variant is written for a tensor-core target: it must have a 16-bit type and a dimension that fits.
    let takes kind (spec: AttentionSpec) =
        List.contains kind spec.Targets
        && List.exists (fun elementType -> TilePlan.storageBytes elementType = 2) spec.Types
        && not (List.isEmpty (buckets spec))
