using System.Reflection;
using System.Runtime.CompilerServices;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>What a loaded kernel is, on its device.</summary>
internal readonly record struct TensorModuleKey(MethodInfo Method, string Target, bool IsBFloat16, bool IsMerging);

/// <summary>A tensor-core kernel, loaded on a device.</summary>
internal sealed class TensorModule : IDisposable
{
    // Modules die with their device's context, which no engine keeps alive.
    private static readonly ConditionalWeakTable<
        CudaAccelerator,
        UseCounted<TensorModuleKey, TensorModule>
    > ofDevices = [];

    private readonly CudaAccelerator accelerator;
    private readonly nint module;
    private readonly nint function;
    private readonly int sharedBytes;

    private TensorModule(CudaAccelerator accelerator, TensorModuleKey key, nint module, nint function, int sharedBytes)
    {
        (this.accelerator, Key) = (accelerator, key);
        (this.module, this.function, this.sharedBytes) = (module, function, sharedBytes);
    }

    /// <summary>The modules of a device, which all engines on it share.</summary>
    public static UseCounted<TensorModuleKey, TensorModule> Of(CudaAccelerator accelerator) =>
        ofDevices.GetOrCreateValue(accelerator);

    /// <summary>What it is.</summary>
    public TensorModuleKey Key { get; }

    public static TensorModule Load(CudaAccelerator accelerator, TensorKernel kernel, TensorModuleKey key)
    {
        (string name, string ptx) = TensorCompiler.Compile(kernel, key.Target, key.IsBFloat16, key.IsMerging);
        using (accelerator.BindScoped())
        {
            nint module = CudaDriver.LoadModule(ptx, name);
            try
            {
                nint function = CudaDriver.Function(module, name, kernel.SharedBytes);
                return new(accelerator, key, module, function, kernel.SharedBytes);
            }
            catch
            {
                CudaDriver.Unload(module);
                throw;
            }
        }
    }

    /// <summary>Queues the kernel.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="groups">How many groups.</param>
    /// <param name="threads">Threads of a group.</param>
    /// <param name="parameters">Addresses of its parameters.</param>
    public void Launch(CudaStream stream, int groups, int threads, ReadOnlySpan<nint> parameters) =>
        // Hopper's text waits for the stream's last kernel itself then (TensorLastPart.Follow).
        CudaDriver.Launch(
            function,
            groups,
            threads,
            sharedBytes,
            stream.StreamPtr,
            parameters,
            isFollowing: Key.IsMerging && Key.Target == "sm_90a"
        );

    public void Dispose()
    {
        // The module dies with the device's context.
        if (accelerator.IsDisposed)
            return;
        using (accelerator.BindScoped())
            CudaDriver.Unload(module);
    }
}
