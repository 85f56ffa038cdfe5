using System.Diagnostics;
using System.Text.Json;
using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;
using FlashGen.Kernels;
using FlashGen.Support;

namespace FlashGen.Bench.Cpu;

/// <summary>
/// What needs a process of its own: narrower vectors, a first call, and memory that nothing else has touched. The child prints its
/// lines as JSON, the parent reads them.
/// </summary>
static class Children
{
    private const string Narrow = "narrow";
    private const string FirstCall = "first-call";
    private const string LongSequence = "long-sequence";

    // Older vectors for libtorch and the library under it.
    private static readonly (string, string)[] NarrowTorch =
    [
        ("ATEN_CPU_CAPABILITY", "avx2"),
        ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
        ("ONEDNN_MAX_CPU_ISA", "AVX2"),
    ];

    public static IEnumerable<CpuCase> Cases()
    {
        if (SimdForward.VectorBits == 512)
            yield return new(
                "AVX2",
                (_, threads) => Start(Narrow, threads, [("DOTNET_EnableAVX512", "0"), .. NarrowTorch])
            );
        yield return new("first call", (_, threads) => QuickestFirstCall(threads), [1]);
        yield return new("131072 tokens", (roof, _) => Start(LongSequence, roof.Threads, []), [2]);
    }

    /// <summary>What the child does.</summary>
    public static void Run(string task, int threads)
    {
        IEnumerable<CpuResult> results = task switch
        {
            Narrow => MeasureNarrow(threads),
            FirstCall => MeasureFirstCall(threads),
            LongSequence => MeasureLongSequence(threads),
            _ => throw new ArgumentException($"The task is {task}; allowed are {Narrow}, {FirstCall}, {LongSequence}."),
        };
        Console.WriteLine(JsonSerializer.Serialize(results));
    }

    private static List<CpuResult> Start(string task, int threads, (string, string)[] variables)
    {
        string program = Environment.ProcessPath!;
        string[] first =
            Path.GetFileNameWithoutExtension(program) == "dotnet" ? [typeof(Children).Assembly.Location] : [];
        ProcessStartInfo start = new(program, [.. first, "child", task, threads.ToString()])
        {
            RedirectStandardOutput = true,
        };
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0
            ? JsonSerializer.Deserialize<List<CpuResult>>(output)!
            : throw new InvalidOperationException($"The child that measures {task} ended with {child.ExitCode}.");
    }

    private static List<CpuResult> MeasureNarrow(int threads)
    {
        if (SimdForward.VectorBits != 256)
            throw new InvalidOperationException(
                $"Vectors have {SimdForward.VectorBits} bits here; 256 were asked for."
            );
        using Roof roof = new();
        List<CpuResult> results = [];
        foreach (Heads heads in new[] { Heads.Of(8, 1024, 64), Heads.Of(8, 2048, 128) })
        {
            using Tensors t = new(heads);
            Rival torch = t.Torch(false, threads, 1.1) with { Name = "libtorch with AVX2" };
            results.AddRange(
                Duel.Run(
                    roof,
                    threads,
                    "AVX2, " + Prefill.Name(heads, false),
                    Prefill.Ours(t, false, threads),
                    [torch],
                    heads.Flops
                )
            );
        }
        return results;
    }

    // The quickest of a few processes: the others paid for a cold disk or a busy machine.
    private static List<CpuResult> QuickestFirstCall(int threads)
    {
        List<CpuResult> runs = [.. Enumerable.Range(0, 5).SelectMany(_ => Start(FirstCall, threads, []))];
        return [runs.MinBy(run => run.OursMs)!];
    }

    private static List<CpuResult> MeasureFirstCall(int threads)
    {
        const double LimitMs = 50;
        AttentionShape shape = new(1, 1, 1, 64, 64, 64);
        float[] tensor = new float[64 * 64];
        float[] output = new float[64 * 64];
        AttentionOptions options = new() { Threads = threads };
        double onCore = Waiting.OnCore();
        long start = Stopwatch.GetTimestamp();
        Causal.Forward(tensor, tensor, tensor, output, shape, options: options);
        double ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        onCore = Waiting.OnCore() - onCore;
        return
        [
            new("first call in a fresh process", threads, ms, "50 ms", LimitMs, LimitMs / ms, null, 1)
            {
                Note = Waiting.IsKnown ? $"{1e3 * onCore:F0} ms of it on a core" : "",
            },
        ];
    }

    private static List<CpuResult> MeasureLongSequence(int threads)
    {
        const long LimitBytes = 1 << 20;
        Heads heads = Heads.Of(1, 131072, 64);
        using Tensors t = new(heads);
        // The same code once before, on a thread that ends and takes its scratch with it: what is compiled is no scratch.
        Thread warm = new(() =>
        {
            AttentionShape small = Heads.Of(1, 512, heads.Dim).Shape;
            int some = 512 * heads.Dim;
            Causal.Forward(
                t.Query.Span[..some],
                t.Key.Span[..some],
                t.Value.Span[..some],
                t.Output.Span[..some],
                small,
                options: new() { Threads = 1, Progress = new Watch() }
            );
        });
        warm.Start();
        warm.Join();
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Watch watch = new();
        long before = Environment.WorkingSet;
        long start = Stopwatch.GetTimestamp();
        Causal.Forward(
            t.Query.Span,
            t.Key.Span,
            t.Value.Span,
            t.Output.Span,
            heads.Shape,
            options: new() { Threads = threads, Progress = watch }
        );
        double ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        // Past the end, so that it looks once more.
        watch.Report(2);
        long extra = Math.Max(1, watch.Most - before);
        return
        [
            new(
                "causal 1 x 131072 x 64",
                threads,
                ms,
                "1 MB a thread",
                null,
                (double)LimitBytes * threads / extra,
                null,
                1
            )
            {
                Note =
                    $"{heads.Flops / 2 / ms / 1e6:F0} GFLOP/s; {extra / 1024.0 / threads:F0} KB a thread beside the tensors; "
                    + "ratio of memory",
            },
        ];
    }

    /// <summary>
    /// Watches the process's resident memory while a call runs: a few times only, for asking takes memory itself.
    /// </summary>
    private sealed class Watch : IProgress<double>
    {
        private const int Looks = 16;
        private double next;

        public long Most { get; private set; }

        public void Report(double done)
        {
            if (done < next)
                return;
            next = done + 1.0 / Looks;
            Most = Math.Max(Most, Environment.WorkingSet);
        }
    }
}
