using System.ComponentModel;
using System.Globalization;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Runtime;

namespace FlashGen.Support;

/// <summary>
/// A variant's portable kernels on one device: chooses by element type and dimension, compiles at first use, checks and launches. Safe
/// to use from several threads.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class PortableEngine : IDisposable
{
    // A simulated thread is a thread of the operating system, and a barrier costs 0.3 ms at 32 of them and far more beyond.
    private const int SimulatorThreads = 32;

    private readonly AttentionVariant variant;
    private readonly Accelerator accelerator;
    private readonly PlanInfo[] plans;
    private readonly PortableKernel[] kernels;

    // Of each type from the fewest value columns on, and of as many the one to take first.
    private readonly Dictionary<ElementType, int[]> ofTypes;
    private readonly Lock gate = new();
    private readonly Dictionary<PortableKernel, (Kernel Kernel, Delegate Launch)> loaded = [];
    private readonly PortableLengths lengths;
    private bool isDisposed;

    /// <summary>The kernels of a variant on a device.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="accelerator">The device.</param>
    /// <param name="kernels">Its portable kernels, in the order of their plans in <see cref="AttentionVariant.Plans"/>.</param>
    /// <exception cref="NotSupportedException">The device can run none of them.</exception>
    public PortableEngine(AttentionVariant variant, Accelerator accelerator, PortableKernel[] kernels)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        (this.variant, this.accelerator, this.kernels) = (variant, accelerator, kernels);
        plans = [.. variant.Plans.Where(plan => plan.Target == Target.Portable)];
        ofTypes = Enumerable
            .Range(0, kernels.Length)
            .GroupBy(i => plans[i].ElementType)
            .ToDictionary(
                ofType => ofType.Key,
                ofType =>
                    (int[])
                        [
                            .. ofType
                                .OrderBy(i => kernels[i].Columns)
                                .ThenByDescending(Runs)
                                .ThenByDescending(i => kernels[i].Threads),
                        ]
            );
        lengths = new(accelerator);
        if (!Enumerable.Range(0, kernels.Length).Any(Runs))
            throw TooSmall(Enumerable.Range(0, kernels.Length));
    }

    /// <summary>The variant.</summary>
    public AttentionVariant Variant => variant;

    /// <summary>The device.</summary>
    public Accelerator Accelerator => accelerator;

    /// <summary>Bytes of scratch that a call of this shape needs: a key length and an offset for each batch entry, if it gives any.</summary>
    public long WorkspaceSize(in AttentionShape shape) =>
        PortableLengths.AreGiven(shape) ? 2L * sizeof(int) * shape.Batch : 0;

    /// <summary>The plan of the kernel that a call of this type and shape runs.</summary>
    public PlanInfo PlanFor(ElementType type, in AttentionShape shape)
    {
        CallCheck.Declared(variant, type);
        CallCheck.Shape(variant, shape);
        return plans[Choose(type, shape.ValueDim)];
    }

    /// <summary>The kernel that a call of this type and shape runs.</summary>
    internal PortableKernel KernelFor(ElementType type, int valueDim) => kernels[Choose(type, valueDim)];

    /// <summary>Writes key lengths and offsets into the workspace, in the order of the stream.</summary>
    internal ArrayView<int> UploadLengths(
        AcceleratorStream stream,
        in AttentionShape shape,
        ArrayView<byte> workspace
    ) => lengths.Write(stream, shape, variant.Align, workspace);

    /// <summary>The launcher of a kernel, compiled now if it was not yet.</summary>
    public TLaunch Load<TLaunch>(PortableKernel kernel)
        where TLaunch : Delegate
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (loaded.TryGetValue(kernel, out (Kernel Kernel, Delegate Launch) known))
                return (TLaunch)known.Launch;
            var entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method);
            Kernel compiled = accelerator.LoadKernel(
                accelerator.CompileKernel(entry, new KernelSpecialization(kernel.Threads, null))
            );
            TLaunch launch = compiled.CreateLauncherDelegate<TLaunch>();
            loaded.Add(kernel, (compiled, launch));
            return launch;
        }
    }

    /// <summary>Unloads the kernels.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed)
                return;
            isDisposed = true;
            foreach ((Kernel kernel, _) in loaded.Values)
                kernel.Dispose();
            loaded.Clear();
            lengths.Dispose();
        }
    }

    // The text for the fewest value columns that hold the dimension (the widest computes more in parts), in the largest group that the
    // device runs.
    private int Choose(ElementType type, int valueDim)
    {
        int[] ofType = ofTypes[type];
        int columns = Math.Min(valueDim, kernels[ofType[^1]].Columns);
        foreach (int index in ofType)
            if (kernels[index].Columns >= columns)
                return Runs(index)
                    ? index
                    : throw TooSmall(ofType.Where(i => kernels[i].Columns == kernels[index].Columns));
        throw new InvalidOperationException($"{variant.Name} has no portable kernel for {type}.");
    }

    private bool Runs(int index)
    {
        int threads = accelerator.MaxNumThreadsPerGroup;
        if (accelerator.AcceleratorType == AcceleratorType.CPU)
            threads = Math.Min(threads, SimulatorThreads);
        return kernels[index].Threads <= threads && plans[index].SharedBytes <= accelerator.MaxSharedMemoryPerGroup;
    }

    private NotSupportedException TooSmall(IEnumerable<int> candidates)
    {
        int least = candidates.MinBy(i => (kernels[i].Threads, plans[i].SharedBytes));
        string advice =
            accelerator.AcceleratorType == AcceleratorType.CPU
                ? "Create the CPU device as new CPUDevice(32, 2, 1), or use the CPU directly by Forward without an accelerator."
                : "Load the variant on another device, or use the CPU by Forward without an accelerator.";
        return new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{variant.Name} needs groups of at least {kernels[least].Threads} threads with {plans[least].SharedBytes} bytes of shared memory; {accelerator.Name} has groups of {accelerator.MaxNumThreadsPerGroup} with {accelerator.MaxSharedMemoryPerGroup} bytes. {advice}"
            )
        );
    }
}
