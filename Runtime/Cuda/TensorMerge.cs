using System.Reflection;
using ILGPU;

namespace FlashGen.Support;

/// <summary>
/// Puts the results of the parts of keys together: outputs weighted by exp(log-sum-exp), in the same order every time (Flash-Decoding, as in
/// the FlashAttention repository's blog of October 2023).
/// </summary>
internal static class TensorMerge
{
    /// <summary>The most parts that a call's keys are split into.</summary>
    public const int MostParts = 256;

    // Threads of a group at most.
    private const int Threads = 256;

    /// <summary>The kernel.</summary>
    public static TensorKernel Kernel { get; } =
        new(
            Threads,
            blockM: 0,
            blockN: 0,
            sharedBytes: 0,
            () => typeof(TensorMerge).GetMethod(nameof(Merge), BindingFlags.NonPublic | BindingFlags.Static)!
        );

    /// <summary>Floats that the parts of a call take.</summary>
    public static long Floats(in AttentionShape shape, int parts, int columns) =>
        (long)parts * shape.Batch * shape.QueryHeads * shape.QueryLength * (columns + 1);

    /// <summary>
    /// How a device's threads share the merge. Few rows: a group has some columns of one and a share of it some of the parts, whose numbers
    /// are on their way all at once. Many rows fill the device by themselves.
    /// </summary>
    /// <param name="work">The call's rows and parts.</param>
    /// <param name="valueDim">Columns of an output.</param>
    /// <param name="processors">The device's multiprocessors.</param>
    /// <param name="mostThreads">The most threads that a group of the device has.</param>
    public static (int Groups, int Threads, int Shares) Distribution(
        in TensorWork work,
        int valueDim,
        int processors,
        int mostThreads = Threads
    )
    {
        const int WarpsOfProcessor = 64;
        int mostWarps = Math.Min(Threads, mostThreads) / 32,
            warps = (valueDim + 31) / 32,
            shares =
                (int)
                    Math.Clamp(
                        (long)WarpsOfProcessor * processors / ((long)work.Rows * warps),
                        1,
                        Math.Min(mostWarps, work.Parts)
                    ),
            width = Math.Min(warps, mostWarps / shares) * 32;
        return (work.Rows * ((valueDim + width - 1) / width), width * shares, shares);
    }

    // A group has as many columns of a row as there are threads in a share, each share every so many parts.
    private static void Merge(
        PortableCall call,
        ArrayView<float> parts,
        ArrayView<ushort> output,
        ArrayView<float> logSumExp,
        int rows,
        int count,
        int columns,
        int shares,
        int isBFloat16
    )
    {
        ArrayView<float> logSumExps = SharedMemory.Allocate<float>(MostParts);
        ArrayView<float> weights = SharedMemory.Allocate<float>(MostParts);
        ArrayView<float> sums = SharedMemory.Allocate<float>(Threads);
        int width = Group.DimX / shares,
            share = Group.IdxX / width,
            block = Grid.IdxX / rows,
            row = Grid.IdxX - block * rows,
            column = block * width + Group.IdxX - share * width;
        // Under way while the weights are found, as each number is while the one before is added.
        float next = column < call.ValueDim & share < count ? parts[((long)share * rows + row) * columns + column] : 0;
        long afterOutputs = (long)count * rows * columns;
        for (int part = Group.IdxX; part < count; part += Group.DimX)
            logSumExps[part] = parts[afterOutputs + (long)part * rows + row];
        Group.Barrier();
        float largest = float.NegativeInfinity;
        for (int part = 0; part < count; part++)
            largest = Math.Max(largest, logSumExps[part]);
        // Nothing kept by any part: subtract 0, so that -inf gives 0 and not NaN.
        float shift = largest == float.NegativeInfinity ? 0 : largest;
        for (int part = Group.IdxX; part < count; part += Group.DimX)
            weights[part] = PortableMath.Exp(logSumExps[part] - shift);
        Group.Barrier();
        float total = 0,
            sum = 0;
        for (int part = 0; part < count; part++)
            total += weights[part];
        if (column < call.ValueDim)
            for (int part = share; part < count; part += shares)
            {
                float value = next;
                if (part + shares < count)
                    next = parts[((long)(part + shares) * rows + row) * columns + column];
                sum += weights[part] * value;
            }
        sums[Group.IdxX] = sum;
        Group.Barrier();
        if (share > 0 | column >= call.ValueDim)
            return;
        for (int other = 1; other < shares; other++)
            sum += sums[Group.IdxX + other * width];
        sum *= total == 0 ? 0 : 1 / total;
        int head = row / call.QueryLength,
            query = row - head * call.QueryLength,
            batch = head / call.QueryHeads;
        head -= batch * call.QueryHeads;
        long at =
            batch * call.OutputStrides.Batch + head * call.OutputStrides.Head + query * call.OutputStrides.Row + column;
        output[at] = isBFloat16 != 0 ? PortableBFloat16.Store(sum) : PortableFloat16.Store(sum);
        if (column == 0 & logSumExp.Length > 0)
            logSumExp[row] = total == 0 ? float.NegativeInfinity : shift + PortableMath.Log(total);
    }
}
