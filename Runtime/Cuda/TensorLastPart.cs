using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// Puts the parts of few rows' keys together inside the attention kernel: the group that is the last to be done with a part of a tile does so,
/// and nobody waits (as Stream-K and split-K products do: the CUDA C++ programming guide, "Memory Fence Functions"). Each row's parts are added
/// in their order, whichever group it is. Where a call does not fit in here, <see cref="TensorMerge"/>'s kernels do it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorLastPart
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private const float Log2E = 1.44269504f;

    // Tiles that a stream's counters are for: more than any device has multiprocessors for.
    internal const int MostTiles = 1024;

    // Rows of a tile that a group is as quick at as a kernel for all rows, which has every multiprocessor for them: some more where rows are few in all,
    // which that kernel has a group for each of.
    private const int MostRows = 16,
        MostRowsOfFew = 24,
        FewRows = 1024;

    // A group takes longer for more than that than all multiprocessors do, with a kernel's start.
    private const int MostBytes = 96 << 10;

    // Of a kernel's shared memory, which starts where a multiple of 1024 bytes does and ends with barriers.
    private const int Beside = 2048;

    /// <summary>Whether a call's parts are put together in its kernel: they fit into shared memory, and a group is done after its part.</summary>
    /// <param name="work">The call's work.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="columns">Columns of the kernel's outputs.</param>
    /// <param name="sharedBytes">Bytes of a group's shared memory.</param>
    internal static bool Takes(in TensorWork work, int groups, int columns, int sharedBytes) =>
        work.Slots > 0
        && work.TilesOfUnit == 1
        && work.Units - work.Whole <= groups
        && work.Slots / work.Parts <= MostTiles
        && (work.Rows <= MostRows || work.Rows <= MostRowsOfFew && work.Slots / work.Parts * work.Rows <= FewRows)
        && (long)work.Parts * work.Rows * RowBytes(columns) <= Math.Min(MostBytes, sharedBytes - Beside);

    /// <summary>
    /// Where the kernel puts parts together: lets the next kernel of the stream begin, and waits for the one before it, which lets this one begin as
    /// early; what it wrote is there then (PTX ISA, griddepcontrol). Such a call is short, and the start of its kernel much of it.
    /// </summary>
    /// <param name="memory">The call's memory, untouched until then.</param>
    [MethodImpl(Inline)]
    public static void Follow(in TensorMemory memory)
    {
        if (memory.Arrivals != 0)
            CudaAsm.Emit("griddepcontrol.launch_dependents; griddepcontrol.wait;");
    }

    /// <summary>
    /// Behind all stores of a group: puts the parts of a tile together, if the group's part of it was the last one. All threads that stored
    /// come here.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">Its memory.</param>
    /// <param name="shared">Shared memory that nobody uses any more.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    /// <param name="columns">Columns of the kernel's outputs.</param>
    /// <param name="barrier">A named barrier of these threads.</param>
    /// <param name="thread">The thread's number among them.</param>
    /// <param name="threads">How many they are.</param>
    [MethodImpl(Inline)]
    public static void Merge(
        in PortableCall call,
        in TensorMemory memory,
        int shared,
        int tileRows,
        int columns,
        int barrier,
        int thread,
        int threads
    )
    {
        int unit = TensorItem.Unit(memory, memory.Work.ByGroups.Into(memory.Work.Whole), false);
        if (memory.Arrivals == 0 | unit >= memory.Work.Units)
            return;
        int tile = memory.Work.ByParts.Into(unit - memory.Work.Whole);
        if (IsLast(memory.Arrivals + sizeof(int) * tile, memory.Work.Parts - 1, barrier, thread, threads) == 0)
            return;
        TensorPlace place = TensorPlace.Of(memory.Work, unit, false, tileRows, call.QueryLength, false);
        long source = memory.Parts + (long)tile * memory.Work.Parts * memory.Work.Rows * RowBytes(columns);
        int warps = threads >> 5,
            lane = thread & 31;
        // A warp has its rows for itself. All that it fetches is under way together, the log-sum-exps first: weights are there when outputs are.
        for (int row = thread >> 5; TensorLoop.IsBelow(row, memory.Work.Rows); row += warps)
            if (place.Has(memory.Work, row, call.GroupSize))
                FetchLogSumExps(memory, source, shared, columns, row, lane);
        CudaAsm.Emit("cp.async.commit_group;");
        for (int row = thread >> 5; TensorLoop.IsBelow(row, memory.Work.Rows); row += warps)
            if (place.Has(memory.Work, row, call.GroupSize))
                FetchOutputs(memory, source, shared, columns, row, lane);
        CudaAsm.Emit("cp.async.commit_group; cp.async.wait_group 1;");
        for (int row = thread >> 5; TensorLoop.IsBelow(row, memory.Work.Rows); row += warps)
            if (place.Has(memory.Work, row, call.GroupSize))
                Weigh(call, memory, place, shared, columns, row, lane);
        CudaAsm.Emit("cp.async.wait_group 0; bar.warp.sync -1; .reg .f32 merged<4>;");
        for (int row = thread >> 5; TensorLoop.IsBelow(row, memory.Work.Rows); row += warps)
            if (place.Has(memory.Work, row, call.GroupSize))
                Add(call, memory, place, shared, columns, row, lane);
    }

    // Each thread those that it looks at.
    [MethodImpl(Inline)]
    private static void FetchLogSumExps(in TensorMemory memory, long source, int shared, int columns, int row, int lane)
    {
        int toNext = memory.Work.Rows * RowBytes(columns);
        for (int part = lane; TensorLoop.IsBelow(part, memory.Work.Parts); part += 32)
        {
            int at = part * toNext + row * RowBytes(columns) + 4 * columns;
            CudaAsm.Emit("cp.async.ca.shared.global [%0], [%1], 4;", shared + at, source + at);
        }
    }

    // Each thread the four columns that it adds up, of eight parts at a time.
    [MethodImpl(Inline)]
    private static void FetchOutputs(in TensorMemory memory, long source, int shared, int columns, int row, int lane)
    {
        const string Next =
            "setp.gt.s32 there, left, 0; @there cp.async.cg.shared.global [to], [from], 16; add.s32 to, to, %2; add.s64 from, from, step; sub.s32 left, left, 1;\n";
        int toNext = memory.Work.Rows * RowBytes(columns);
        for (int column = 4 * lane; TensorLoop.IsBelow(column, columns); column += 4 * 32)
        for (int part = 0; TensorLoop.IsBelow(part, memory.Work.Parts); part += 8)
        {
            int at = part * toNext + row * RowBytes(columns) + 4 * column;
            CudaAsm.Emit(
                "{ .reg .pred there; .reg .b32 to, left; .reg .b64 from, step; mov.b32 to, %0; mov.b64 from, %1; cvt.s64.s32 step, %2; mov.b32 left, %3;\n"
                    + (Next + Next + Next + Next + Next + Next + Next + Next)
                    + "}",
                shared + at,
                source + at,
                toNext,
                memory.Work.Parts - part
            );
        }
    }

    // Weights take the place of the parts' log-sum-exps, over their sum; the row's own is stored.
    [MethodImpl(Inline)]
    private static void Weigh(
        in PortableCall call,
        in TensorMemory memory,
        in TensorPlace place,
        int shared,
        int columns,
        int row,
        int lane
    )
    {
        int toNext = memory.Work.Rows * RowBytes(columns),
            sums = shared + row * RowBytes(columns) + 4 * columns,
            first = sums + lane * toNext,
            end = sums + memory.Work.Parts * toNext;
        float largest = float.NegativeInfinity,
            total = 0;
        for (int at = first; TensorLoop.IsBelow(at, end); at += 32 * toNext)
            largest = Math.Max(largest, Load(at));
        for (int mask = 16; mask > 0; mask /= 2)
            largest = Math.Max(largest, Warp.ShuffleXor(largest, mask));
        float shift = TensorMerge.Shift(largest);
        for (int at = first; TensorLoop.IsBelow(at, end); at += 32 * toNext)
            total += Exp(Load(at) - shift);
        total = TensorWarp.Sum(total);
        float inverse = TensorMerge.Inverse(total);
        for (int at = first; TensorLoop.IsBelow(at, end); at += 32 * toNext)
            CudaAsm.Emit("st.shared.f32 [%0], %1;", at, inverse * Exp(Load(at) - shift));
        if (lane == 0 & memory.LogSumExp != 0)
        {
            long number =
                ((long)place.Batch * call.QueryHeads + Head(call, memory, place, row)) * call.QueryLength
                + Query(memory, place, row);
            StoreLogSumExp(memory.LogSumExp + 4 * number, shift, total);
        }
    }

    // Each thread four columns, of eight parts at a time.
    [MethodImpl(Inline)]
    private static void Add(
        in PortableCall call,
        in TensorMemory memory,
        in TensorPlace place,
        int shared,
        int columns,
        int row,
        int lane
    )
    {
        const string Next =
            "setp.gt.s32 there, left, 0; @there ld.shared.f32 weight, [sum]; @there ld.shared.v4.f32 {part0, part1, part2, part3}, [own]; @there fma.rn.f32 merged0, weight, part0, merged0; @there fma.rn.f32 merged1, weight, part1, merged1; @there fma.rn.f32 merged2, weight, part2, merged2; @there fma.rn.f32 merged3, weight, part3, merged3; add.s32 sum, sum, %2; add.s32 own, own, %2; sub.s32 left, left, 1;\n";
        int toNext = memory.Work.Rows * RowBytes(columns),
            outputs = shared + row * RowBytes(columns);
        long output =
            memory.Output
            + 2
                * (
                    place.Batch * call.OutputStrides.Batch
                    + Head(call, memory, place, row) * call.OutputStrides.Head
                    + Query(memory, place, row) * call.OutputStrides.Row
                );
        for (int column = 4 * lane; TensorLoop.IsBelow(column, call.ValueDim); column += 4 * 32)
        {
            CudaAsm.Emit("mov.b32 merged0, 0; mov.b32 merged1, 0; mov.b32 merged2, 0; mov.b32 merged3, 0;");
            for (int part = 0; TensorLoop.IsBelow(part, memory.Work.Parts); part += 8)
                CudaAsm.Emit(
                    "{ .reg .pred there; .reg .b32 sum, own, left; .reg .f32 weight, part<4>; mov.b32 sum, %0; mov.b32 own, %1; mov.b32 left, %3;\n"
                        + (Next + Next + Next + Next + Next + Next + Next + Next)
                        + "}",
                    outputs + part * toNext + 4 * columns,
                    outputs + part * toNext + 4 * column,
                    toNext,
                    memory.Work.Parts - part
                );
            Store(output + 2 * column, call.ValueDim - column);
        }
    }

    [MethodImpl(Inline)]
    private static int Head(in PortableCall call, in TensorMemory memory, in TensorPlace place, int row) =>
        place.KeyHead * call.GroupSize + place.HeadOf(memory.Work, row);

    [MethodImpl(Inline)]
    private static int Query(in TensorMemory memory, in TensorPlace place, int row) =>
        place.FirstRow + (row >> memory.Work.HeadBits);

    [MethodImpl(Inline)]
    private static float Exp(float value) => TensorMath.Exp2(value * Log2E);

    // Not 0 where all parts of a tile are stored, for every thread, and what other groups stored is to be seen then. The counter is 0 again
    // behind the last part.
    [MethodImpl(Inline)]
    private static int IsLast(long arrivals, int lastPart, int barrier, int thread, int threads)
    {
        CudaAsm.Emit(
            """
            {
            .reg .pred first, last;
            .reg .b32 before;
            bar.sync %4, %5;
            setp.eq.s32 first, %3, 0;
            mov.b32 before, -1;
            @first atom.acq_rel.gpu.global.inc.u32 before, [%1], %2;
            setp.eq.u32 last, before, %2;
            bar.red.or.pred last, %4, %5, last;
            selp.b32 %0, 1, 0, last;
            }
            """,
            out int isLast,
            arrivals,
            lastPart,
            thread,
            barrier,
            threads
        );
        return isLast;
    }

    [MethodImpl(Inline)]
    private static float Load(int address)
    {
        CudaAsm.Emit("ld.shared.f32 %0, [%1];", out float value, address);
        return value;
    }

    // A thread's four 16-bit outputs, those of them that are columns; the conversion is that of the kernel's type.
    [MethodImpl(Inline)]
    private static void Store(long address, int columns) =>
        CudaAsm.Emit(
            """
            {
            .reg .pred there;
            .reg .b32 both;
            .reg .b16 one, other;
            cvt.rn.f16x2.f32 both, merged1, merged0; mov.b32 {one, other}, both;
            setp.gt.s32 there, %1, 0; @there st.global.b16 [%0], one; setp.gt.s32 there, %1, 1; @there st.global.b16 [%0+2], other;
            cvt.rn.f16x2.f32 both, merged3, merged2; mov.b32 {one, other}, both;
            setp.gt.s32 there, %1, 2; @there st.global.b16 [%0+4], one; setp.gt.s32 there, %1, 3; @there st.global.b16 [%0+6], other;
            }
            """,
            address,
            columns
        );

    // shift + log(total), which is -inf for a total of 0.
    [MethodImpl(Inline)]
    private static void StoreLogSumExp(long address, float shift, float total) =>
        CudaAsm.Emit(
            "{ .reg .f32 sum; lg2.approx.f32 sum, %2; fma.rn.f32 sum, sum, 0f3F317218, %1; st.global.f32 [%0], sum; }",
            address,
            shift,
            total
        );

    private static int RowBytes(int columns) => sizeof(float) * TensorMerge.RowFloats(columns);
}
