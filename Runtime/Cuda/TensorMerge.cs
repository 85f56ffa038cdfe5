using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>
/// Puts the results of the parts of keys together where <see cref="TensorLastPart"/> does not, in a kernel of its own: outputs weighted by exp(log-sum-exp), in the same order every time (Flash-Decoding, as in
/// the FlashAttention repository's blog of October 2023).
/// </summary>
internal static class TensorMerge
{
    /// <summary>The most parts that a call's keys are split into.</summary>
    public const int MostParts = 256;

    // Threads of a group at most.
    private const int Threads = 256;

    // Of a thread where rows are many.
    private const int ColumnsOfThread = 8;

    /// <summary>The kernel for few rows: a group has some columns of one, a share of it some of the parts, all under way at once.</summary>
    public static TensorKernel OfFewRows { get; } = Of(nameof(MergeFewRows));

    /// <summary>The kernel for many rows: a thread has some columns of one, and needs no other thread.</summary>
    public static TensorKernel OfManyRows { get; } = Of(nameof(MergeManyRows));

    /// <summary>Floats that the parts of a call take.</summary>
    /// <param name="work">The call's work.</param>
    /// <param name="columns">Columns of the kernel's outputs.</param>
    public static long Floats(in TensorWork work, int columns) => (long)work.Slots * work.Rows * RowFloats(columns);

    /// <summary>Floats that a row's results of a part take: its outputs and its log-sum-exp, in whole sectors of 32 bytes.</summary>
    public static int RowFloats(int columns) => columns + 8;

    /// <summary>How a device's threads share the merge.</summary>
    /// <param name="work">The call's rows and parts.</param>
    /// <param name="valueDim">Columns of an output.</param>
    /// <param name="processors">The device's multiprocessors.</param>
    /// <param name="mostThreads">The most threads that a group of the device has.</param>
    /// <returns>The kernel, the groups and their threads, and the kernel's last number: shares of a group, or threads of a row.</returns>
    public static (TensorKernel Kernel, int Groups, int Threads, int OfRow) Distribution(
        in TensorWork work,
        int valueDim,
        int processors,
        int mostThreads = Threads
    )
    {
        // Where each multiprocessor would have more than a quarter of its warps for them, rows are many.
        const int WarpsOfProcessor = 64;
        int rows = work.Slots / work.Parts * work.Rows,
            threads = Math.Min(Threads, mostThreads),
            mostWarps = threads / 32,
            warps = (valueDim + 31) / 32;
        if ((long)rows * warps * 4 > (long)WarpsOfProcessor * processors)
        {
            int threadsOfRow = (valueDim + ColumnsOfThread - 1) / ColumnsOfThread;
            long all = (long)rows * threadsOfRow;
            return (OfManyRows, (int)((all + threads - 1) / threads), threads, threadsOfRow);
        }
        int shares =
                (int)
                    Math.Clamp(
                        (long)WarpsOfProcessor * processors / ((long)rows * warps),
                        1,
                        Math.Min(mostWarps, work.Parts)
                    ),
            width = Math.Min(warps, mostWarps / shares) * 32;
        return (OfFewRows, rows * ((valueDim + width - 1) / width), width * shares, shares);
    }

    private static TensorKernel Of(string method) =>
        new(
            Threads,
            blockM: 0,
            blockN: 0,
            sharedBytes: 0,
            groups: 1,
            () => typeof(TensorMerge).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!
        );

    // A group has as many columns of a row as there are threads in a share, each share every so many parts.
    private static void MergeFewRows(
        PortableCall call,
        TensorWork work,
        ArrayView<float> parts,
        ArrayView<ushort> outputs,
        ArrayView<float> logSumExp,
        int tileRows,
        int columns,
        int isBFloat16,
        int shares
    )
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(Threads);
        int count = work.Parts,
            rows = work.Slots / count * work.Rows,
            width = Group.DimX / shares,
            share = Group.IdxX / width,
            block = Grid.IdxX / rows,
            column = block * width + Group.IdxX - share * width,
            lane = Group.IdxX & 31;
        MergedRow row = MergedRow.Of(call, work, Grid.IdxX - block * rows, tileRows, columns);
        if (!row.Exists)
            return;
        // A warp looks at all parts' sums for itself. They and the first two outputs are under way together.
        float output = PartOutput(parts, call, row, share, count, column),
            nextOutput = PartOutput(parts, call, row, share + shares, count, column),
            own = PartLogSumExp(parts, row, lane, count, columns),
            largest = own;
        for (int part = lane + 32; part < count; part += 32)
            largest = Math.Max(largest, PartLogSumExp(parts, row, part, count, columns));
        float shift = Shift(TensorWarp.Max(largest)),
            total = PortableMath.ExpDown(own - shift);
        for (int part = lane + 32; part < count; part += 32)
            total += PortableMath.ExpDown(PartLogSumExp(parts, row, part, count, columns) - shift);
        total = TensorWarp.Sum(total);
        float sum = 0;
        for (int part = share; part < count; part += 2 * shares)
        {
            sum += PortableMath.ExpDown(PartLogSumExp(parts, row, part, count, columns) - shift) * output;
            sum += PortableMath.ExpDown(PartLogSumExp(parts, row, part + shares, count, columns) - shift) * nextOutput;
            output = PartOutput(parts, call, row, part + 2 * shares, count, column);
            nextOutput = PartOutput(parts, call, row, part + 3 * shares, count, column);
        }
        sums[Group.IdxX] = sum;
        Group.Barrier();
        if (share > 0 | column >= call.ValueDim)
            return;
        for (int other = 1; other < shares; other++)
            sum += sums[Group.IdxX + other * width];
        Store(outputs, row.Output + column, sum * Inverse(total), isBFloat16);
        if (column == 0 & logSumExp.Length > 0)
            logSumExp[row.Number] = LogSumExp(total, shift);
    }

    // A part's output, 0 past the last part or column.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PartOutput(
        ArrayView<float> parts,
        in PortableCall call,
        in MergedRow row,
        int part,
        int count,
        int column
    ) => part < count & column < call.ValueDim ? parts[row.Part(part) + column] : 0;

    // A part's log-sum-exp, that of nothing past the last part.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float PartLogSumExp(ArrayView<float> parts, in MergedRow row, int part, int count, int columns) =>
        part < count ? parts[row.Part(part) + columns] : float.NegativeInfinity;

    // A thread has two times four columns of a row.
    private static void MergeManyRows(
        PortableCall call,
        TensorWork work,
        ArrayView<float> parts,
        ArrayView<ushort> output,
        ArrayView<float> logSumExp,
        int tileRows,
        int columns,
        int isBFloat16,
        int threadsOfRow
    )
    {
        int count = work.Parts,
            rows = work.Slots / count * work.Rows,
            thread = Grid.IdxX * Group.DimX + Group.IdxX,
            number = thread / threadsOfRow,
            first = (thread - number * threadsOfRow) * 4,
            second = first + threadsOfRow * 4;
        if (number >= rows)
            return;
        MergedRow row = MergedRow.Of(call, work, number, tileRows, columns);
        if (!row.Exists)
            return;
        ArrayView<Float4> outputs = parts.Cast<Float4>();
        float largest = float.NegativeInfinity,
            total = 0;
        Float4 firstSum = default,
            secondSum = default;
        // Two parts at a time, so that all their numbers are under way together.
        for (int part = 0; part < count; part += 2)
        {
            bool hasNext = part + 1 < count;
            long place = row.Part(part),
                nextPlace = row.Part(hasNext ? part + 1 : part);
            float sum = parts[place + columns],
                nextSum = hasNext ? parts[nextPlace + columns] : float.NegativeInfinity;
            // Columns past the last are read, for there are as many as the kernel has, and not stored.
            Float4 output0 = outputs[(place + first) / 4],
                output1 = outputs[(place + second) / 4],
                nextOutput0 = outputs[(nextPlace + first) / 4],
                nextOutput1 = outputs[(nextPlace + second) / 4];
            float before = largest;
            largest = Math.Max(largest, Math.Max(sum, nextSum));
            float shift = Shift(largest),
                fade = PortableMath.ExpDown(before - shift),
                weight = PortableMath.ExpDown(sum - shift),
                nextWeight = PortableMath.ExpDown(nextSum - shift);
            total = total * fade + weight + nextWeight;
            firstSum = Float4.Add(Float4.Scale(firstSum, fade), weight, output0);
            secondSum = Float4.Add(Float4.Scale(secondSum, fade), weight, output1);
            firstSum = Float4.Add(firstSum, nextWeight, nextOutput0);
            secondSum = Float4.Add(secondSum, nextWeight, nextOutput1);
        }
        float inverse = Inverse(total);
        Store(call, output, row, first, Float4.Scale(firstSum, inverse), isBFloat16);
        Store(call, output, row, second, Float4.Scale(secondSum, inverse), isBFloat16);
        if (first == 0 & logSumExp.Length > 0)
            logSumExp[row.Number] = LogSumExp(total, Shift(largest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        in PortableCall call,
        ArrayView<ushort> output,
        in MergedRow row,
        int column,
        Float4 values,
        int isBFloat16
    )
    {
        long place = row.Output + column;
        int left = call.ValueDim - column;
        if (left > 0)
            Store(output, place, values.X, isBFloat16);
        if (left > 1)
            Store(output, place + 1, values.Y, isBFloat16);
        if (left > 2)
            Store(output, place + 2, values.Z, isBFloat16);
        if (left > 3)
            Store(output, place + 3, values.W, isBFloat16);
    }

    // Nothing kept by any part: subtract 0, so that -inf gives 0 and not NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Shift(float largest) => largest == float.NegativeInfinity ? 0 : largest;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Inverse(float total) => total == 0 ? 0 : 1 / total;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LogSumExp(float total, float shift) =>
        total == 0 ? float.NegativeInfinity : shift + PortableMath.Log(total);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ArrayView<ushort> output, long place, float value, int isBFloat16) =>
        output[place] = isBFloat16 != 0 ? PortableBFloat16.Store(value) : PortableFloat16.Store(value);

    // A row whose keys were split.
    private struct MergedRow
    {
        // Its tile may have fewer rows, or its set fewer heads.
        public bool Exists;

        // Its number among all rows, and where its outputs start.
        public long Number,
            Output;

        // Where its results of the first part start, and from one part's to the next one's.
        private long first,
            toNext;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static MergedRow Of(in PortableCall call, in TensorWork work, int number, int tileRows, int columns)
        {
            int tile = number / work.Rows,
                rowOfTile = number - tile * work.Rows,
                second = tile & (work.TilesOfUnit - 1),
                firstUnit = work.Whole + (tile >> (work.TilesOfUnit - 1)) * work.Parts;
            TensorPlace place = TensorPlace.Of(work, firstUnit, second != 0, tileRows, call.QueryLength, false);
            int head = place.KeyHead * call.GroupSize + place.HeadOf(work, rowOfTile),
                query = place.FirstRow + (rowOfTile >> work.HeadBits);
            MergedRow row = default;
            row.Exists = place.Has(work, rowOfTile, call.GroupSize);
            row.Number = ((long)place.Batch * call.QueryHeads + head) * call.QueryLength + query;
            row.Output =
                place.Batch * call.OutputStrides.Batch
                + head * call.OutputStrides.Head
                + query * call.OutputStrides.Row;
            row.first = ((long)place.Slot * work.Rows + rowOfTile) * RowFloats(columns);
            row.toNext = (long)work.TilesOfUnit * work.Rows * RowFloats(columns);
            return row;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly long Part(int part) => first + part * toNext;
    }
}
