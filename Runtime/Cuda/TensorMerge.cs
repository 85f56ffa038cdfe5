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
    private const int Threads = 64;

    private delegate void Launch(
        AcceleratorStream stream,
        KernelConfig config,
        PortableCall call,
        ArrayView<float> parts,
        ArrayView<ushort> output,
        ArrayView<float> logSumExp,
        int count,
        int columns,
        int isBFloat16
    );

    private readonly Accelerator accelerator;
    private readonly Lock gate = new();
    private Kernel? kernel;
    private Launch? launch;

    /// <summary>The kernel's method.</summary>
    internal static MethodInfo Method =>
        ((Action<PortableCall, ArrayView<float>, ArrayView<ushort>, ArrayView<float>, int, int, int>)Merge).Method;

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
    ) =>
        Load()(
            stream,
            new KernelConfig(work.Rows, Threads),
            call,
            parts,
            tensors.Output,
            tensors.LogSumExp,
            work.Parts,
            columns,
            isBFloat16 ? 1 : 0
        );

    /// <summary>Unloads the kernel.</summary>
    public void Dispose() => kernel?.Dispose();

    private Launch Load()
    {
        lock (gate)
        {
            if (launch is null)
            {
                var entry = EntryPointDescription.FromExplicitlyGroupedKernel(Method);
                kernel = accelerator.LoadKernel(
                    accelerator.CompileKernel(entry, new KernelSpecialization(Threads, null))
                );
                launch = kernel.CreateLauncherDelegate<Launch>();
            }
            return launch;
        }
    }

    // A group has a row.
    private static void Merge(
        PortableCall call,
        ArrayView<float> parts,
        ArrayView<ushort> output,
        ArrayView<float> logSumExp,
        int count,
        int columns,
        int isBFloat16
    )
    {
        int row = Grid.IdxX,
            rows = Grid.DimX;
        long sums = (long)count * rows * columns;
        float largest = float.NegativeInfinity;
        for (int part = 0; part < count; part++)
            largest = Math.Max(largest, parts[sums + (long)part * rows + row]);
        // Nothing kept by any part: subtract 0, so that -inf gives 0 and not NaN.
        float shift = largest == float.NegativeInfinity ? 0 : largest,
            total = 0;
        for (int part = 0; part < count; part++)
            total += PortableMath.Exp(parts[sums + (long)part * rows + row] - shift);
        float share = total == 0 ? 0 : 1 / total;
        int head = row / call.QueryLength,
            query = row - head * call.QueryLength,
            batch = head / call.QueryHeads;
        head -= batch * call.QueryHeads;
        long first = batch * call.OutputStrides.Batch + head * call.OutputStrides.Head + query * call.OutputStrides.Row;
        for (int column = Group.IdxX; column < call.ValueDim; column += Group.DimX)
        {
            float sum = 0;
            for (int part = 0; part < count; part++)
                sum +=
                    PortableMath.Exp(parts[sums + (long)part * rows + row] - shift)
                    * parts[((long)part * rows + row) * columns + column];
            sum *= share;
            output[first + column] = isBFloat16 != 0 ? PortableBFloat16.Store(sum) : PortableFloat16.Store(sum);
        }
        if (Group.IdxX == 0 & logSumExp.Length > 0)
            logSumExp[row] = total == 0 ? float.NegativeInfinity : shift + PortableMath.Log(total);
    }
}
