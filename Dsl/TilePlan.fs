/// A plan: the sizes of a kernel's tiles, as a small value with a canonical text. The planner proposes one, `[BlockSize]` fixes
/// one; emitters print what it says and nothing else.
namespace FlashGen.Dsl

open System
open System.Globalization

/// The CPU kernel: a panel is a few vectors of query rows; a work item is a few panels that share their key tiles.
/// Register tiles: KeyUnroll keys x RowVectors vectors of scores, ValueUnroll value columns x RowVectors vectors of output.
type SimdSchedule =
    {
        VectorBits: int
        RowVectors: int
        Panels: int
        KeyUnroll: int
        ValueUnroll: int
    }

/// The ILGPU kernel: a group of threads, eight to a row of register tiles. A thread computes ThreadRows x ThreadColumns scores and
/// the outputs of its rows. Keys and queries pass through shared memory HeadSlice dimensions at a time, values ValueSlice columns.
type PortableSchedule =
    {
        Threads: int
        ThreadRows: int
        ThreadColumns: int
        HeadSlice: int
        ValueSlice: int
    }

/// The tensor-core kernel: warps that multiply, and tiles of keys and values on their way at a time. Hopper has one warpgroup more,
/// of which one thread drives the copy engine.
type TensorSchedule = { Warps: int; Stages: int }

type Schedule =
    | SimdSchedule of SimdSchedule
    | PortableSchedule of PortableSchedule
    | TensorSchedule of TensorSchedule

type TilePlan =
    {
        Target: TargetKind
        Type: ElementType
        /// The dimensions that the kernel's buffers are sized for.
        Dims: HeadDims
        ShapeClass: ShapeClass
        /// Query rows of a work item.
        BlockM: int
        /// Keys of a tile.
        BlockN: int
        Schedule: Schedule
    }

/// What a plan takes of its target.
type Budget = { Registers: int; MemoryBytes: int }

[<RequireQualifiedAccess>]
module TilePlan =
    /// What a target offers a plan's schedule.
    let target kind schedule =
        match kind, schedule with
        | Simd, SimdSchedule schedule -> TargetDescription.simd schedule.VectorBits
        | (Sm80 | Sm90), _ -> TargetDescription.tensor kind
        | _ -> TargetDescription.portable (List.last TargetDescription.portableGroups)

    /// Bytes of one number in the kernel's arithmetic (semantics 13).
    let computeBytes elementType =
        match elementType with
        | Float64 -> 8
        | _ -> 4

    let storageBytes elementType =
        match elementType with
        | Float16
        | BFloat16 -> 2
        | Float32 -> 4
        | Float64 -> 8

    /// Lanes of a vector in the kernel's arithmetic.
    let lanes elementType vectorBits =
        vectorBits / 8 / computeBytes elementType

    /// Query rows of one panel.
    let panelRows (plan: TilePlan) =
        match plan.Schedule with
        | SimdSchedule schedule -> schedule.RowVectors * lanes plan.Type schedule.VectorBits
        | PortableSchedule _
        | TensorSchedule _ -> plan.BlockM

    /// Vector registers of the larger micro-kernel: accumulators, the row vectors and one broadcast.
    let private simdRegisters schedule =
        schedule.RowVectors * max schedule.KeyUnroll schedule.ValueUnroll
        + schedule.RowVectors
        + 1

    // A tile that a user asks for may take more than an int says.
    let private saturated (number: int64) = int (min number (int64 Int32.MaxValue))

    /// Scratch of a thread: a panel's scores; for each panel its queries, outputs and six numbers a row (maximum, sum, rescale,
    /// new maximum, first and last key); and a tile of keys and values, where they are widened or their rows have gaps.
    let private simdScratch (plan: TilePlan) schedule =
        let size = int64 (computeBytes plan.Type)
        let rows, keys = int64 (panelRows plan), int64 plan.BlockN
        let dims = int64 (plan.Dims.HeadDim + plan.Dims.ValueDim)
        let panel = rows * (dims + 6L) * size
        saturated (rows * keys * size + int64 schedule.Panels * panel + keys * dims * size)

    /// Threads that share the rows of one register tile.
    let portableLanes = 8

    /// Registers a thread: scores or outputs, the queries and keys of one step, and some for addresses. Shared memory a group: a
    /// slice of queries and of keys, each row four numbers longer so that threads meet no memory bank together; a slice of values;
    /// the scores, key by key; and a number for each row.
    let private portableBudget (plan: TilePlan) schedule =
        let size = int64 (computeBytes plan.Type)
        let rows, keys = int64 plan.BlockM, int64 plan.BlockN

        let threadRows, threadColumns =
            int64 schedule.ThreadRows, int64 schedule.ThreadColumns

        let outputs = threadRows * int64 plan.Dims.ValueDim / int64 portableLanes
        let scores = threadRows * threadColumns
        let step = 4L * (threadColumns + 1L)
        let slices = (rows + keys) * int64 (schedule.HeadSlice + 4)

        {
            Registers = saturated ((scores + outputs + step) * size / 4L + 40L)
            MemoryBytes = saturated ((slices + keys * int64 schedule.ValueSlice + keys * (rows + 4L) + rows) * size)
        }

    /// Threads of a device group.
    let portableThreads (plan: TilePlan) =
        match plan.Schedule with
        | PortableSchedule schedule -> schedule.Threads
        | _ -> 0

    /// Threads of a tensor-core group.
    let tensorThreads (plan: TilePlan) schedule =
        32 * schedule.Warps + (if plan.Target = Sm90 then 128 else 0)

    /// Registers of a thread that multiplies: a multiprocessor has 65536, which one to three warpgroups share on Hopper with 128 threads
    /// that copy, in multiples of 8 (PTX ISA, "setmaxnreg"); two groups have half of them each.
    let tensorRegisters target blockM groups =
        if target <> Sm90 then 255
        elif blockM > 128 then 160
        elif groups > 1 then 232
        else 240

    /// What two groups leave a thread that multiplies beside warps that search.
    let pairedRegisters = 184

    /// Of those, what rows and addresses take on Hopper.
    let otherRegisters = 32

    /// Registers a thread: scores, outputs, on Hopper rounded probabilities (which its products read while scores change), and some
    /// for rows and addresses. Shared memory: queries, and the stages of keys and values, on Hopper in rows of whole 128 bytes; on
    /// Ampere outputs leave through it; then barriers, ranges and the kinds of tiles.
    let private tensorBudget (plan: TilePlan) schedule =
        let isHopper = plan.Target = Sm90

        let width dimension =
            int64 (if isHopper then (dimension + 63) / 64 * 64 else dimension)

        let rows = int64 plan.BlockM
        let keys = int64 plan.BlockN * (width plan.Dims.HeadDim + width plan.Dims.ValueDim)
        let rowTiles = max 1 (plan.BlockM / 16 / max 1 schedule.Warps)
        let probabilities = if isHopper then plan.BlockN / 4 else 0
        let inputs = rows * width plan.Dims.HeadDim + int64 schedule.Stages * keys
        let outputs = if isHopper then 0L else rows * int64 plan.Dims.ValueDim

        {
            Registers =
                saturated (
                    int64 rowTiles
                    * int64 (plan.BlockN / 2 + plan.Dims.ValueDim / 2 + probabilities)
                    + int64 (if isHopper then otherRegisters else 48)
                )
            MemoryBytes = saturated (2L * max inputs outputs + 2560L)
        }

    let budget (plan: TilePlan) =
        match plan.Schedule with
        | SimdSchedule schedule ->
            {
                Registers = simdRegisters schedule
                MemoryBytes = simdScratch plan schedule
            }
        | PortableSchedule schedule -> portableBudget plan schedule
        | TensorSchedule schedule -> tensorBudget plan schedule

    /// Groups of a Hopper plan that a multiprocessor runs at a time: two of one multiplying warpgroup where it has room for both, and one of
    /// them begins or ends its rows while the other multiplies. A multiprocessor has 228 KB, of which each group takes 1 KB more than it
    /// asks for (CUDA C++ programming guide, "Compute capabilities").
    let tensorGroups (plan: TilePlan) =
        let needs = budget plan

        if
            plan.Target = Sm90
            && plan.BlockM = 64
            && needs.Registers <= pairedRegisters
            && 2 * (needs.MemoryBytes + 1024) <= 228 * 1024
        then
            2
        else
            1

    let private text (value: int) =
        value.ToString CultureInfo.InvariantCulture

    let typeName elementType =
        match elementType with
        | Float16 -> "float16"
        | BFloat16 -> "bfloat16"
        | Float32 -> "float32"
        | Float64 -> "float64"

    let shapeClassName shapeClass =
        match shapeClass with
        | Short -> "short"
        | Long -> "long"
        | Decode -> "decode"

    let private describe (plan: TilePlan) =
        text plan.BlockM
        + " x "
        + text plan.BlockN
        + " at head dimension "
        + text plan.Dims.HeadDim
        + (if plan.Dims.ValueDim = plan.Dims.HeadDim then
               ""
           else
               " and value dimension " + text plan.Dims.ValueDim)
        + " in "
        + typeName plan.Type

    /// What is wrong with the warps or the stages of a tensor-core plan: a kernel is written for rows of 16, on Ampere also of 32, a warp.
    let private tensorMisfit (plan: TilePlan) schedule =
        let name = TargetDescription.name plan.Target

        let rowsOfWarp, stages =
            if plan.Target = Sm90 then
                [ 16 ], [ 1; 2; 4 ]
            else
                [ 32; 16 ], [ 2 ]

        let warps =
            rowsOfWarp
            |> List.filter (fun rows -> plan.BlockM % rows = 0)
            |> List.map (fun rows -> plan.BlockM / rows)

        let among values =
            String.Join(" or ", values |> List.map text)

        if not (List.contains schedule.Warps warps) then
            Some(
                " with "
                + text schedule.Warps
                + " warps: rows are shared by "
                + among warps
                + " on "
                + name
                + "."
            )
        elif not (List.contains schedule.Stages stages) then
            Some(
                " with "
                + text schedule.Stages
                + " stages: "
                + name
                + " has "
                + among stages
                + "."
            )
        else
            None

    /// The plan if it fits its target, or what it needs and what there is.
    let verify (target: TargetDescription) plan =
        let needs = budget plan
        let kilobytes bytes = text ((bytes + 1023) / 1024) + " KB"

        let threads =
            match plan.Schedule with
            | SimdSchedule _ -> 1
            | PortableSchedule schedule -> schedule.Threads
            | TensorSchedule schedule -> tensorThreads plan schedule

        // A warpgroup multiplies 64 rows (PTX ISA, wgmma.mma_async), a pair of warps 32.
        let rows =
            match plan.Target with
            | Sm90 -> 64
            | Sm80 -> 32
            | _ -> 1

        let misfit, registers =
            match plan.Schedule with
            | TensorSchedule schedule -> tensorMisfit plan schedule, tensorRegisters plan.Target plan.BlockM 1
            | _ -> None, target.Registers

        if plan.BlockM < 1 || plan.BlockN < 1 then
            Error(describe plan + ": block sizes are at least 1.")
        elif plan.BlockM % rows <> 0 then
            Error(
                describe plan
                + ": rows come in multiples of "
                + text rows
                + " on "
                + TargetDescription.name target.Kind
                + "."
            )
        elif misfit.IsSome then
            Error(describe plan + misfit.Value)
        elif needs.Registers > registers then
            Error(
                describe plan
                + " needs "
                + text needs.Registers
                + " registers; "
                + TargetDescription.name target.Kind
                + " has "
                + text registers
                + (if registers < target.Registers then
                       " with so many rows."
                   else
                       ".")
            )
        elif needs.MemoryBytes > target.MemoryBytes then
            Error(
                describe plan
                + " needs "
                + kilobytes needs.MemoryBytes
                + (if target.Kind = Simd then
                       " of scratch a thread; "
                   else
                       " of shared memory; ")
                + TargetDescription.name target.Kind
                + " has "
                + kilobytes target.MemoryBytes
                + "."
            )
        elif threads > target.GroupThreads then
            Error(
                describe plan
                + " needs groups of "
                + text threads
                + " threads; "
                + TargetDescription.name target.Kind
                + " has "
                + text target.GroupThreads
                + "."
            )
        else
            Ok plan
