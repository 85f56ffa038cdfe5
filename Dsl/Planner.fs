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

    /// Panels that share a key tile: it comes from beyond the second-level cache, and is widened, once for all of them.
    let private defaultPanels = 8

    /// Keys of a tile. Doubles take twice the room: fewer keys stay in the caches beside eight panels (measured at 512 bits, dimension
    /// 128: 48 keys and 8 panels take 0.88 to 1.0 of the time of 128 and 4). Where tables decide, tiles that are passed over are more
    /// when they are small, and cost little: of documents, 32 keys take 0.85 to 0.95 of the time of 128, 0.6 to 0.8 in doubles. Dropout
    /// draws for whole blocks of 32 keys.
    let private defaultBlockN elementType spec =
        let isTable expr =
            match expr with
            | TableRead _ -> true
            | _ -> false

        if List.exists (Expr.exists isTable) (Coverage.ofSpec spec).Rest then
            32
        elif elementType = Float64 then
            if spec.Dropout then 64 else 48
        else
            128

    /// The size that a declaration fixes for a target.
    let declaredSize target (spec: AttentionSpec) =
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
            match declaredSize Simd spec with
            | None -> rowVectors, defaultPanels, defaultBlockN elementType spec
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

    /// The numbers of value columns that device kernels are unrolled for; a value dimension takes the least that holds it. Doubles
    /// fill the registers at 128, so wider values are computed in parts.
    let portableColumns elementType =
        match elementType with
        | Float64 -> [ 32; 64; 96; 128 ]
        | _ -> [ 32; 64; 96; 128; 192; 256 ]

    /// Of those, the ones for a variant that declares no dimensions: fewer texts, a few idle columns.
    let private columnsForAny elementType =
        match elementType with
        | Float64 -> [ 64; 128 ]
        | _ -> [ 64; 128; 256 ]

    let private columnsOf elementType valueDim =
        let columns = portableColumns elementType

        match List.tryFind (fun width -> width >= valueDim) columns with
        | Some width -> width
        | None -> List.last columns

    /// The dimensions that a variant's device kernels are unrolled for: one for each number of value columns.
    let portableDims elementType (spec: AttentionSpec) =
        match spec.Dims with
        | [] ->
            [
                for width in columnsForAny elementType -> { HeadDim = 256; ValueDim = width }
            ]
        | dims ->
            dims
            |> List.groupBy (fun dim -> columnsOf elementType dim.ValueDim)
            |> List.sortBy fst
            |> List.map (fun (width, dims) ->
                {
                    HeadDim = dims |> List.map (fun dim -> dim.HeadDim) |> List.max
                    ValueDim = width
                })

    let private largestGroup = List.last TargetDescription.portableGroups

    /// Slices of the head dimension and of the value columns, from few barriers to little shared memory.
    let private slices = [ 64, 64; 32, 64; 32, 32; 16, 32 ]

    /// Register tiles: eight rows make the fewest reads of shared memory, four leave room where outputs are wide or doubles.
    let private portableRows elementType valueDim =
        if elementType = Float64 || valueDim > 128 then
            [ 4 ]
        else
            [ 8; 4 ]

    /// Rows of a tile where nothing fixes them: as many as leave room for several groups on a multiprocessor.
    let private portableBlockM elementType =
        if elementType = Float64 then 32 else 64

    /// The tile sizes to try. A size for this target is kept; one for all targets, which the CPU has room for, is cut down to what a
    /// device holds. Rows come in whole groups, keys in whole blocks of 32: dropout draws for such blocks.
    let private portableSizes elementType (spec: AttentionSpec) =
        match declaredSize Portable spec with
        | None -> [ portableBlockM elementType, 32 ]
        | Some size ->
            let blockN = 32 * max 1 (size.BlockN / 32)

            if size.Target = Some Portable then
                [ size.BlockM, blockN ]
            else
                [
                    for blockM in [ size.BlockM; 64; 32; 16 ] do
                        if blockM <= size.BlockM then
                            for blockN in [ min blockN 128 .. -32 .. 32 ] -> blockM, blockN
                ]

    /// The device plan: the first of the sizes, register tiles and slices that fits.
    let portable elementType (dims: HeadDims) (spec: AttentionSpec) =
        let plan (blockM, blockN) rows (headSlice, valueSlice) =
            let wanted = TilePlan.portableLanes * ceilingDivide blockM rows

            let threads =
                TargetDescription.portableGroups
                |> List.tryFind (fun threads -> threads >= wanted)
                |> Option.defaultValue wanted

            TilePlan.verify
                (TargetDescription.portable largestGroup)
                {
                    Target = Portable
                    Type = elementType
                    Dims = dims
                    ShapeClass = ShapeClass.Long
                    BlockM = threads / TilePlan.portableLanes * rows
                    BlockN = blockN
                    Schedule =
                        PortableSchedule
                            {
                                Threads = threads
                                ThreadRows = rows
                                ThreadColumns = blockN / TilePlan.portableLanes
                                HeadSlice = headSlice
                                ValueSlice = min valueSlice dims.ValueDim
                            }
                }

        let plans =
            [
                for size in portableSizes elementType spec do
                    for rows in portableRows elementType dims.ValueDim do
                        for slice in slices -> plan size rows slice
            ]

        let asked =
            match declaredSize Portable spec with
            | Some size when size.Target = Some Portable && size.Warps > 0 -> Some(32 * size.Warps)
            | _ -> None

        let hasAskedThreads (plan: TilePlan) =
            match plan.Schedule, asked with
            | PortableSchedule schedule, Some threads -> schedule.Threads = threads
            | _ -> true

        let fits plan =
            match plan with
            | Ok plan -> hasAskedThreads plan
            | Error _ -> false

        match plans |> List.tryFind fits, List.last plans with
        | Some plan, _ -> plan
        | None, Ok plan ->
            Error(
                "these rows make groups of "
                + string (TilePlan.portableThreads plan)
                + " threads on portable, not of "
                + string asked.Value
                + "; leave Warps to the planner, or take other rows."
            )
        | None, refused -> refused

    /// The same plan for a smaller group: fewer rows, and nothing else that a kernel's text would show.
    let private shrink threads (plan: TilePlan) =
        match plan.Schedule with
        | PortableSchedule schedule when threads < schedule.Threads ->
            { plan with
                BlockM = plan.BlockM * threads / schedule.Threads
                Schedule = PortableSchedule { schedule with Threads = threads }
            }
        | _ -> plan

    /// The groups that a device without room for the planner's own falls back to.
    let private smallGroups = [ 32; 16 ]

    /// A device plan in the group sizes of its kernel text, the largest first.
    let groups (plan: TilePlan) =
        plan :: [ for threads in smallGroups -> shrink threads plan ] |> List.distinct

    /// The device plans of one kernel text, largest group first: a device takes the first that it can run.
    let portablePlans elementType dims spec =
        portable elementType dims spec |> Result.map groups

    /// Dimensions that tensor-core kernels are unrolled for; a dimension takes the least that holds it.
    let tensorDims = [ 64; 96; 128; 192; 256 ]

    let private tensorDim dimension =
        tensorDims |> List.tryFind (fun width -> width >= dimension)

    /// The dimensions of a variant's tensor-core kernels, and those declared that are beyond them.
    let tensorBuckets (spec: AttentionSpec) =
        match spec.Dims with
        | [] -> [ for width in tensorDims -> { HeadDim = width; ValueDim = width } ]
        | dims ->
            dims
            |> List.choose (fun dim ->
                match tensorDim dim.HeadDim, tensorDim dim.ValueDim with
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
    let tensor kind elementType (dims: HeadDims) (spec: AttentionSpec) =
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

        let plan = planWith defaultStages

        let planAsked (size: BlockSize) blockM blockN =
            let stages = if size.Stages = 0 then defaultStages else size.Stages

            if size.Warps = 0 then
                planWith stages blockM blockN
            else
                planOf blockM blockN size.Warps stages

        match declaredSize kind spec with
        | Some size when size.Target = Some kind -> planAsked size size.BlockM (round size.BlockN)
        | Some size ->
            let blockM = 64 * max 1 (min (size.BlockM / 64) (defaultM / 64))

            [
                for blockN in [ min size.BlockN defaultN .. -unit .. unit ] do
                    planAsked size blockM (round blockN)
                    // Warps and stages for all targets are for those that have them.
                    plan blockM (round blockN)
            ]
            |> List.tryFind Result.isOk
            |> Option.defaultWith (fun () -> plan defaultM (round defaultN))
        | None -> plan defaultM (round defaultN)

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
    let tensorShortKeys (spec: AttentionSpec) =
        let coverage = Coverage.ofSpec spec

        if List.isEmpty coverage.First && List.isEmpty coverage.Last then
            512
        else
            1024

    /// The plan for at most so many keys beside that of longer ones, where it is another.
    let tensorShort long =
        inRows 128 ShapeClass.Short long |> Option.bind fitting

    /// The keys up to which the plan of few rows is the fastest for any rows: two groups of a multiprocessor hide what score changes and
    /// a short loop leave to wait for, as measured on an H200; not beside warps that search, which have it tight.
    let tensorDecodeKeys (spec: AttentionSpec) =
        let hasRest = not (List.isEmpty (Coverage.ofSpec spec).Rest)
        let hasChanges = not (List.isEmpty spec.Scores) || spec.Dropout || spec.Sink

        if hasChanges && not hasRest then 1024 else 0

    /// The plan for rows that fit one tile of 64, where a multiprocessor has room for two groups of them.
    let tensorDecode long =
        inRows 64 ShapeClass.Decode long
        |> Option.filter (fun plan -> TilePlan.tensorGroups plan = 2)
        |> Option.bind fitting

    /// Whether a variant is written for a tensor-core target: it must have a 16-bit type and a dimension that fits.
    let hasTensor kind (spec: AttentionSpec) =
        List.contains kind spec.Targets
        && List.exists (fun elementType -> TilePlan.storageBytes elementType = 2) spec.Types
        && not (List.isEmpty (tensorBuckets spec))

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
                                    simd vectorBits elementType (largestDims spec) alone

                        if List.contains Portable spec.Targets && size.Target = Some Portable then
                            for elementType in spec.Types do
                                for dims in portableDims elementType spec do
                                    portable elementType dims { spec with BlockSizes = [ size ] }

                        for kind in [ Sm80; Sm90 ] do
                            if size.Target = Some kind && hasTensor kind spec then
                                for dims in tensorBuckets spec do
                                    tensor kind Float16 dims { spec with BlockSizes = [ size ] }
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
