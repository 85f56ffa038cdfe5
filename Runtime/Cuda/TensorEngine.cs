using System.ComponentModel;
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

    // Bytes that scratch starts at a multiple of.
    private const int Unit = 16;

    // Units and groups are counted in 32 bits.
    private const long MaxRows = int.MaxValue;

    private readonly AttentionVariant variant;
    private readonly CudaAccelerator accelerator;
    private readonly (PlanInfo Plan, TensorKernel Kernel)[] kernels;
    private readonly KeyReach reach;
    private readonly LastDistribution last = new();
    private readonly int maxLength;
    private readonly Lock gate = new();
    private readonly Dictionary<(TensorKernel Kernel, bool IsMerging), TensorModule> modules = [];
    private readonly UseCounted<TensorModuleKey, TensorModule> modulesOfDevice;
    private readonly TensorArrivals arrivals;
    private bool isDisposed;

    private TensorEngine(
        AttentionVariant variant,
        CudaAccelerator accelerator,
        (PlanInfo, TensorKernel)[] kernels,
        KeyReach reach,
        int maxLength
    )
    {
        (this.variant, this.accelerator, this.kernels) = (variant, accelerator, kernels);
        (this.reach, this.maxLength) = (reach, maxLength);
        modulesOfDevice = TensorModule.Of(accelerator);
        arrivals = new(accelerator);
    }

    /// <summary>The best target of a variant that a device runs, before anything is known of a call.</summary>
    public static Target TargetOn(AttentionVariant variant, Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        return TensorDevice.Of(accelerator).BestOf(variant.Plans);
    }

    /// <summary>
    /// The kernels of a variant that a device runs, of which those that are the likeliest to be called begin to be compiled; null where it runs
    /// none.
    /// </summary>
    /// <param name="variant">The variant.</param>
    /// <param name="accelerator">The device.</param>
    /// <param name="kernels">Its tensor-core kernels, in the order of their plans in <see cref="AttentionVariant.Plans"/>.</param>
    /// <param name="reach">Which keys its rows keep.</param>
    /// <param name="maxLength">The longest sequence of queries or keys that they take.</param>
    public static TensorEngine? Load(
        AttentionVariant variant,
        Accelerator accelerator,
        TensorKernel[] kernels,
        KeyReach reach,
        int maxLength = int.MaxValue
    )
    {
        IEnumerable<PlanInfo> plans = variant.Plans.Where(plan => plan.Target is Target.Sm80 or Target.Sm90);
        TensorDevice device = TensorDevice.Of(accelerator);
        (PlanInfo Plan, TensorKernel Kernel)[] own =
        [
            .. plans.Zip(kernels).Where(pair => device.Refusal(pair.First) is null),
        ];
        if (own.Length == 0)
            return null;
        TensorCompiler.Begin(TensorKernels.Likely(own));
        return new(variant, (CudaAccelerator)accelerator, own, reach, maxLength);
    }

    /// <summary>
    /// Loads tensor-core kernels of a variant before they are called, of those that a device runs. They stay loaded until the result is
    /// disposed.
    /// </summary>
    /// <param name="variant">The variant.</param>
    /// <param name="accelerator">The device.</param>
    /// <param name="isWanted">Which of its plans.</param>
    internal static IDisposable LoadAhead(
        AttentionVariant variant,
        CudaAccelerator accelerator,
        Func<PlanInfo, bool> isWanted
    )
    {
        TensorDevice device = TensorDevice.Of(accelerator);
        (PlanInfo, TensorKernel)[] own =
        [
            .. TensorKernels.Of(variant).Where(pair => isWanted(pair.Plan) && device.Refusal(pair.Plan) is null),
        ];
        TensorEngine engine = new(variant, accelerator, own, KeyReach.Some, int.MaxValue);
        try
        {
            foreach ((PlanInfo plan, TensorKernel kernel) in own)
                engine.ModuleOf(plan, kernel);
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>The plan of a call's kernel; null where Portable runs it.</summary>
    public PlanInfo? PlanFor(ElementType type, in AttentionShape shape)
    {
        CallCheck.Declared(variant, type);
        CallCheck.Shape(variant, shape);
        return Choose(type, shape)?.Plan;
    }

    /// <summary>Bytes of scratch with which a call of this shape, of any type, splits its keys as far as it wants to.</summary>
    public long WorkspaceSize(in AttentionShape shape)
    {
        long most = 0;
        foreach (ElementType type in (ElementType[])[ElementType.Float16, ElementType.BFloat16])
        foreach (bool areAligned in (bool[])[true, false])
            if (Choose(type, shape, areAligned) is { } chosen)
            {
                TensorWork work = Distribute(shape, chosen).Work;
                if (work.Slots > 0)
                    most = Math.Max(most, Unit + sizeof(float) * TensorMerge.Floats(work, chosen.Plan.ValueDim));
            }
        return most;
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
                modulesOfDevice.Release(module.Key);
            modules.Clear();
        }
        arrivals.Dispose();
    }

    /// <summary>
    /// The kernel of a call, the first whose plan takes it, or one for few rows that is estimated to be quicker; Hopper's where the copy engine
    /// can follow its tensors; null where its sizes are such that only Portable
    /// runs it.
    /// </summary>
    /// <param name="type">The tensors' type.</param>
    /// <param name="shape">The call's shape.</param>
    /// <param name="areAligned">Whether the tensors start where the copy engine can, which only a call tells.</param>
    internal (PlanInfo Plan, TensorKernel Kernel)? Choose(
        ElementType type,
        in AttentionShape shape,
        bool areAligned = true
    )
    {
        int headDim = shape.HeadDim,
            valueDim = shape.ValueDim;
        if (
            (long)shape.Batch * shape.QueryHeads * shape.QueryLength > MaxRows
            || Math.Max(shape.QueryLength, shape.KeyLength) > maxLength
        )
            return null;
        bool hasMaps = areAligned && TensorMaps.Fit(shape, variant.Layout);
        (PlanInfo Plan, TensorKernel Kernel)? few = null;
        foreach ((PlanInfo Plan, TensorKernel Kernel) kernel in kernels)
        {
            if (
                kernel.Plan.ElementType != type
                || kernel.Plan.HeadDim < headDim
                || kernel.Plan.ValueDim < valueDim
                || !hasMaps && kernel.Plan.Target == Target.Sm90
            )
                continue;
            if (shape.KeyLength <= kernel.Plan.MaxKeys || TensorDistribution.SharingRows(shape) <= kernel.Plan.MaxRows)
                return few is { } other && IsQuicker(other, kernel, shape) ? other : kernel;
            if (kernel.Plan.MaxRows > 0)
                few = kernel;
        }
        return null;
    }

    // Tiles of few rows leave less of a last round empty, and less of the last tile; the larger ones are as much faster as this, and
    // nothing is known of masks.
    private bool IsQuicker(
        in (PlanInfo Plan, TensorKernel Kernel) few,
        in (PlanInfo Plan, TensorKernel Kernel) other,
        in AttentionShape shape
    )
    {
        const double Advantage = 1.13;
        return reach == KeyReach.All
            && few.Plan.Target == other.Plan.Target
            && (few.Plan.HeadDim, few.Plan.ValueDim) == (other.Plan.HeadDim, other.Plan.ValueDim)
            && Microseconds(few, shape) * Advantage < Microseconds(other, shape);
    }

    private double Microseconds(in (PlanInfo Plan, TensorKernel Kernel) kernel, in AttentionShape shape) =>
        TensorTail.Microseconds(
            shape,
            kernel.Kernel,
            Distribute(shape, kernel).Work,
            kernel.Kernel.Groups * accelerator.NumMultiprocessors
        );

    /// <summary>Queues a call in the stream's order.</summary>
    internal void Run(
        CudaStream stream,
        (PlanInfo Plan, TensorKernel Kernel) chosen,
        PortableCall call,
        in PortableTensors<ushort, float> tensors,
        in AttentionShape shape,
        bool isBFloat16,
        float scale,
        float outputScale,
        bool hasChanges,
        ArrayView<byte> scratch,
        Action<TensorParameters> arguments
    )
    {
        TensorKernel kernel = chosen.Kernel;
        bool isHopper = chosen.Plan.Target == Target.Sm90;
        int columns = chosen.Plan.ValueDim;
        (TensorWork work, int groups) = last.Of(
            shape,
            kernel,
            reach,
            isHopper,
            accelerator.NumMultiprocessors,
            scratch.Length / (sizeof(float) * TensorMerge.RowFloats(columns))
        );
        ArrayView<float> parts =
            work.Slots == 0
                ? ArrayView<float>.Empty
                : scratch.SubView(0, sizeof(float) * TensorMerge.Floats(work, columns)).Cast<float>();
        ArrayView<int> counters = TensorLastPart.Takes(work, groups, columns)
            ? arrivals.Of(stream)
            : ArrayView<int>.Empty;
        bool isScaledFirst = hasChanges || !(scale >= LeastScale);
        const float Log2E = 1.44269504f;
        bool isMergedApart = work.Slots > 0 && counters.Length == 0;
        // While the driver compiles this one.
        if (isMergedApart)
            TensorCompiler.Begin([MergeOf(call, work).Kernel]);
        using (TensorParameters parameters = TensorParameters.Begin())
        {
            if (isHopper)
                new TensorMaps(shape, variant.Layout, tensors, isBFloat16).Add(parameters, kernel, work);
            else
                TensorMaps.AddNone(parameters);
            parameters.Add(call);
            parameters.Add(work);
            parameters.Add(new PhiloxKeys(call.DropoutSeed));
            parameters.Add(Address(tensors.Query));
            parameters.Add(Address(tensors.Key));
            parameters.Add(Address(tensors.Value));
            parameters.Add(Address(tensors.Output));
            parameters.Add(Address(tensors.LogSumExp));
            parameters.Add(Address(parts));
            parameters.Add(Address(counters));
            parameters.Add(scale);
            parameters.Add(isScaledFirst ? Log2E : scale * Log2E);
            parameters.Add(outputScale);
            parameters.Add(IsWide(shape, tensors.Output) ? 1 : 0);
            parameters.Add(isScaledFirst ? 1 : 0);
            parameters.Add(tensors.Lengths);
            parameters.Add(tensors.Fault);
            parameters.Add(tensors.TileCounts);
            arguments(parameters);
            ModuleOf(chosen.Plan, kernel, isMerging: counters.Length > 0)
                .Launch(stream, groups, kernel.Threads, parameters.Addresses);
        }
        if (isMergedApart)
            Merge(stream, chosen, call, tensors, work, parts, isBFloat16);
    }

    // With all the memory that parts may want.
    private (TensorWork Work, int Groups) Distribute(
        in AttentionShape shape,
        (PlanInfo Plan, TensorKernel Kernel) chosen
    ) =>
        TensorDistribution.Of(
            shape,
            chosen.Kernel,
            reach,
            chosen.Plan.Target == Target.Sm90,
            accelerator.NumMultiprocessors,
            long.MaxValue
        );

    private void Merge(
        CudaStream stream,
        (PlanInfo Plan, TensorKernel Kernel) chosen,
        in PortableCall call,
        in PortableTensors<ushort, float> tensors,
        in TensorWork work,
        ArrayView<float> parts,
        bool isBFloat16
    )
    {
        (TensorKernel kernel, int groups, int threads, int ofRow) = MergeOf(call, work);
        using TensorParameters parameters = TensorParameters.Begin();
        parameters.Add(call);
        parameters.Add(work);
        parameters.Add(parts);
        parameters.Add(tensors.Output);
        parameters.Add(tensors.LogSumExp);
        parameters.Add(chosen.Kernel.BlockM);
        parameters.Add(chosen.Plan.ValueDim);
        parameters.Add(isBFloat16 ? 1 : 0);
        parameters.Add(ofRow);
        ModuleOf(chosen.Plan, kernel).Launch(stream, groups, threads, parameters.Addresses);
    }

    private (TensorKernel Kernel, int Groups, int Threads, int OfRow) MergeOf(
        in PortableCall call,
        in TensorWork work
    ) => TensorMerge.Distribution(work, call.ValueDim, accelerator.NumMultiprocessors);

    internal static long Address<T>(ArrayView<T> view)
        where T : unmanaged => view.Length == 0 ? 0 : view.LoadEffectiveAddressAsPtr();

    // Whether Hopper's kernels can store four columns at once (TensorMemory.IsWide).
    private bool IsWide(in AttentionShape shape, ArrayView<ushort> output)
    {
        TensorStrides strides = shape.OutputStridesIn(variant.Layout);
        return shape.ValueDim % 16 == 0
            && Address(output) % 8 == 0
            && (strides.Batch | strides.Head | strides.Row) % 4 == 0;
    }

    private TensorModule ModuleOf(PlanInfo plan, TensorKernel kernel, bool isMerging = false)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (modules.TryGetValue((kernel, isMerging), out TensorModule? known))
                return known;
        }
        // Not under the lock: the driver takes its time, and other kernels need not wait for it.
        TensorModuleKey key = new(
            kernel.Method,
            plan.Target == Target.Sm90 ? "sm_90a" : "sm_80",
            plan.ElementType == ElementType.BFloat16,
            isMerging
        );
        TensorModule module = modulesOfDevice.Use(key, () => TensorModule.Load(accelerator, kernel, key));
        lock (gate)
            if (!isDisposed && modules.TryAdd((kernel, isMerging), module))
                return module;
        // Another thread was first, or disposed the engine.
        modulesOfDevice.Release(key);
        return ModuleOf(plan, kernel, isMerging);
    }
}
