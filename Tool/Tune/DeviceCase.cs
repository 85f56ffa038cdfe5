using FlashGen.Support;
using FlashGen.Tool.Run;
using ILGPU;
using ILGPU.Runtime;

namespace FlashGen.Tool.Tune;

/// <summary>
/// On a GPU: tensors stay there, calls are queued one behind the other between two marks in the stream, and the device says how far
/// apart it passed them.
/// </summary>
internal sealed class DeviceCase<T, TLogSumExp> : TimedCase
    where T : unmanaged
    where TLogSumExp : unmanaged
{
    // A launch and a mark in the stream cost microseconds: enough calls that neither counts.
    private const int LeastCalls = 4;

    private readonly Accelerator accelerator;
    private readonly ModArguments arguments;
    private readonly DeviceArguments onDevice;
    private readonly HostTensors<T, TLogSumExp> host;
    private readonly List<MemoryBuffer> buffers = [];
    private readonly List<(ArrayView<T> Query, ArrayView<T> Key, ArrayView<T> Value, ArrayView<T> Output)> sets = [];
    private readonly ArrayView<TLogSumExp> logSumExp;
    private readonly ArrayView<int> fault;
    private readonly Dictionary<AttentionVariant, AttentionKernels> loaded = [];
    private ArrayView<byte> workspace;
    private int calls = LeastCalls;
    private int turn;

    public DeviceCase(AttentionVariant variant, AttentionShape shape, ModArguments arguments, DeviceBackend backend)
        : base(variant, shape)
    {
        (this.arguments, accelerator) = (arguments, backend.Accelerator);
        Random random = new(1);
        host = new(
            Random<T>(random, shape.QueryElements(variant.Layout)),
            Random<T>(random, shape.KeyElements(variant.Layout)),
            Random<T>(random, shape.ValueElements(variant.Layout)),
            new T[shape.OutputElements(variant.Layout)],
            new TLogSumExp[shape.LogSumExpElements]
        );
        long bytes =
            Elements.TypeOf<T>().Size()
            * ((long)host.Query.Length + host.Key.Length + host.Value.Length + host.Output.Length);
        try
        {
            onDevice = DeviceArguments.Upload(accelerator, arguments);
            logSumExp = Upload(host.LogSumExp);
            fault = Upload(new int[1]);
            for (int set = 0; set < Sets(bytes); set++)
                sets.Add((Upload(host.Query), Upload(host.Key), Upload(host.Value), Upload(host.Output)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override ErrorReport Check(AttentionVariant candidate)
    {
        AttentionKernels kernels = Kernels(candidate);
        AcceleratorStream stream = accelerator.DefaultStream;
        Array.Fill(host.Output, Elements.Narrow<T>(float.NaN));
        sets[0].Output.CopyFromCPU(stream, host.Output);
        kernels.Forward(stream, Tensors(0), Shape, onDevice);
        stream.Synchronize();
        int[] faults = new int[1];
        fault.CopyToCPU(stream, faults);
        if (faults[0] != 0)
            throw new DeviceFaultException("A mod read outside a table or divided by zero on the device.");
        sets[0].Output.CopyToCPU(stream, host.Output);
        logSumExp.CopyToCPU(stream, host.LogSumExp);
        stream.Synchronize();
        double once = Queue(kernels, 1);
        calls = (int)Math.Clamp(Math.Ceiling(2 * LeastMilliseconds / Math.Max(once, 1e-3)), calls, 1000);
        return Judge(host, arguments, kernels.PlanFor(Elements.TypeOf<T>(), Shape).Target);
    }

    public override double Time(AttentionVariant candidate) => Queue(Kernels(candidate), calls) / calls;

    public override void Forget(AttentionVariant candidate)
    {
        if (loaded.Remove(candidate, out AttentionKernels? kernels))
            kernels.Dispose();
    }

    public override void Dispose()
    {
        foreach (AttentionKernels kernels in loaded.Values)
            kernels.Dispose();
        loaded.Clear();
        onDevice?.Dispose();
        foreach (MemoryBuffer buffer in buffers)
            buffer.Dispose();
    }

    private double Queue(AttentionKernels kernels, int count)
    {
        AcceleratorStream stream = accelerator.DefaultStream;
        stream.Synchronize();
        using ProfilingMarker before = stream.AddProfilingMarker();
        for (int call = 0; call < count; call++)
            kernels.Forward(stream, Tensors(turn++ % sets.Count), Shape, onDevice);
        using ProfilingMarker after = stream.AddProfilingMarker();
        after.Synchronize();
        return after.MeasureFrom(before).TotalMilliseconds;
    }

    private AttentionKernels Kernels(AttentionVariant candidate)
    {
        if (!loaded.TryGetValue(candidate, out AttentionKernels? kernels))
            loaded.Add(candidate, kernels = candidate.Load(accelerator));
        long bytes = kernels.WorkspaceSize(Shape);
        if (bytes > workspace.Length)
            workspace = Upload(new byte[bytes]);
        return kernels;
    }

    private DeviceTensors Tensors(int set) =>
        DeviceTensors.Of(
            sets[set].Query,
            sets[set].Key,
            sets[set].Value,
            sets[set].Output,
            DeviceTensors.Bytes(logSumExp),
            workspace,
            fault
        );

    private ArrayView<TElement> Upload<TElement>(TElement[] values)
        where TElement : unmanaged
    {
        if (values.Length == 0)
            return default;
        MemoryBuffer1D<TElement, Stride1D.Dense> buffer = accelerator.Allocate1D(values);
        buffers.Add(buffer);
        return buffer.View;
    }
}
