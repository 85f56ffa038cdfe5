using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;

namespace FlashGen.Bench.Micro;

/// <summary>The micro-kernels, by BenchmarkDotNet.</summary>
static class MicroBench
{
    /// <param name="arguments">BenchmarkDotNet's own, such as <c>--filter *Causal*</c>; none runs all.</param>
    public static void Run(string[] arguments)
    {
        // In this process: the kernels are compiled for it already, and no project has to be built around them.
        IConfig config = ManualConfig
            .Create(DefaultConfig.Instance)
            .AddJob(Job.ShortRun.WithToolchain(InProcessNoEmitToolchain.Instance))
            .WithArtifactsPath("artifacts/bench/micro");
        BenchmarkSwitcher
            .FromTypes([typeof(KernelBenchmarks), typeof(DecodeBenchmarks)])
            .Run(arguments.Length == 0 ? ["--filter", "*"] : arguments, config);
    }
}
