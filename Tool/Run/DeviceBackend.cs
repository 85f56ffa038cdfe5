using FlashGen.Support;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FlashGen.Tool.Run;

/// <summary>A device through ILGPU: its CPU simulator, or the first CUDA or OpenCL device.</summary>
internal sealed class DeviceBackend : Backend
{
    private readonly Context context;
    private readonly Accelerator accelerator;
    private readonly Dictionary<AttentionVariant, AttentionKernels> loaded = [];

    private readonly Target? asked;

    public DeviceBackend(string name, Target? target = null)
    {
        asked = target;
        IsSlow = name == "cpu";
        context = Create(name);
        try
        {
            accelerator =
                name == "cpu"
                    ? context.GetCPUDevice(0).CreateCPUAccelerator(context, CPUAcceleratorMode.Parallel)
                    : FirstDevice(name).CreateAccelerator(context);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    public override string Description =>
        IsSlow ? "ILGPU's CPU simulator" : $"{accelerator.Name} ({accelerator.AcceleratorType})";

    public override bool IsSlow { get; }

    /// <summary>The device.</summary>
    public Accelerator Accelerator => accelerator;

    public override Target Target => asked ?? Target.Portable;

    public override string? Refusal(AttentionVariant variant, ElementType type) =>
        asked is null ? base.Refusal(variant, type)
        : variant.RefusalsOn(accelerator).FirstOrDefault(refusal => refusal.Target == asked) is { } refusal
            ? refusal.Reason
        : variant.Plans.Any(plan => plan.Target == asked && plan.ElementType == type) ? null
        : $"{asked} has no kernel for {type}.";

    public override Target Forward<T, TLogSumExp>(
        AttentionVariant variant,
        HostTensors<T, TLogSumExp> tensors,
        in AttentionShape shape,
        ModArguments arguments,
        AttentionOptions options
    )
    {
        if (!loaded.TryGetValue(variant, out AttentionKernels? kernels))
            loaded.Add(
                variant,
                kernels = asked is { } best ? variant.Load(accelerator, best) : variant.Load(accelerator)
            );
        options.Cancellation.ThrowIfCancellationRequested();
        using Buffers buffers = new(accelerator);
        using DeviceArguments onDevice = DeviceArguments.Upload(accelerator, arguments);
        AcceleratorStream stream = accelerator.DefaultStream;
        ArrayView<T> output = buffers.Upload(tensors.Output);
        ArrayView<TLogSumExp> logSumExp = buffers.Upload(tensors.LogSumExp);
        ArrayView<int> fault = buffers.Upload(new int[1]);
        DeviceTensors onBoard = DeviceTensors.Of(
            buffers.Upload(tensors.Query),
            buffers.Upload(tensors.Key),
            buffers.Upload(tensors.Value),
            output,
            DeviceTensors.Bytes(logSumExp),
            buffers.Workspace(kernels.WorkspaceSize(shape)),
            fault
        );
        kernels.Forward(stream, onBoard, shape, onDevice);
        stream.Synchronize();
        int[] faults = new int[1];
        fault.CopyToCPU(stream, faults);
        if (faults[0] != 0)
            throw new DeviceFaultException(
                $"A mod of {variant.Name} read outside a table or divided by zero; --device simd says where."
            );
        if (tensors.Output.Length != 0)
            output.CopyToCPU(stream, tensors.Output);
        if (tensors.LogSumExp.Length != 0)
            logSumExp.CopyToCPU(stream, tensors.LogSumExp);
        stream.Synchronize();
        options.Progress?.Report(1);
        return kernels.PlanFor(Elements.TypeOf<T>(), shape).Target;
    }

    public override void Dispose()
    {
        foreach (AttentionKernels kernels in loaded.Values)
            kernels.Dispose();
        accelerator.Dispose();
        context.Dispose();
    }

    // The simulator's own default allows groups of 16; kernels are written for 32.
    private static Context Create(string name) =>
        Context.Create(builder =>
        {
            builder.Profiling();
            if (name == "cpu")
                builder.CPU(new CPUDevice(32, 2, 1));
            else if (name == "cuda")
                builder.Cuda();
            else
                builder.OpenCL();
        });

    private Device FirstDevice(string name)
    {
        Device? device = context.Devices.FirstOrDefault(found =>
            found.AcceleratorType == (name == "cuda" ? AcceleratorType.Cuda : AcceleratorType.OpenCL)
        );
        return device
            ?? throw new ToolException(
                $"--device {name}: ILGPU finds no such device on this machine; allowed here are simd and cpu, and "
                    + (name == "cuda" ? "opencl" : "cuda")
                    + " where there is one."
            );
    }

    // The buffers of one call; an empty array has none.
    private sealed class Buffers(Accelerator accelerator) : IDisposable
    {
        private readonly List<MemoryBuffer> owned = [];

        public ArrayView<T> Upload<T>(T[] values)
            where T : unmanaged
        {
            if (values.Length == 0)
                return default;
            MemoryBuffer1D<T, Stride1D.Dense> buffer = accelerator.Allocate1D(values);
            owned.Add(buffer);
            return buffer.View;
        }

        public ArrayView<byte> Workspace(long bytes)
        {
            if (bytes == 0)
                return default;
            MemoryBuffer1D<byte, Stride1D.Dense> buffer = accelerator.Allocate1D<byte>(bytes);
            owned.Add(buffer);
            return buffer.View;
        }

        public void Dispose()
        {
            foreach (MemoryBuffer buffer in owned)
                buffer.Dispose();
        }
    }
}
