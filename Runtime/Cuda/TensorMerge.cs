using System.ComponentModel;
using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Runtime;

namespace FlashGen.Support;

/// <summary>
/// Puts the results of the parts of keys together: outputs weighted by exp(log-sum-exp), in the order of the parts (Flash-Decoding, as in
/// the FlashAttention repository's blog of October 2023).
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class TensorMerge : IDisposable
{
    /// <summary>The most parts that a call's keys are split into.</summary>
    internal const int MostParts = 256;

    // Threads of a group at most.
    private const int Threads = 256;

    private delegate void Launch(
        AcceleratorStream stream,
        KernelConfig config,
        PortableCall call,
        ArrayView<float> parts,
        ArrayView<ushort> output,
        ArrayView<float> logSumExp,
        int rows,
        int count,
        int columns,
        int shares,
        int isBFloat16
    );

    private readonly Accelerator accelerator;
    private readonly Lock gate = new();
    private Kernel? kernel;
    private Launch? launch;

    /// <summary>The kernel's method.</summary>
    internal static MethodInfo Method =>
        (
            (Action<PortableCall, ArrayView<float>, ArrayView<ushort>, ArrayView<float>, int, int, int, int, int>)Merge
        ).Method;

    internal TensorMerge(Accelerator accelerator) => this.accelerator = accelerator;

    /// <summary>Floats that the parts of a call take.</summary>
    internal static long Floats(in AttentionShape shape, int parts, int columns) =>
        (long)parts * shape.Batch * shape.QueryHeads * shape.QueryLength * (columns + 1);

    /// <summary>Queues the merge behind the parts.</summary>
    internal void Run(
        AcceleratorStream stream,
        in PortableCall call,
        in PortableTensors<ushort, float> tensors,
        in TensorWork work,
        ArrayView<float> parts,
        int columns,
        bool isBFloat16
    )
    {
        // Few rows: a group has some columns of one and a warp of it some of the parts, whose numbers are on their way all at once. Many
        // rows fill the device by themselves.
        int warps = (call.ValueDim + 31) / 32,
            most = Math.Min(GroupSize / 32, work.Parts),
            shares = (int)Math.Clamp(64L * accelerator.NumMultiprocessors / ((long)work.Rows * warps), 1, most),
            width = Math.Min(warps, GroupSize / 32 / shares) * 32,
            blocks = (call.ValueDim + width - 1) / width;
        Load()(
            stream,
            new KernelConfig(work.Rows * blocks, width * shares),
            call,
            parts,
            tensors.Output,
            tensors.LogSumExp,
            work.Rows,
            work.Parts,
            columns,
            shares,
            isBFloat16 ? 1 : 0
        );
    }

    /// <summary>Unloads the kernel.</summary>
    public void Dispose() => kernel?.Dispose();

    private int GroupSize => Math.Min(Threads, accelerator.MaxNumThreadsPerGroup);

    private Launch Load()
    {
        lock (gate)
        {
            if (launch is null)
            {
                var entry = EntryPointDescription.FromExplicitlyGroupedKernel(Method);
                kernel = accelerator.LoadKernel(
                    accelerator.CompileKernel(entry, new KernelSpecialization(GroupSize, null))
                );
                launch = kernel.CreateLauncherDelegate<Launch>();
            }
            return launch;
        }
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
        ArrayView<float> sums = SharedMemory.Allocate<float>(Threads);
        int width = Group.DimX / shares,
            share = Group.IdxX / width,
            block = Grid.IdxX / rows,
            row = Grid.IdxX - block * rows,
            column = block * width + Group.IdxX - share * width;
        long afterOutputs = (long)count * rows * columns;
        for (int part = Group.IdxX; part < count; part += Group.DimX)
            logSumExps[part] = parts[afterOutputs + (long)part * rows + row];
        Group.Barrier();
        float largest = float.NegativeInfinity;
        for (int part = 0; part < count; part++)
            largest = Math.Max(largest, logSumExps[part]);
        // Nothing kept by any part: subtract 0, so that -inf gives 0 and not NaN.
        float shift = largest == float.NegativeInfinity ? 0 : largest,
            total = 0,
            sum = 0;
        for (int part = 0; part < count; part++)
            total += PortableMath.Exp(logSumExps[part] - shift);
        if (column < call.ValueDim)
            for (int part = share; part < count; part += shares)
                sum += PortableMath.Exp(logSumExps[part] - shift) * parts[((long)part * rows + row) * columns + column];
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
