/// Which plan a kernel is written for, and why: `[BlockSize]` beats the tuning file, the file beats the planner.
namespace FlashGen.Dsl

/// Where a plan comes from.
type PlanSource =
    | FromPlanner
    | FromBlockSize
    | FromMeasurement of TunedPlan

/// The plan that won, and what it won over.
type PlanChoice =
    {
        Plan: TilePlan
        Source: PlanSource
        Others: (PlanSource * TilePlan) list
    }

[<RequireQualifiedAccess>]
module PlanChoice =
    /// What a plan of its own must gain where a shape class could share that of another: 5 %.
    let leastGain = 1.05

    let private undeclared (spec: AttentionSpec) = { spec with BlockSizes = [] }

    let private ofTarget target (tuned: TunedPlan list) =
        tuned |> List.filter (fun each -> each.Plan.Target = target)

    /// The measurement that decides where several could: of long shapes before short ones, then what gains most, then the first.
    let private deciding (tuned: TunedPlan list) =
        let rank (each: TunedPlan) =
            match each.Plan.ShapeClass with
            | ShapeClass.Long -> 0
            | Short -> 1
            | Decode -> 2

        match List.sortBy (fun each -> rank each, -(PlanFile.gain each), each.DeviceClass) tuned with
        | [] -> None
        | first :: _ -> Some first

    let private others (winner: TunedPlan) (tuned: TunedPlan list) =
        [
            for each in tuned do
                if each <> winner then
                    FromMeasurement each, each.Plan
        ]

    /// A declared size: what it beat are the measurements and what the planner would have chosen.
    let private declared plan (own: Result<TilePlan, string>) tuned =
        {
            Plan = plan
            Source = FromBlockSize
            Others =
                [
                    for each in tuned do
                        FromMeasurement each, each.Plan
                    match own with
                    | Ok own when own <> plan -> FromPlanner, own
                    | _ -> ()
                ]
        }

    let private planned plan tuned =
        {
            Plan = plan
            Source = FromPlanner
            Others = [ for each in tuned -> FromMeasurement each, each.Plan ]
        }

    let private measured plan (winner: TunedPlan) tuned own =
        {
            Plan = plan
            Source = FromMeasurement winner
            Others = others winner tuned @ [ FromPlanner, own ]
        }

    // The CPU. A kernel text has one register tile for all its types and dimensions; keys of a tile and panels are run-time numbers.

    let private simdTuned vectorBits isWide tuned =
        tuned
        |> ofTarget Simd
        |> List.filter (fun each ->
            match each.Plan.Schedule with
            | SimdSchedule schedule -> schedule.VectorBits = vectorBits && (each.Plan.Type = Float64) = isWide
            | _ -> false)

    let private registerTile (plan: TilePlan) =
        match plan.Schedule with
        | SimdSchedule s -> s.RowVectors, s.KeyUnroll, s.ValueUnroll
        | _ -> 0, 0, 0

    let private withTile (rowVectors, keyUnroll, valueUnroll) (plan: TilePlan) =
        match plan.Schedule with
        | SimdSchedule schedule ->
            let schedule =
                { schedule with
                    RowVectors = rowVectors
                    KeyUnroll = keyUnroll
                    ValueUnroll = valueUnroll
                }

            { plan with
                Schedule = SimdSchedule schedule
                BlockM = schedule.Panels * rowVectors * TilePlan.lanes plan.Type schedule.VectorBits
            }
        | _ -> plan

    /// The CPU plans of a type and dimension at one vector width: that of long shapes first, then those of the classes for which
    /// another was measured to gain enough.
    let simd vectorBits elementType dims (spec: AttentionSpec) (tuned: TunedPlan list) =
        let own = Planner.simd vectorBits elementType dims (undeclared spec)
        let ofText = simdTuned vectorBits (elementType = Float64) tuned

        let ofKernel =
            ofText
            |> List.filter (fun each -> each.Plan.Type = elementType && each.Plan.Dims = dims)

        if Option.isSome (Planner.declaredSize Simd spec) then
            Planner.simd vectorBits elementType dims spec
            |> Result.map (fun plan -> [ declared plan own ofKernel ])
        else
            own
            |> Result.map (fun own ->
                let tile =
                    deciding ofText
                    |> Option.map (fun each -> registerTile each.Plan)
                    |> Option.defaultValue (registerTile own)

                let fitting = ofKernel |> List.filter (fun each -> registerTile each.Plan = tile)

                let ofClass shapeClass =
                    fitting |> List.tryFind (fun each -> each.Plan.ShapeClass = shapeClass)

                let long =
                    match ofClass ShapeClass.Long with
                    | Some winner -> measured winner.Plan winner ofKernel own
                    | None -> planned (withTile tile own) ofKernel

                // A class of its own, unless it is the plan of long shapes all the same.
                let isWorthIt (winner: TunedPlan) =
                    let asLong =
                        { winner.Plan with
                            ShapeClass = ShapeClass.Long
                        }

                    PlanFile.gain winner > leastGain && asLong <> long.Plan

                long
                :: [
                    for winner in List.choose ofClass [ Short; Decode ] do
                        if isWorthIt winner then
                            measured winner.Plan winner ofKernel own
                ])

    // Devices. A text has the register tiles and slices of one plan; its types may differ in their threads.

    let private portableText (plan: TilePlan) =
        match plan.Schedule with
        | PortableSchedule s -> s.ThreadRows, s.ThreadColumns, s.HeadSlice, s.ValueSlice
        | _ -> 0, 0, 0, 0

    /// The plan of a type and number of value columns on devices.
    let portable elementType (dims: HeadDims) (spec: AttentionSpec) (tuned: TunedPlan list) =
        let own = Planner.portable elementType dims (undeclared spec)

        let ofText =
            ofTarget Portable tuned
            |> List.filter (fun each -> each.Plan.Dims = dims && (each.Plan.Type = Float64) = (elementType = Float64))

        let ofKernel = ofText |> List.filter (fun each -> each.Plan.Type = elementType)

        if Option.isSome (Planner.declaredSize Portable spec) then
            Planner.portable elementType dims spec
            |> Result.map (fun plan -> declared plan own ofKernel)
        else
            own
            |> Result.map (fun own ->
                match deciding ofText with
                | None -> planned own ofKernel
                | Some first ->
                    let winner =
                        ofKernel
                        |> List.filter (fun each -> portableText each.Plan = portableText first.Plan)
                        |> deciding
                        |> Option.defaultValue first

                    let plan =
                        { winner.Plan with
                            Type = elementType
                            ShapeClass = ShapeClass.Long
                        }

                    measured plan winner ofKernel own)

    /// The device plans of one kernel text, largest group first: a device takes the first that it can run.
    let portableGroups elementType dims spec tuned =
        portable elementType dims spec tuned
        |> Result.map (fun choice -> [ for plan in Planner.groups choice.Plan -> { choice with Plan = plan } ])

    let private tensorLong kind elementType (dims: HeadDims) (spec: AttentionSpec) (tuned: TunedPlan list) =
        let own = TensorPlanner.plan kind elementType dims (undeclared spec)

        let ofKernel =
            ofTarget kind tuned
            |> List.filter (fun each -> each.Plan.Type = elementType && each.Plan.Dims = dims)
            // Dropout draws for whole blocks of 32 keys.
            |> List.filter (fun each -> not spec.Dropout || each.Plan.BlockN % 32 = 0)

        if Option.isSome (Planner.declaredSize kind spec) then
            TensorPlanner.plan kind elementType dims spec
            |> Result.map (fun plan -> declared plan own ofKernel)
        else
            own
            |> Result.map (fun own ->
                match deciding ofKernel with
                | Some winner ->
                    measured
                        { winner.Plan with
                            ShapeClass = ShapeClass.Long
                        }
                        winner
                        ofKernel
                        own
                | None -> planned own ofKernel)

    /// The tensor-core plans of a type and dimension: those of few rows and of short shapes first, where the one of long shapes has more
    /// rows than suit them and was not declared. A measurement of long shapes says nothing of the others.
    let tensor kind elementType dims (spec: AttentionSpec) tuned =
        tensorLong kind elementType dims spec tuned
        |> Result.map (fun long ->
            match long.Source with
            | FromBlockSize -> [ long ]
            | _ ->
                let few = TensorPlanner.decode long.Plan

                let short =
                    TensorPlanner.short long.Plan
                    |> Option.filter (fun _ ->
                        few.IsNone || TensorPlanner.decodeKeys spec < TensorPlanner.shortKeys spec)

                [
                    for plan in Option.toList few @ Option.toList short do
                        planned plan []
                    long
                ])

    /// The dimensions for which a variant has kernels of a target and type.
    let dims target elementType (spec: AttentionSpec) =
        match target with
        | _ when not (List.contains target spec.Targets && List.contains elementType spec.Types) -> []
        | Simd ->
            match spec.Dims with
            | [] -> [ Planner.largestDims spec ]
            | dims -> dims
        | Portable -> Planner.portableDims elementType spec
        | Sm80
        | Sm90 ->
            if TensorPlanner.takes target spec && TilePlan.storageBytes elementType = 2 then
                TensorPlanner.buckets spec
            else
                []

    /// Why no kernel of a variant takes a measured plan; none when one does.
    let misfit (spec: AttentionSpec) (tuned: TunedPlan) =
        let plan = tuned.Plan

        match dims plan.Target plan.Type spec with
        | [] ->
            Some(
                "it has no kernels for "
                + TargetDescription.name plan.Target
                + " in "
                + TilePlan.typeName plan.Type
                + "."
            )
        | dims when not (List.contains plan.Dims dims) ->
            let text (dims: HeadDims) =
                "d=" + string dims.HeadDim + " dv=" + string dims.ValueDim

            Some(
                "its kernels are for "
                + System.String.Join(", ", List.map text dims)
                + ", not "
                + text plan.Dims
                + "."
            )
        | _ -> None
