using System.Collections.Concurrent;
using System.Reflection;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>A tensor-core kernel as PTX, and loaded on a device.</summary>
internal sealed class TensorModule : IDisposable
{
    // What a method compiles to depends on nothing of the device but the target's name.
    private static readonly ConcurrentDictionary<(MethodInfo, string, bool), Lazy<(string Name, string Ptx)>> compiled =
        new();

    private readonly CudaAccelerator accelerator;
    private readonly nint module;
    private readonly nint function;

    private TensorModule(CudaAccelerator accelerator, nint module, nint function, string log) =>
        (this.accelerator, this.module, this.function, Log) = (accelerator, module, function, log);

    /// <summary>What the driver's compiler had to say.</summary>
    public string Log { get; }

    /// <summary>Bytes of local memory of a thread: 0, or registers have spilled.</summary>
    public int LocalBytes => CudaDriver.Attribute(function, 3);

    /// <summary>A kernel's PTX, without a device.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="target">The target, as in sm_90a.</param>
    /// <param name="isBFloat16">The 16-bit type.</param>
    public static (string Name, string Ptx) Compile(TensorKernel kernel, string target, bool isBFloat16)
    {
        MethodInfo method = kernel.Method;
        return compiled
            .GetOrAdd(
                (method, target, isBFloat16),
                key => new(() => Compile(key.Item1, kernel.Threads, target, isBFloat16))
            )
            .Value;
    }

    public static TensorModule Load(CudaAccelerator accelerator, TensorKernel kernel, string target, bool isBFloat16)
    {
        (string name, string ptx) = Compile(kernel, target, isBFloat16);
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

    // A context of its own: the user's may keep helpers as functions, where named registers are out of scope, and a kernel that does
    // not compile spoils the context for the next.
    private static (string Name, string Ptx) Compile(MethodInfo method, int threads, string target, bool isBFloat16)
    {
        using Context context = Context.Create(builder =>
            builder.Optimize(OptimizationLevel.O1).Inlining(InliningMode.Aggressive)
        );
        using PTXBackend backend = new(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        var entry = EntryPointDescription.FromExplicitlyGroupedKernel(method);
        var kernel = (PTXCompiledKernel)backend.Compile(entry, new KernelSpecialization(threads, 1));
        return (kernel.Name, PtxPatch.Apply(kernel.PTXAssembly, target, isBFloat16));
    }
}
