using ILGPU.Runtime;

namespace FlashGen;

/// <summary>
/// A variant's kernels, loaded on one device. Generated classes add <c>Forward</c> with typed tensors and arguments; this one takes
/// them by name. Nothing here allocates on the device or waits for it; context, accelerator and streams stay the caller's.
/// </summary>
public abstract class AttentionKernels : IDisposable
{
    /// <summary>Kernels of a target on a device.</summary>
    protected AttentionKernels(Target target, Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        (Target, Accelerator) = (target, accelerator);
    }

    /// <summary>The target that was chosen for the device.</summary>
    public Target Target { get; }

    /// <summary>The device.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Whether <see cref="Dispose()"/> was called; every other call then throws.</summary>
    protected bool IsDisposed { get; private set; }

    /// <summary>
    /// Bytes of scratch that a call of this shape takes in <see cref="DeviceTensors.Workspace"/>; 0 when it takes none. Key lengths and
    /// offsets must have theirs. The rest is for few queries on tensor cores, whose keys are split over the device: a call that is given
    /// less splits them less, and is slower.
    /// </summary>
    public abstract long WorkspaceSize(in AttentionShape shape);

    /// <summary>The plan of the kernel that a call of this type and shape runs.</summary>
    public abstract PlanInfo PlanFor(ElementType type, in AttentionShape shape);

    /// <summary>Queues attention on a stream; it returns before the device is done.</summary>
    /// <param name="stream">The stream, of this accelerator.</param>
    /// <param name="tensors">The tensors, on this accelerator.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="arguments">The run-time arguments by name.</param>
    /// <exception cref="ArgumentException">A length, size or argument does not fit; nothing was queued.</exception>
    /// <exception cref="NotSupportedException">The variant or device does not have this element type or dimension.</exception>
    /// <exception cref="ObjectDisposedException">The kernels were disposed.</exception>
    public abstract void Forward(
        AcceleratorStream stream,
        DeviceTensors tensors,
        in AttentionShape shape,
        DeviceArguments arguments
    );

    /// <summary>Unloads the kernels.</summary>
    public void Dispose()
    {
        if (IsDisposed)
            return;
        IsDisposed = true;
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Unloads what a generated class holds; called once.</summary>
    protected virtual void Dispose(bool disposing) { }

    /// <summary>Throws when the kernels were disposed.</summary>
    protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);
}
