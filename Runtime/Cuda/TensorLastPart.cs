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
    internal const int MostRowsOfFew = 24;
    private const int MostRows = 16,
        FewRows = 1024;

    // A group takes longer for more than that than all multiprocessors do, with a kernel's start.
    private const int MostBytes = 96 << 10;

    // Parts of a row that a warp fetches at a time, each thread four columns of each.
    private const int AtATime = 16,
        ColumnsOfWarp = 4 * 32;

    /// <summary>Whether a call's parts are put together in its kernel: they are few, and a group is done after its part.</summary>
    /// <param name="work">The call's work.</param>
    /// <param name="groups">Its groups.</param>
    /// <param name="columns">Columns of the kernel's outputs.</param>
    internal static bool Takes(in TensorWork work, int groups, int columns) =>
        work.Slots > 0
        && work.TilesOfUnit == 1
        && work.Units - work.Whole <= groups
        && work.Slots / work.Parts <= MostTiles
        && (work.Rows <= MostRows || work.Rows <= MostRowsOfFew && work.Slots / work.Parts * work.Rows <= FewRows)
        && (long)work.Parts * work.Rows * RowBytes(columns) <= MostBytes;

    /// <summary>
    /// Where the kernel puts parts together: lets the next kernel of the stream begin. Such a call is short, and the start of its kernel much of it
    /// (PTX ISA, griddepcontrol). Other kernels do not have it (<see cref="PtxPatch"/>).
    /// </summary>
    [MethodImpl(Inline)]
    public static void LetNextBegin() => CudaAsm.Emit("griddepcontrol.launch_dependents;");

    /// <summary>There, too: waits for the kernel before this one, which let it begin as early: what that one wrote is there then, and no memory is touched before.</summary>
    [MethodImpl(Inline)]
    public static void Follow() => CudaAsm.Emit("griddepcontrol.wait;");

    /// <summary>
    /// Behind all stores of a group: puts the parts of a tile together, if the group's part of it was the last one. All threads that stored
    /// come here.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">Its memory.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    /// <param name="columns">Columns of the kernel's outputs.</param>
    /// <param name="barrier">A named barrier of these threads.</param>
    /// <param name="thread">The thread's number among them.</param>
    /// <param name="threads">How many they are.</param>
    [MethodImpl(Inline)]
    public static void Merge(
        in PortableCall call,
        in TensorMemory memory,
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
        // What is known before the counter answers need not wait for it.
        int tile = memory.Work.ByParts.Into(unit - memory.Work.Whole),
            rowBytes = RowBytes(columns),
            blocks = (columns + ColumnsOfWarp - 1) / ColumnsOfWarp,
            warp = TensorWarp.Uniform(thread >> 5);
        TensorPlace place = TensorPlace.Of(memory.Work, unit, false, tileRows, call.QueryLength, false);
        long source = memory.Parts + (long)(tile * memory.Work.Parts) * (memory.Work.Rows * rowBytes);
        if (IsLast(memory.Arrivals + sizeof(int) * tile, memory.Work.Parts - 1, barrier, thread, threads) == 0)
            return;
        CudaAsm.Emit(".reg .f32 merged<4>, part<64>;");
        for (int number = warp; TensorLoop.IsBelow(number, memory.Work.Rows * blocks); number += threads >> 5)
        {
            int row = number / blocks,
                column = (number - row * blocks) * ColumnsOfWarp + 4 * (thread & 31);
            if (place.Has(memory.Work, row, call.GroupSize))
                MergeRow(call, memory, place, source + row * rowBytes, columns, row, column);
        }
    }

    // A warp's row, of which each thread has four columns: some parts after others, whose outputs and log-sum-exps are under way together.
    [MethodImpl(Inline)]
    private static void MergeRow(
        in PortableCall call,
        in TensorMemory memory,
        in TensorPlace place,
        long source,
        int columns,
        int row,
        int column
    )
    {
        int parts = memory.Work.Parts,
            toNext = memory.Work.Rows * RowBytes(columns);
        float shift = 0,
            largest = float.NegativeInfinity,
            total = 0;
        CudaAsm.Emit("mov.b32 merged0, 0; mov.b32 merged1, 0; mov.b32 merged2, 0; mov.b32 merged3, 0;");
        for (int first = 0; TensorLoop.IsBelow(first, parts); first += AtATime)
        {
            // Both halves of a warp look at the same log-sum-exps.
            int part = first + (column / 4 & (AtATime - 1)),
                left = column < columns ? parts - first : 0;
            Fetch(source + first * toNext + 4 * column, toNext, left);
            float sum = LogSumExp(source + part * toNext + 4 * columns, part < parts ? 1 : 0),
                before = largest;
            largest = Math.Max(largest, TensorWarp.MaxOfHalf(sum));
            shift = TensorMerge.Shift(largest);
            float fade = Exp(before - shift),
                weight = Exp(sum - shift);
            total = total * fade + TensorWarp.SumOfHalf(weight);
            Fade(fade);
            Add(weight);
        }
        Fade(TensorMerge.Inverse(total));
        if (column == 0 & memory.LogSumExp != 0)
            StoreLogSumExp(memory.LogSumExp + 4 * Number(call, memory, place, row), shift, total);
        long output =
            memory.Output
            + 2
                * (
                    place.Batch * call.OutputStrides.Batch
                    + Head(call, memory, place, row) * call.OutputStrides.Head
                    + Query(memory, place, row) * call.OutputStrides.Row
                );
        Store(output + 2 * column, call.ValueDim - column);
    }

    // The row's number among all.
    [MethodImpl(Inline)]
    private static long Number(in PortableCall call, in TensorMemory memory, in TensorPlace place, int row) =>
        ((long)place.Batch * call.QueryHeads + Head(call, memory, place, row)) * call.QueryLength
        + Query(memory, place, row);

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

    // Four columns of the next parts, as many as are left of them, and zeros.
    [MethodImpl(Inline)]
    private static void Fetch(long address, int toNext, int left) =>
        CudaAsm.Emit(
            """
            {
            .reg .pred there;
            .reg .b64 from, step;
            mov.b64 from, %0; cvt.s64.s32 step, %1;
            setp.gt.s32 there, %2, 0; mov.b32 part0, 0; mov.b32 part1, 0; mov.b32 part2, 0; mov.b32 part3, 0; @there ld.global.cg.v4.f32 {part0, part1, part2, part3}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 1; mov.b32 part4, 0; mov.b32 part5, 0; mov.b32 part6, 0; mov.b32 part7, 0; @there ld.global.cg.v4.f32 {part4, part5, part6, part7}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 2; mov.b32 part8, 0; mov.b32 part9, 0; mov.b32 part10, 0; mov.b32 part11, 0; @there ld.global.cg.v4.f32 {part8, part9, part10, part11}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 3; mov.b32 part12, 0; mov.b32 part13, 0; mov.b32 part14, 0; mov.b32 part15, 0; @there ld.global.cg.v4.f32 {part12, part13, part14, part15}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 4; mov.b32 part16, 0; mov.b32 part17, 0; mov.b32 part18, 0; mov.b32 part19, 0; @there ld.global.cg.v4.f32 {part16, part17, part18, part19}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 5; mov.b32 part20, 0; mov.b32 part21, 0; mov.b32 part22, 0; mov.b32 part23, 0; @there ld.global.cg.v4.f32 {part20, part21, part22, part23}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 6; mov.b32 part24, 0; mov.b32 part25, 0; mov.b32 part26, 0; mov.b32 part27, 0; @there ld.global.cg.v4.f32 {part24, part25, part26, part27}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 7; mov.b32 part28, 0; mov.b32 part29, 0; mov.b32 part30, 0; mov.b32 part31, 0; @there ld.global.cg.v4.f32 {part28, part29, part30, part31}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 8; mov.b32 part32, 0; mov.b32 part33, 0; mov.b32 part34, 0; mov.b32 part35, 0; @there ld.global.cg.v4.f32 {part32, part33, part34, part35}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 9; mov.b32 part36, 0; mov.b32 part37, 0; mov.b32 part38, 0; mov.b32 part39, 0; @there ld.global.cg.v4.f32 {part36, part37, part38, part39}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 10; mov.b32 part40, 0; mov.b32 part41, 0; mov.b32 part42, 0; mov.b32 part43, 0; @there ld.global.cg.v4.f32 {part40, part41, part42, part43}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 11; mov.b32 part44, 0; mov.b32 part45, 0; mov.b32 part46, 0; mov.b32 part47, 0; @there ld.global.cg.v4.f32 {part44, part45, part46, part47}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 12; mov.b32 part48, 0; mov.b32 part49, 0; mov.b32 part50, 0; mov.b32 part51, 0; @there ld.global.cg.v4.f32 {part48, part49, part50, part51}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 13; mov.b32 part52, 0; mov.b32 part53, 0; mov.b32 part54, 0; mov.b32 part55, 0; @there ld.global.cg.v4.f32 {part52, part53, part54, part55}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 14; mov.b32 part56, 0; mov.b32 part57, 0; mov.b32 part58, 0; mov.b32 part59, 0; @there ld.global.cg.v4.f32 {part56, part57, part58, part59}, [from]; add.s64 from, from, step;
            setp.gt.s32 there, %2, 15; mov.b32 part60, 0; mov.b32 part61, 0; mov.b32 part62, 0; mov.b32 part63, 0; @there ld.global.cg.v4.f32 {part60, part61, part62, part63}, [from];
            }
            """,
            address,
            toNext,
            left
        );

    // They are added in their order, each by the weight that a thread of the warp has.
    [MethodImpl(Inline)]
    private static void Add(float weight) =>
        CudaAsm.Emit(
            """
            {
            .reg .f32 weight;
            shfl.sync.idx.b32 weight, %0, 0, 31, 0xffffffff; fma.rn.f32 merged0, weight, part0, merged0; fma.rn.f32 merged1, weight, part1, merged1; fma.rn.f32 merged2, weight, part2, merged2; fma.rn.f32 merged3, weight, part3, merged3;
            shfl.sync.idx.b32 weight, %0, 1, 31, 0xffffffff; fma.rn.f32 merged0, weight, part4, merged0; fma.rn.f32 merged1, weight, part5, merged1; fma.rn.f32 merged2, weight, part6, merged2; fma.rn.f32 merged3, weight, part7, merged3;
            shfl.sync.idx.b32 weight, %0, 2, 31, 0xffffffff; fma.rn.f32 merged0, weight, part8, merged0; fma.rn.f32 merged1, weight, part9, merged1; fma.rn.f32 merged2, weight, part10, merged2; fma.rn.f32 merged3, weight, part11, merged3;
            shfl.sync.idx.b32 weight, %0, 3, 31, 0xffffffff; fma.rn.f32 merged0, weight, part12, merged0; fma.rn.f32 merged1, weight, part13, merged1; fma.rn.f32 merged2, weight, part14, merged2; fma.rn.f32 merged3, weight, part15, merged3;
            shfl.sync.idx.b32 weight, %0, 4, 31, 0xffffffff; fma.rn.f32 merged0, weight, part16, merged0; fma.rn.f32 merged1, weight, part17, merged1; fma.rn.f32 merged2, weight, part18, merged2; fma.rn.f32 merged3, weight, part19, merged3;
            shfl.sync.idx.b32 weight, %0, 5, 31, 0xffffffff; fma.rn.f32 merged0, weight, part20, merged0; fma.rn.f32 merged1, weight, part21, merged1; fma.rn.f32 merged2, weight, part22, merged2; fma.rn.f32 merged3, weight, part23, merged3;
            shfl.sync.idx.b32 weight, %0, 6, 31, 0xffffffff; fma.rn.f32 merged0, weight, part24, merged0; fma.rn.f32 merged1, weight, part25, merged1; fma.rn.f32 merged2, weight, part26, merged2; fma.rn.f32 merged3, weight, part27, merged3;
            shfl.sync.idx.b32 weight, %0, 7, 31, 0xffffffff; fma.rn.f32 merged0, weight, part28, merged0; fma.rn.f32 merged1, weight, part29, merged1; fma.rn.f32 merged2, weight, part30, merged2; fma.rn.f32 merged3, weight, part31, merged3;
            shfl.sync.idx.b32 weight, %0, 8, 31, 0xffffffff; fma.rn.f32 merged0, weight, part32, merged0; fma.rn.f32 merged1, weight, part33, merged1; fma.rn.f32 merged2, weight, part34, merged2; fma.rn.f32 merged3, weight, part35, merged3;
            shfl.sync.idx.b32 weight, %0, 9, 31, 0xffffffff; fma.rn.f32 merged0, weight, part36, merged0; fma.rn.f32 merged1, weight, part37, merged1; fma.rn.f32 merged2, weight, part38, merged2; fma.rn.f32 merged3, weight, part39, merged3;
            shfl.sync.idx.b32 weight, %0, 10, 31, 0xffffffff; fma.rn.f32 merged0, weight, part40, merged0; fma.rn.f32 merged1, weight, part41, merged1; fma.rn.f32 merged2, weight, part42, merged2; fma.rn.f32 merged3, weight, part43, merged3;
            shfl.sync.idx.b32 weight, %0, 11, 31, 0xffffffff; fma.rn.f32 merged0, weight, part44, merged0; fma.rn.f32 merged1, weight, part45, merged1; fma.rn.f32 merged2, weight, part46, merged2; fma.rn.f32 merged3, weight, part47, merged3;
            shfl.sync.idx.b32 weight, %0, 12, 31, 0xffffffff; fma.rn.f32 merged0, weight, part48, merged0; fma.rn.f32 merged1, weight, part49, merged1; fma.rn.f32 merged2, weight, part50, merged2; fma.rn.f32 merged3, weight, part51, merged3;
            shfl.sync.idx.b32 weight, %0, 13, 31, 0xffffffff; fma.rn.f32 merged0, weight, part52, merged0; fma.rn.f32 merged1, weight, part53, merged1; fma.rn.f32 merged2, weight, part54, merged2; fma.rn.f32 merged3, weight, part55, merged3;
            shfl.sync.idx.b32 weight, %0, 14, 31, 0xffffffff; fma.rn.f32 merged0, weight, part56, merged0; fma.rn.f32 merged1, weight, part57, merged1; fma.rn.f32 merged2, weight, part58, merged2; fma.rn.f32 merged3, weight, part59, merged3;
            shfl.sync.idx.b32 weight, %0, 15, 31, 0xffffffff; fma.rn.f32 merged0, weight, part60, merged0; fma.rn.f32 merged1, weight, part61, merged1; fma.rn.f32 merged2, weight, part62, merged2; fma.rn.f32 merged3, weight, part63, merged3;
            }
            """,
            weight
        );

    [MethodImpl(Inline)]
    private static void Fade(float factor) =>
        CudaAsm.Emit(
            "mul.rn.f32 merged0, merged0, %0; mul.rn.f32 merged1, merged1, %0; mul.rn.f32 merged2, merged2, %0; mul.rn.f32 merged3, merged3, %0;",
            factor
        );

    // A part's log-sum-exp, that of nothing where there is no such part.
    [MethodImpl(Inline)]
    private static float LogSumExp(long address, int isThere)
    {
        CudaAsm.Emit(
            "{ .reg .pred there; setp.ne.s32 there, %2, 0; mov.b32 %0, 0fFF800000; @there ld.global.cg.f32 %0, [%1]; }",
            out float sum,
            address,
            isThere
        );
        return sum;
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
