/// Plans worth measuring for a kernel, the most promising first. They come in two steps: what changes the kernel's text (on the CPU its
/// register tile), which its types share; then, of one text, the sizes that each type and class of shapes may have for itself.
namespace FlashGen.Dsl

[<RequireQualifiedAccess>]
module PlanCandidates =
    /// Plans of which emitters can make kernels, each once, the given one first.
    let private sound (own: TilePlan) plans =
        own :: (plans |> List.filter (fun plan -> Result.isOk (PlanFile.check plan)))
        |> List.distinct

    // The CPU.

    let private simdPlan (own: TilePlan) (schedule: SimdSchedule) blockN =
        { own with
            Schedule = SimdSchedule schedule
            BlockM =
                schedule.Panels
                * schedule.RowVectors
                * TilePlan.lanes own.Type schedule.VectorBits
            BlockN = blockN
        }

    /// Loads for each multiply-add, over both products: a step of K keys loads R vectors of queries and K broadcasts for K x R of them.
    let private loads (schedule: SimdSchedule) =
        let share unroll =
            float (schedule.RowVectors + unroll) / float (schedule.RowVectors * unroll)

        share schedule.KeyUnroll + share schedule.ValueUnroll

    /// Register tiles that fill most of the registers: fewer accumulators would not hide the latency of a multiply-add.
    let private simdTiles (own: TilePlan) (schedule: SimdSchedule) =
        [
            for rowVectors in 1..4 do
                for keyUnroll in [ 4; 6; 8; 10; 12; 14 ] do
                    for valueUnroll in [ 4; 6; 8; 10; 12; 14 ] do
                        if
                            abs (keyUnroll - valueUnroll) <= 2
                            && rowVectors * min keyUnroll valueUnroll >= 8
                        then
                            { schedule with
                                RowVectors = rowVectors
                                KeyUnroll = keyUnroll
                                ValueUnroll = valueUnroll
                            }
        ]
        |> List.sortBy loads
        |> List.map (fun schedule -> simdPlan own schedule own.BlockN)

    /// How far a size is from what the caches like. A tile of scores, keys and values beside a panel should stay in 48 KB where it can
    /// and the whole scratch in half a megabyte; short tiles rescale outputs often, few rows read keys often.
    let private simdCost (plan: TilePlan) (schedule: SimdSchedule) =
        let size = float (TilePlan.computeBytes plan.Type)
        let rows, keys = float (TilePlan.panelRows plan), float plan.BlockN
        let dims = float (plan.Dims.HeadDim + plan.Dims.ValueDim)
        let beyond limit bytes = max 0.0 (bytes / limit - 1.0)

        // Each key's scores are written and read; each tile rescales and touches all outputs of a panel.
        let rescale = float plan.Dims.ValueDim / (keys * dims)
        let first = 0.05 * beyond 49152.0 (size * rows * (keys + dims))
        let second = 0.2 * beyond 524288.0 (float (TilePlan.budget plan).MemoryBytes)
        let reread = 1.0 / (rows * float schedule.Panels)
        rescale + first + second + 4.0 * reread

    let private simdSizes (own: TilePlan) (schedule: SimdSchedule) =
        [
            for panels in [ 1; 2; 4; 8 ] do
                for blockN in [ 32; 48; 64; 96; 128; 192; 256; 384 ] do
                    let schedule = { schedule with Panels = panels }
                    simdPlan own schedule blockN, schedule
        ]
        |> List.sortBy (fun (plan, schedule) -> simdCost plan schedule)
        |> List.map fst

    // Devices.

    let private portableOf (own: TilePlan) threads rows blockN (head, value) =
        { own with
            BlockM = threads / TilePlan.portableLanes * rows
            BlockN = blockN
            Schedule =
                PortableSchedule
                    {
                        Threads = threads
                        ThreadRows = rows
                        ThreadColumns = blockN / TilePlan.portableLanes
                        HeadSlice = head
                        ValueSlice = min value own.Dims.ValueDim
                    }
        }

    let private portableTexts (own: TilePlan) (schedule: PortableSchedule) =
        [
            for rows in [ 8; 4 ] do
                for blockN in [ 32; 64; 96 ] do
                    for slice in [ 64, 64; 32, 64; 32, 32; 16, 32 ] do
                        for threads in [ schedule.Threads; 128; 256 ] -> portableOf own threads rows blockN slice
        ]
        |> List.distinct
        // Few reads of shared memory for a score, then room for two groups on a multiprocessor.
        |> List.sortBy (fun plan ->
            match plan.Schedule with
            | PortableSchedule s ->
                float (s.ThreadRows + s.ThreadColumns) / float (s.ThreadRows * s.ThreadColumns)
                + float (TilePlan.budget plan).MemoryBytes / 98304.0
            | _ -> 0.0)

    let private portableThreads (own: TilePlan) (schedule: PortableSchedule) =
        [
            for threads in [ 64; 128; 256 ] ->
                portableOf own threads schedule.ThreadRows own.BlockN (schedule.HeadSlice, schedule.ValueSlice)
        ]

    let private tensorTexts (own: TilePlan) =
        let stages = if own.Target = Sm90 then [ 2; 1; 4 ] else [ 2 ]
        let rowsOfWarp = if own.Target = Sm90 then [ 16 ] else [ 32; 16 ]

        [
            for stages in stages do
                for blockM in [ 64; 128; 192; 256 ] do
                    for blockN in [ 32; 48; 64; 80; 96; 112; 128; 160; 176; 192 ] do
                        for rows in rowsOfWarp ->
                            { own with
                                BlockM = blockM
                                BlockN = blockN
                                Schedule =
                                    TensorSchedule
                                        {
                                            Warps = blockM / rows
                                            Stages = stages
                                        }
                            }
        ]
        // The more of a tile is reused, the less is read.
        |> List.sortBy (fun plan -> 1.0 / float plan.BlockM + 1.0 / float plan.BlockN)

    /// Plans whose kernel has another text than the plan given, which comes first.
    let texts (own: TilePlan) =
        match own.Schedule with
        | SimdSchedule schedule -> sound own (simdTiles own schedule)
        | PortableSchedule schedule -> sound own (portableTexts own schedule)
        | TensorSchedule _ -> sound own (tensorTexts own)

    /// Plans of the same text as the one given, which comes first. Where there are few queries, panels make no difference.
    let sizes (own: TilePlan) =
        match own.Schedule with
        | SimdSchedule schedule when own.ShapeClass = Decode ->
            sound
                own
                [
                    for plan in simdSizes own schedule do
                        match plan.Schedule with
                        | SimdSchedule other when other.Panels = schedule.Panels -> plan
                        | _ -> ()
                ]
        | SimdSchedule schedule -> sound own (simdSizes own schedule)
        | PortableSchedule schedule -> sound own (portableThreads own schedule)
        | TensorSchedule _ -> [ own ]

    /// Whether two plans of a unit have one kernel text.
    let shareText (a: TilePlan) (b: TilePlan) =
        match a.Schedule, b.Schedule with
        | SimdSchedule x, SimdSchedule y ->
            (x.RowVectors, x.KeyUnroll, x.ValueUnroll) = (y.RowVectors, y.KeyUnroll, y.ValueUnroll)
        | PortableSchedule x, PortableSchedule y -> { x with Threads = y.Threads } = y
        | TensorSchedule x, TensorSchedule y -> x = y && a.BlockM = b.BlockM && a.BlockN = b.BlockN
        | _ -> false

    /// The same sizes for another type and class of shapes.
    let transfer elementType dims shapeClass (plan: TilePlan) =
        { plan with
            Type = elementType
            Dims = dims
            ShapeClass = shapeClass
        }
