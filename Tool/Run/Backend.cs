namespace FlashGen.Tool.Run;

/// <summary>The tensors of a call in host memory.</summary>
/// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
/// <typeparam name="TLogSumExp">float, or double for double.</typeparam>
internal sealed record HostTensors<T, TLogSumExp>(T[] Query, T[] Key, T[] Value, T[] Output, TLogSumExp[] LogSumExp)
    where T : unmanaged
    where TLogSumExp : unmanaged;

/// <summary>Where a call runs.</summary>
internal abstract class Backend : IDisposable
{
    /// <summary>The names of --device.</summary>
    public static readonly string[] Names = ["simd", "cpu", "cuda", "opencl"];

    /// <summary>What runs, in words.</summary>
    public abstract string Description { get; }

    /// <summary>The kernels that run there.</summary>
    public abstract Target Target { get; }

    /// <summary>Why a variant has no such kernel for a type; null when it has one.</summary>
    public virtual string? Refusal(AttentionVariant variant, ElementType type) =>
        variant.Refusals.FirstOrDefault(refusal => refusal.Target == Target)?.Reason;

    /// <summary>Whether it takes minutes for what others do in seconds.</summary>
    public virtual bool IsSlow => false;

    /// <summary>Opens a device by its name.</summary>
    /// <param name="name">One of the names.</param>
    /// <param name="target">The target whose kernels run there; null for the best of each call.</param>
    /// <exception cref="ToolException">There is no such device here.</exception>
    public static Backend Open(string name, Target? target = null) =>
        name == "simd" ? new SimdBackend() : new DeviceBackend(name, target);

    /// <summary>Computes attention and waits for it.</summary>
    /// <returns>The target that ran the call.</returns>
    /// <exception cref="DeviceFaultException">A mod read outside a table or divided by zero on a device.</exception>
    public abstract Target Forward<T, TLogSumExp>(
        AttentionVariant variant,
        HostTensors<T, TLogSumExp> tensors,
        in AttentionShape shape,
        ModArguments arguments,
        AttentionOptions options
    )
        where T : unmanaged
        where TLogSumExp : unmanaged;

    /// <summary>Gives the device back.</summary>
    public virtual void Dispose() { }
}
