/// The default plan on the CPU and of Portable; what `[BlockSize]` fixes is kept and the rest fitted to it.
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
