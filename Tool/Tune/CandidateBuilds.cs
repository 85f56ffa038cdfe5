using FlashGen.Dsl;
using FlashGen.Support;
using FlashGen.Tool.Run;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Tool.Tune;

/// <summary>
/// The candidates of one variant and target: classes of shapes try the same plans. Each is built, and its tensor-core kernels loaded, by a
/// thread of its own, so that those whose turn comes later are ready by then.
/// </summary>
internal sealed class CandidateBuilds(Backend backend) : IDisposable
{
    // Some of the machine stays with the thread that checks and times.
    private readonly TaskFactory builders = new(
        new ConcurrentExclusiveSchedulerPair(
            TaskScheduler.Default,
            Math.Max(1, System.Environment.ProcessorCount - 2)
        ).ConcurrentScheduler
    );
    private readonly Dictionary<string, Task<Build>> builds = [];
    private readonly Dictionary<TuneKernel, Task<IDisposable?>> own = [];
    private (string, Target) built;

    /// <summary>A candidate, when it is built.</summary>
    /// <param name="variant">The user's variant.</param>
    /// <param name="plan">The plan; null leaves it to the planner.</param>
    /// <param name="kernel">What it is a candidate for.</param>
    /// <exception cref="CandidateException">The plan is refused, or its kernels do not compile.</exception>
    public CandidateBuild Of(AttentionVariant variant, TilePlan? plan, TuneKernel kernel) =>
        Begin(variant, plan, kernel).GetAwaiter().GetResult().Candidate;

    /// <summary>Begins to build a candidate; <see cref="Of"/> waits for it.</summary>
    public Task<Build> Begin(AttentionVariant variant, TilePlan? plan, TuneKernel kernel)
    {
        ClearOthers(kernel);
        // A plan is measured for a class of shapes by standing for all of them.
        TilePlan? forAll = plan is null ? null : PlanCandidates.transfer(plan.Type, plan.Dims, ShapeClass.Long, plan);
        string key = forAll is null
            ? FormattableString.Invariant($"{kernel.Type} {kernel.HeadDim} {kernel.ValueDim}")
            : PlanText.print(forAll);
        if (!builds.TryGetValue(key, out Task<Build>? build))
            builds.Add(key, build = builders.StartNew(() => Make(variant, forAll, kernel)));
        return build;
    }

    /// <summary>Begins to load the user's own kernel, by which the arguments of a call are tried.</summary>
    public void BeginOwn(AttentionVariant variant, TuneKernel kernel)
    {
        ClearOthers(kernel);
        if (!own.ContainsKey(kernel))
            own.Add(kernel, builders.StartNew(() => Load(variant, kernel)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DisposeAll(builds);
        DisposeAll(own);
    }

    private Build Make(AttentionVariant variant, TilePlan? plan, TuneKernel kernel)
    {
        var spec = Text.parseSpec(variant.Spec);
        if (spec.IsError)
            throw new CandidateException(
                TuneOutcome.Failed,
                $"The spec of {variant.Name} cannot be read: {spec.ErrorValue}"
            );
        CandidateBuild candidate = CandidateBuild.Create(
            spec.ResultValue,
            plan,
            new(kernel.HeadDim, kernel.ValueDim),
            TuneUnits.Kind(kernel.Target),
            TuneUnits.Kind(kernel.Type)
        );
        return new(candidate, Load(candidate.Variant, kernel));
    }

    // Other kernels than those of tensor cores are compiled by their first call.
    private IDisposable? Load(AttentionVariant variant, TuneKernel kernel) =>
        backend is DeviceBackend { Accelerator: CudaAccelerator cuda }
            ? TensorEngine.LoadAhead(
                variant,
                cuda,
                plan =>
                    (plan.Target, plan.ElementType) == (kernel.Target, kernel.Type)
                    && (plan.HeadDim, plan.ValueDim) == (kernel.HeadDim, kernel.ValueDim)
            )
            : null;

    private void ClearOthers(TuneKernel kernel)
    {
        if (built == (kernel.Variant, kernel.Target))
            return;
        Dispose();
        built = (kernel.Variant, kernel.Target);
    }

    private static void DisposeAll<TKey, TValue>(Dictionary<TKey, Task<TValue>> tasks)
        where TKey : notnull
        where TValue : IDisposable?
    {
        foreach (Task<TValue> task in tasks.Values)
            task.ContinueWith(
                done => done.Result?.Dispose(),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default
            );
        tasks.Clear();
    }

    /// <summary>A candidate, and what of it is loaded on a device.</summary>
    public sealed record Build(CandidateBuild Candidate, IDisposable? Loaded) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            Loaded?.Dispose();
            Candidate.Dispose();
        }
    }
}
