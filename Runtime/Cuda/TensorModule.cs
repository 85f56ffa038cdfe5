using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>A tensor-core kernel, loaded on a device.</summary>
internal sealed class TensorModule : IDisposable
{
    private readonly CudaAccelerator accelerator;
    private readonly nint module;
    private readonly nint function;

    private TensorModule(CudaAccelerator accelerator, nint module, nint function, string log) =>
        (this.accelerator, this.module, this.function, Log) = (accelerator, module, function, log);

    /// <summary>What the driver's compiler had to say.</summary>
    public string Log { get; }

    /// <summary>Bytes of local memory of a thread: 0, or registers have spilled.</summary>
    public int LocalBytes => CudaDriver.Attribute(function, 3);

    public static TensorModule Load(CudaAccelerator accelerator, TensorKernel kernel, string target, bool isBFloat16)
    {
        (string name, string ptx) = TensorCompiler.Compile(kernel, target, isBFloat16);
        using (accelerator.BindScoped())
        {
            (nint module, string log) = CudaDriver.LoadModule(ptx, name);
            try
            {
                return new(accelerator, module, CudaDriver.Function(module, name, kernel.SharedBytes), log);
            }
            catch
            {
                CudaDriver.Unload(module);
                throw;
            }
        }
    }

    public void Launch(CudaStream stream, int groups, TensorKernel kernel, ReadOnlySpan<nint> parameters) =>
        CudaDriver.Launch(function, groups, kernel.Threads, kernel.SharedBytes, stream.StreamPtr, parameters);

    public void Dispose()
    {
        // The module dies with the device's context.
        if (accelerator.IsDisposed)
            return;
        using (accelerator.BindScoped())
            CudaDriver.Unload(module);
    }
}
