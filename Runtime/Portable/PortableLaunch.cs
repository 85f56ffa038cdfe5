using System.ComponentModel;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>A checked call on its way to a device.</summary>
/// <typeparam name="T">The element type: Half, BFloat16, float or double.</typeparam>
/// <typeparam name="TStored">What a kernel takes for it: ushort, float or double.</typeparam>
/// <typeparam name="TReal">float, or double for double.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class PortableLaunch<T, TStored, TReal>
    where T : unmanaged
    where TStored : unmanaged
    where TReal : unmanaged
{
    // A launch has at most this many groups; more work is several launches.
    private const int MaxGroups = 1 << 30;

    private readonly PortableEngine engine;
    private readonly AcceleratorStream stream;
    private readonly AttentionShape shape;
    private readonly ArrayView<byte> workspace;
    private readonly PortableKernel kernel;
    private PortableCall call;
    private PortableTensors<TStored, TReal> tensors;

    /// <summary>Checks everything about a call but the arguments of its mods.</summary>
    /// <exception cref="ArgumentException">Something does not fit; nothing was queued.</exception>
    /// <exception cref="NotSupportedException">The variant lacks the type, or the device cannot run the kernel.</exception>
    public PortableLaunch(
        PortableEngine engine,
        AcceleratorStream stream,
        ArrayView<T> query,
        ArrayView<T> key,
        ArrayView<T> value,
        ArrayView<T> output,
        in AttentionShape shape,
        ArrayView<TReal> logSumExp,
        ArrayView<byte> workspace,
        ArrayView<int> fault,
        ArrayView<long> tileCounts
    )
    {
        (this.engine, this.stream, this.shape, this.workspace) = (engine, stream, shape, workspace);
        ElementType type = Elements.TypeOf<T>();
        CallCheck.Stream(engine.Accelerator, stream);
        CallCheck.Lengths(
            engine.Variant,
            type,
            query.Length,
            key.Length,
            value.Length,
            output.Length,
            logSumExp.Length,
            shape
        );
        CheckSizes(fault, tileCounts);
        TensorLayout layout = engine.Variant.Layout;
        tensors = new()
        {
            Query = Input(nameof(query), query, shape.QueryElements(layout)),
            Key = Input(nameof(key), key, shape.KeyElements(layout)),
            Value = Input(nameof(value), value, shape.ValueElements(layout)),
            Output = Input(nameof(output), output, shape.OutputElements(layout)),
            LogSumExp = Whole(nameof(logSumExp), logSumExp),
            Fault = Whole(nameof(fault), fault),
            TileCounts = Whole(nameof(tileCounts), tileCounts),
            Lengths = ArrayView<int>.Empty,
        };
        this.workspace = Whole(nameof(workspace), workspace);
        CheckResult(nameof(output), tensors.Output);
        CheckResult(nameof(logSumExp), tensors.LogSumExp);
        CallCheck.Disjoint(nameof(output), tensors.Output, nameof(logSumExp), tensors.LogSumExp);
        kernel = engine.KernelFor(type, shape.ValueDim);
        call = Call();
    }

    /// <summary>The memory of the call.</summary>
    public PortableTensors<TStored, TReal> Tensors => tensors;

    /// <summary>Checks a table that kernels read.</summary>
    /// <returns>The table.</returns>
    public ArrayView<TTable> Table<TTable>(string name, ArrayView<TTable> table)
        where TTable : unmanaged
    {
        table = Whole(name, table);
        CallCheck.Disjoint("output", tensors.Output, name, table);
        CallCheck.Disjoint("logSumExp", tensors.LogSumExp, name, table);
        return table;
    }

    /// <summary>Queues the call on tensor cores: the batch entries' lengths, then the kernel, then the merge where keys are split.</summary>
    /// <param name="tensorEngine">The variant's tensor-core kernels, if the device runs any.</param>
    /// <param name="scale">The factor on query times key.</param>
    /// <param name="dropout">The dropout; default for none.</param>
    /// <param name="hasChanges">Whether the variant changes scores, which are then scaled first.</param>
    /// <param name="arguments">Adds the kernel's last parameters.</param>
    /// <returns>False when none can run the call, and nothing was queued.</returns>
    public bool RunTensor(
        TensorEngine? tensorEngine,
        float scale,
        Dropout dropout,
        bool hasChanges,
        Action<TensorParameters> arguments
    )
    {
        if (tensorEngine is null || this is not PortableLaunch<T, ushort, float> launch)
            return false;
        ElementType type = Elements.TypeOf<T>();
        if (tensorEngine.Choose(type, shape, TensorMaps.Fit(launch.tensors)) is not { } chosen)
            return false;
        if ((long)shape.Batch * shape.QueryHeads * shape.QueryLength == 0)
            return true;
        call.DropoutThreshold = (uint)dropout.Threshold;
        call.DropoutSeed = dropout.Seed;
        call.DropoutOffset = dropout.Offset;
        using (stream.BindScoped())
        {
            if (PortableLengths.AreGiven(shape))
                launch.tensors.Lengths = engine.UploadLengths(stream, shape, workspace);
            tensorEngine.Run(
                (CudaStream)stream,
                chosen,
                call,
                launch.tensors,
                shape,
                type == ElementType.BFloat16,
                scale,
                dropout == default ? 1 : dropout.Scale,
                hasChanges,
                Behind(engine.WorkspaceSize(shape)),
                arguments
            );
        }
        return true;
    }

    /// <summary>Queues the call: the batch entries' lengths, then the kernel, in as many launches as its groups need.</summary>
    /// <param name="scale">The factor on query times key.</param>
    /// <param name="dropout">The dropout; default for none.</param>
    /// <param name="launch">Launches the kernel.</param>
    public void Run<TLaunch>(
        TReal scale,
        Dropout dropout,
        Action<TLaunch, AcceleratorStream, KernelConfig, PortableCall, PortableTensors<TStored, TReal>> launch
    )
        where TLaunch : Delegate
    {
        long items = (long)shape.Batch * shape.QueryHeads * call.QueryTiles * call.ValueParts;
        if (items == 0)
            return;
        TLaunch compiled = engine.Load<TLaunch>(kernel);
        tensors.Scale = scale;
        call.DropoutThreshold = (uint)dropout.Threshold;
        call.DropoutSeed = dropout.Seed;
        call.DropoutOffset = dropout.Offset;
        using (stream.BindScoped())
        {
            if (PortableLengths.AreGiven(shape))
                tensors.Lengths = engine.UploadLengths(stream, shape, workspace);
            for (; call.FirstItem < items; call.FirstItem += MaxGroups)
            {
                int groups = (int)Math.Min(MaxGroups, items - call.FirstItem);
                launch(compiled, stream, new KernelConfig(groups, kernel.Threads), call, tensors);
            }
        }
    }

    // The workspace behind so many bytes and at a multiple of 16.
    private ArrayView<byte> Behind(long bytes)
    {
        long start = (bytes + 15) & ~15L;
        return workspace.Length <= start ? ArrayView<byte>.Empty : workspace.SubView(start, workspace.Length - start);
    }

    private PortableCall Call()
    {
        TensorLayout layout = engine.Variant.Layout;
        return new()
        {
            QueryStrides = shape.QueryStridesIn(layout),
            KeyStrides = shape.KeyStridesIn(layout),
            ValueStrides = shape.ValueStridesIn(layout),
            OutputStrides = shape.OutputStridesIn(layout),
            QueryHeads = shape.QueryHeads,
            GroupSize = shape.GroupSize,
            QueryLength = shape.QueryLength,
            KeyExtent = shape.KeyLength,
            HeadDim = shape.HeadDim,
            ValueDim = shape.ValueDim,
            KeyLength = shape.KeyLength,
            Offset = engine.Variant.Align == Alignment.BottomRight ? shape.KeyLength - shape.QueryLength : 0,
            QueryTiles = (shape.QueryLength + kernel.Rows - 1) / kernel.Rows,
            ValueParts = (shape.ValueDim + kernel.Columns - 1) / kernel.Columns,
        };
    }

    private void CheckSizes(ArrayView<int> fault, ArrayView<long> tileCounts)
    {
        long needed = engine.WorkspaceSize(shape);
        if (workspace.Length < needed)
            throw new ArgumentException(
                $"workspace has {workspace.Length} bytes; this shape needs at least {needed}, as WorkspaceSize says.",
                nameof(workspace)
            );
        if (workspace.Length > 0 && (ulong)workspace.LoadEffectiveAddressAsPtr() % 16 != 0)
            throw new ArgumentException("workspace must start at a multiple of 16 bytes.", nameof(workspace));
        if (fault.Length > 1)
            throw new ArgumentException($"fault has {fault.Length} words; it must have one, or none.", nameof(fault));
        if (tileCounts.Length is not (0 or 3))
            throw new ArgumentException(
                $"tileCounts has {tileCounts.Length} words; it must have three (full, partial, empty), or none.",
                nameof(tileCounts)
            );
    }

    // Only what a call may touch: slices of one buffer often reach into each other behind it.
    private ArrayView<TStored> Input(string name, ArrayView<T> view, long elements)
    {
        CallCheck.View(engine.Accelerator, name, view);
        return elements == 0 ? ArrayView<TStored>.Empty : view.SubView(0, elements).Cast<TStored>();
    }

    private ArrayView<TAny> Whole<TAny>(string name, ArrayView<TAny> view)
        where TAny : unmanaged
    {
        CallCheck.View(engine.Accelerator, name, view);
        return view.Length == 0 ? ArrayView<TAny>.Empty : view;
    }

    private void CheckResult<TResult>(string name, ArrayView<TResult> result)
        where TResult : unmanaged
    {
        CallCheck.Disjoint(name, result, "query", tensors.Query);
        CallCheck.Disjoint(name, result, "key", tensors.Key);
        CallCheck.Disjoint(name, result, "value", tensors.Value);
        CallCheck.Disjoint(name, result, nameof(workspace), workspace);
        CallCheck.Disjoint(name, result, "fault", tensors.Fault);
        CallCheck.Disjoint(name, result, "tileCounts", tensors.TileCounts);
    }
}
