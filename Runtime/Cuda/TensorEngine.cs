using System.ComponentModel;
using System.Reflection;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// A variant's tensor-core kernels on one NVIDIA device: chooses by element type and dimension, loads at first use, launches. Safe to
/// use from several threads.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed unsafe class TensorEngine : IDisposable
{
    // Below this factor a sink over it, or a score's distance to it, would leave float's range: scores are scaled first.
    private const float LeastScale = 1e-18f;

    // wgmma, setmaxnreg and tensor maps came with CUDA 12.
    private const int LeastDriver = 12000;

    // Units and groups are counted in 32 bits.
    private const long MaxRows = int.MaxValue;

    private readonly AttentionVariant variant;
    private readonly CudaAccelerator accelerator;
    private readonly (PlanInfo Plan, TensorKernel Kernel)[] kernels;
    private readonly Lock gate = new();
    private readonly Dictionary<TensorKernel, TensorModule> modules = [];
    private bool isDisposed;

    private TensorEngine(AttentionVariant variant, CudaAccelerator accelerator, (PlanInfo, TensorKernel)[] kernels) =>
        (this.variant, this.accelerator, this.kernels) = (variant, accelerator, kernels);

    /// <summary>The best target of a variant that a device runs, before anything is known of a call.</summary>
    public static Target TargetOn(AttentionVariant variant, Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        return IsHopper(accelerator) && variant.Plans.Any(plan => plan.Target == Target.Sm90)
            ? Target.Sm90
            : Target.Portable;
    }

    /// <summary>The kernels of a variant that a device runs; null where it runs none.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="accelerator">The device.</param>
    /// <param name="kernels">Its tensor-core kernels, in the order of their plans in <see cref="AttentionVariant.Plans"/>.</param>
    public static TensorEngine? Load(AttentionVariant variant, Accelerator accelerator, TensorKernel[] kernels)
    {
        if (!IsHopper(accelerator))
            return null;
        IEnumerable<PlanInfo> plans = variant.Plans.Where(plan => plan.Target is Target.Sm80 or Target.Sm90);
        return new(
            variant,
            (CudaAccelerator)accelerator,
            [.. plans.Zip(kernels).Where(pair => pair.First.Target == Target.Sm90)]
        );
    }

    /// <summary>A variant's tensor-core kernels with their plans, without a device.</summary>
    internal static IEnumerable<(PlanInfo Plan, TensorKernel Kernel)> KernelsOf(AttentionVariant variant)
    {
        const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic;
        object? kernels = variant
            .Declaration.GetNestedType("Kernels", Any)
            ?.GetProperty("TensorKernels", Any | BindingFlags.Static)
            ?.GetValue(null);
        return variant
            .Plans.Where(plan => plan.Target is Target.Sm80 or Target.Sm90)
            .Zip((TensorKernel[]?)kernels ?? []);
    }

    /// <summary>The plan of a call's kernel; null where Portable runs it.</summary>
    public PlanInfo? PlanFor(ElementType type, in AttentionShape shape)
    {
        CallCheck.Declared(variant, type);
        CallCheck.Shape(variant, shape);
        return Choose(type, shape)?.Plan;
    }

    /// <summary>Unloads the kernels.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed)
                return;
            isDisposed = true;
            foreach (TensorModule module in modules.Values)
                module.Dispose();
            modules.Clear();
        }
    }

    /// <summary>The kernel of a call; null where its sizes or strides are such that only Portable runs it.</summary>
    internal (PlanInfo Plan, TensorKernel Kernel)? Choose(ElementType type, in AttentionShape shape)
    {
        int headDim = shape.HeadDim,
            valueDim = shape.ValueDim;
        if (
            !TensorMaps.Fit(shape, variant.Layout)
            || (long)shape.Batch * shape.QueryHeads * shape.QueryLength > MaxRows
        )
            return null;
        foreach ((PlanInfo Plan, TensorKernel Kernel) kernel in kernels)
            if (kernel.Plan.ElementType == type && kernel.Plan.HeadDim >= headDim && kernel.Plan.ValueDim >= valueDim)
                return kernel;
        return null;
    }

    /// <summary>Queues a call in the stream's order.</summary>
    internal void Run(
        CudaStream stream,
        TensorKernel kernel,
        PortableCall call,
        in PortableTensors<ushort, float> tensors,
        in AttentionShape shape,
        bool isBFloat16,
        float scale,
        float outputScale,
        bool hasChanges,
        Action<TensorParameters> arguments
    )
    {
        TensorModule module = ModuleOf(kernel, isBFloat16);
        call.QueryTiles = (shape.QueryLength + kernel.BlockM - 1) / kernel.BlockM;
        (call.ValueParts, int groups) = Schedule(call, shape, kernel);
        call.FirstItem = Units(shape, call);
        bool isScaledFirst = hasChanges || !(scale >= LeastScale);
        const float Log2E = 1.44269504f;
        using TensorParameters parameters = new();
        new TensorMaps(shape, variant.Layout, tensors, isBFloat16).Add(parameters, kernel);
        parameters.Add(call);
        parameters.Add(Address(tensors.Query));
        parameters.Add(Address(tensors.Key));
        parameters.Add(Address(tensors.Value));
        parameters.Add(Address(tensors.Output));
        parameters.Add(scale);
        parameters.Add(isScaledFirst ? Log2E : scale * Log2E);
        parameters.Add(outputScale);
        parameters.Add(isScaledFirst ? 1 : 0);
        parameters.Add(tensors.LogSumExp);
        parameters.Add(tensors.Lengths);
        parameters.Add(tensors.Fault);
        parameters.Add(tensors.TileCounts);
        arguments(parameters);
        module.Launch(stream, groups, kernel, parameters.Addresses);
    }

    // A unit is a pair of tiles where there is enough for all multiprocessors; a group goes on to its next unit, whose queries and keys
    // come while it ends this one. A mask that needs a look at every tile of keys has a group for each tile of rows.
    private (int TilesOfUnit, int Groups) Schedule(PortableCall call, in AttentionShape shape, TensorKernel kernel)
    {
        int processors = accelerator.NumMultiprocessors;
        call.ValueParts = 1;
        long tiles = Units(shape, call);
        if (kernel.HasRest)
            return (1, (int)tiles);
        call.ValueParts = 2;
        long pairs = Units(shape, call);
        return pairs >= processors ? (2, processors) : (1, (int)Math.Min(tiles, processors));
    }

    private static long Units(in AttentionShape shape, in PortableCall call) =>
        (long)shape.Batch * shape.QueryHeads * ((call.QueryTiles + call.ValueParts - 1) / call.ValueParts);

    internal static long Address<T>(ArrayView<T> view)
        where T : unmanaged => view.Length == 0 ? 0 : view.LoadEffectiveAddressAsPtr();

    private static bool IsHopper(Accelerator accelerator) =>
        accelerator is CudaAccelerator { Architecture: { Major: 9, Minor: 0 } } && CudaDriver.Version >= LeastDriver;

    private TensorModule ModuleOf(TensorKernel kernel, bool isBFloat16)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (!modules.TryGetValue(kernel, out TensorModule? module))
                modules.Add(kernel, module = TensorModule.Load(accelerator, kernel, "sm_90a", isBFloat16));
            return module;
        }
    }
}
