using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.ExceptionServices;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Transformations;
using ILGPU.IR.Values;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>Compiles tensor-core kernels to PTX by ILGPU, without a device.</summary>
internal static class TensorCompiler
{
    // What a method compiles to depends on nothing of the device: the target and the 16-bit type are put into the text.
    private static readonly ConcurrentDictionary<MethodInfo, Lazy<(string Name, string Ptx)>> compiled = new();

    /// <summary>A kernel's name and PTX.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="target">The target, as in sm_90a.</param>
    /// <param name="isBFloat16">The 16-bit type.</param>
    /// <param name="isMerging">Whether it puts parts of keys together, too.</param>
    public static (string Name, string Ptx) Compile(
        TensorKernel kernel,
        string target,
        bool isBFloat16,
        bool isMerging = false
    )
    {
        (string name, string ptx) = Compiled(kernel).Value;
        return (name, PtxPatch.Apply(ptx, target, isBFloat16, isMerging));
    }

    /// <summary>
    /// Begins to compile kernels on another thread, while the caller fills its tensors: one after another, for two at a time hold each other up.
    /// Most of a first kernel's time is ILGPU's own start, so that a call of another kernel comes sooner, too. What goes wrong is for a
    /// kernel's call to say.
    /// </summary>
    public static void Begin(IEnumerable<TensorKernel> kernels)
    {
        TensorKernel[] others = [.. kernels.Where(kernel => !compiled.ContainsKey(kernel.Method))];
        if (others.Length > 0)
            _ = Task.Run(() =>
            {
                foreach (TensorKernel kernel in others)
                    _ = Compiled(kernel).Value;
            });
    }

    /// <summary>Whether a kernel is compiled.</summary>
    internal static bool IsCompiled(TensorKernel kernel) =>
        compiled.TryGetValue(kernel.Method, out Lazy<(string, string)>? text) && text.IsValueCreated;

    private static Lazy<(string Name, string Ptx)> Compiled(TensorKernel kernel) =>
        compiled.GetOrAdd(
            kernel.Method,
            method => new(() => OnDeepStack(() => Compile(method, kernel.Threads, kernel.Groups)))
        );

    // ILGPU follows a kernel's branches by calls of calls, and variants may have thousands; a stack that overflows takes the process with it.
    private static T OnDeepStack<T>(Func<T> compile)
    {
        const int Bytes = 256 << 20;
        T? result = default;
        ExceptionDispatchInfo? fault = null;
        Thread thread = new(
            () =>
            {
                try
                {
                    result = compile();
                }
                catch (Exception e)
                {
                    fault = ExceptionDispatchInfo.Capture(e);
                }
            },
            Bytes
        )
        {
            IsBackground = true,
        };
        thread.Start();
        thread.Join();
        fault?.Throw();
        return result!;
    }

    // A context of its own: the user's may keep helpers as functions, where named registers are out of scope, and a kernel that does
    // not compile spoils the context for the next.
    private static (string Name, string Ptx) Compile(MethodInfo method, int threads, int groups)
    {
        using Context context = Context.Create(builder =>
            builder.Optimize(OptimizationLevel.O1).Inlining(InliningMode.Aggressive)
        );
        using PTXBackend backend = new(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null!);
        using IRContext all = new(context),
            alone = new(context);
        // Where ILGPU optimises a kernel, it does so to all methods in it, too, each with all that is inlined in it.
        Method kernel = alone.Import(Inlined(context, all, method));
        alone.Transform(Optimizations());
        var entry = EntryPointDescription.FromExplicitlyGroupedKernel(method);
        var ptx = (PTXCompiledKernel)backend.Compile(kernel, entry, new(threads, groups));
        return (ptx.Name, ptx.PTXAssembly);
    }

    // From the methods that call no others up to the kernel, each cleared before its callers take it in: what it need not have would be
    // copied once for every call above it.
    private static Method Inlined(Context context, IRContext all, MethodInfo method)
    {
        using ContextCodeGenerationPhase phase = context.BeginCodeGeneration(all);
        CodeGenerationResult generated;
        using (CodeGenerationPhase frontend = phase.BeginFrontendCodeGeneration())
            generated = frontend.GenerateCode(method);
        if (phase.LastException is { } fault)
            throw fault;
        Method kernel = generated.Result!;
        ConstantBranches.Remove(all);
        Transformation[] steps =
        [
            new Inliner(),
            new UnreachableCodeElimination(),
            new SimplifyControlFlow(),
            new SSAConstruction(),
            // Values that were variables are constants now, and decide more branches.
            new UnreachableCodeElimination(),
            new SimplifyControlFlow(),
            new DeadCodeElimination(),
        ];
        foreach (Method callee in CalleesFirst(kernel))
        {
            MethodCollection one = all.GetMethodCollection(new Only(callee));
            foreach (Transformation step in steps)
                step.Transform(one);
        }
        return kernel;
    }

    private static List<Method> CalleesFirst(Method kernel)
    {
        List<Method> order = [];
        HashSet<Method> seen = [];
        Visit(kernel);
        return order;

        void Visit(Method method)
        {
            if (!method.HasImplementation || !seen.Add(method))
                return;
            foreach (BasicBlock block in method.Blocks)
            foreach (BasicBlock.ValueEntry entry in block)
                if (entry.Value is MethodCall call)
                    Visit(call.Target);
            order.Add(method);
        }
    }

    // ILGPU's level O1, after the inliner.
    private static Transformer Optimizations()
    {
        Transformer.Builder builder = Transformer.CreateBuilder(TransformerConfiguration.Empty);
        builder.AddBasicOptimizations(InliningMode.Disabled);
        builder.AddStructureOptimizations();
        builder.AddLoopOptimizations();
        builder.AddConditionalOptimizations();
        builder.AddAddressSpaceOptimizations();
        return builder.ToTransformer();
    }

    private readonly struct Only(Method method) : IMethodCollectionPredicate
    {
        public bool Match(Method other) => other == method;
    }
}
