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

    // Rows of a tile that one warpgroup has.
    private const int MostRows = 64;

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
        && work.Rows <= MostRows
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
        int unit = TensorItem.Unit(memory, memory.Work.Whole / Grid.DimX);
        if (memory.Arrivals == 0 | unit >= memory.Work.Units)
            return;
        TensorPlace place = TensorPlace.Of(memory.Work, (uint)unit, false, tileRows, call.QueryLength);
        int tile = (place.Slot - place.Part) / memory.Work.Parts;
        if (IsLast(memory.Arrivals + sizeof(int) * tile, memory.Work.Parts - 1, barrier, thread, threads) == 0)
            return;
        long source = memory.Parts + (long)tile * memory.Work.Parts * memory.Work.Rows * RowBytes(columns);
        int warps = threads >> 5,
            lane = thread & 31;
        for (int row = thread >> 5; TensorLoop.IsBelow(row, memory.Work.Rows); row += warps)
            Fetch(call, memory, place, source, shared, columns, row, lane);
        CudaAsm.Emit("cp.async.wait_all; bar.sync %0, %1;", barrier, threads);
        for (int row = thread >> 5; TensorLoop.IsBelow(row, memory.Work.Rows); row += warps)
            MergeRow(call, memory, place, shared, columns, row, lane);
    }

    // What the parts have of a row, for the warp: its outputs and its log-sum-exp, and nothing that is not stored.
    [MethodImpl(Inline)]
    private static void Fetch(
        in PortableCall call,
        in TensorMemory memory,
        in TensorPlace place,
        long source,
        int shared,
        int columns,
        int row,
        int lane
    )
    {
        int toNext = memory.Work.Rows * RowBytes(columns),
            end = memory.Work.Parts * toNext;
        if (!place.Has(memory.Work, row, call.GroupSize))
            return;
        for (int part = row * RowBytes(columns); part < end; part += toNext)
        {
            for (int at = part + 16 * lane; TensorLoop.IsBelow(at, part + 4 * columns); at += 16 * 32)
                CudaAsm.Emit("cp.async.cg.shared.global [%0], [%1], 16;", shared + at, source + at);
            if (lane == 0)
                CudaAsm.Emit(
                    "cp.async.ca.shared.global [%0], [%1], 4;",
                    shared + part + 4 * columns,
                    source + part + 4 * columns
                );
        }
    }

    // A warp's: first the weights take the place of the parts' log-sum-exps, then a thread sums every 32nd column.
    [MethodImpl(Inline)]
    private static void MergeRow(
        in PortableCall call,
        in TensorMemory memory,
        in TensorPlace place,
        int shared,
        int columns,
        int row,
        int lane
    )
    {
        if (!place.Has(memory.Work, row, call.GroupSize))
            return;
        int toNext = memory.Work.Rows * RowBytes(columns),
            outputs = shared + row * RowBytes(columns),
            end = outputs + memory.Work.Parts * toNext,
            sums = 4 * columns;
        float largest = float.NegativeInfinity,
            total = 0;
        for (int at = outputs + lane * toNext; TensorLoop.IsBelow(at, end); at += 32 * toNext)
            largest = Math.Max(largest, Load(at + sums));
        for (int mask = 16; mask > 0; mask /= 2)
            largest = Math.Max(largest, Warp.ShuffleXor(largest, mask));
        float shift = TensorMerge.Shift(largest);
        for (int at = outputs + lane * toNext; TensorLoop.IsBelow(at, end); at += 32 * toNext)
        {
            float weight = TensorMath.Exp2((Load(at + sums) - shift) * Log2E);
            total += weight;
            CudaAsm.Emit("st.shared.f32 [%0], %1;", at + sums, weight);
        }
        total = TensorWarp.Sum(total);
        CudaAsm.Emit("bar.warp.sync -1;");
        int head = place.KeyHead * call.GroupSize + place.HeadOf(memory.Work, row),
            query = place.FirstRow + (row >> memory.Work.HeadBits);
        long output =
            place.Batch * call.OutputStrides.Batch + head * call.OutputStrides.Head + query * call.OutputStrides.Row;
        float inverse = TensorMerge.Inverse(total);
        for (int column = lane; TensorLoop.IsBelow(column, call.ValueDim); column += 128)
        {
            float sum0 = 0,
                sum1 = 0,
                sum2 = 0,
                sum3 = 0;
            // Behind the last column is what another warp changes.
            int last = columns - column;
            for (int at = outputs; at < end; at += toNext)
            {
                float weight = Load(at + sums);
                int own = at + 4 * column;
                sum0 += weight * Load(own, last);
                sum1 += weight * Load(own + 4 * 32, last - 32);
                sum2 += weight * Load(own + 4 * 64, last - 64);
                sum3 += weight * Load(own + 4 * 96, last - 96);
            }
            long address = memory.Output + 2 * (output + column);
            int left = call.ValueDim - column;
            Store(address, sum0 * inverse, left);
            Store(address + 2 * 32, sum1 * inverse, left - 32);
            Store(address + 2 * 64, sum2 * inverse, left - 64);
            Store(address + 2 * 96, sum3 * inverse, left - 96);
        }
        if (lane == 0 & memory.LogSumExp != 0)
            StoreLogSumExp(
                memory.LogSumExp + 4 * (((long)place.Batch * call.QueryHeads + head) * call.QueryLength + query),
                shift,
                total
            );
    }

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

    // A number where it is one of the columns, else 0.
    [MethodImpl(Inline)]
    private static float Load(int address, int columns)
    {
        CudaAsm.Emit(
            "{ .reg .pred there; setp.gt.s32 there, %2, 0; mov.b32 %0, 0; @there ld.shared.f32 %0, [%1]; }",
            out float value,
            address,
            columns
        );
        return value;
    }

    // A 16-bit output where it is one of the columns; the conversion is that of the kernel's type.
    [MethodImpl(Inline)]
    private static void Store(long address, float value, int columns) =>
        CudaAsm.Emit(
            "{ .reg .pred there; .reg .b32 both; .reg .b16 one, other; setp.gt.s32 there, %2, 0; cvt.rn.f16x2.f32 both, %1, %1; mov.b32 {one, other}, both; @there st.global.b16 [%0], one; }",
            address,
            value,
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
