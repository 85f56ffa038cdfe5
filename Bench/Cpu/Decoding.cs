using System.Diagnostics;
using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;

namespace FlashGen.Bench.Cpu;

/// <summary>
/// One query: bound by memory, so beside plain reads in the same turns: of as many bytes at the bandwidth of 512 MB, and of the same keys
/// and values, a part of which the caches may have kept from the turn before.
/// </summary>
static class Decoding
{
    private const string Memory = "as many bytes from memory",
        Stream = "reading keys and values once";

    private const long MemoryBytes = 512L << 20;

    public static IEnumerable<CpuCase> Cases()
    {
        yield return Decode(new(32, 32, 1, 4096, 128));
        yield return Decode(new(32, 8, 1, 4096, 128));
        yield return BothCores(new(16, 2, 1, 65536, 128));
    }

    private static CpuCase Decode(Heads heads)
    {
        string name = Name(heads);
        return new(name, Measure);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors t = new(heads);
            using Buffer<float> memory = new(MemoryBytes / sizeof(float));
            List<Rival> rivals =
            [
                .. Reads(roof, threads, t, memory, threads == 2 ? 0.9 : null),
                heads.Query == heads.Key ? t.Torch(false, threads, null) : t.TorchPacked(threads, null),
                .. t.Onnx(false, threads, null),
            ];
            return [.. Duel.Run(roof, threads, name, Prefill.Ours(t, false, threads), rivals, roofRival: Memory)];
        }
    }

    private static CpuCase BothCores(Heads heads)
    {
        string name = Name(heads);
        return new(name, Measure);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors t = new(heads);
            using Buffer<float> memory = new(MemoryBytes / sizeof(float));
            Action ours = Prefill.Ours(t, false, threads);
            List<CpuResult> results =
            [
                .. Duel.Run(roof, threads, name, ours, [.. Reads(roof, threads, t, memory, null)], roofRival: Memory),
            ];
            if (threads > 1)
                results.Add(Busy(name, threads, ours));
            return results;
        }
    }

    public static string Name(Heads heads) =>
        $"decode {heads.Query} heads over {heads.Key}, {heads.Keys} keys x {heads.Dim}";

    private static Rival[] Reads(Roof roof, int threads, Tensors t, Buffer<float> memory, double? atLeast) =>
        [
            new(
                Memory,
                () => StreamRead.Run(roof.Crew, threads, memory),
                atLeast,
                (t.Key.Length + t.Value.Length) / (double)memory.Length
            ),
            new(Stream, () => StreamRead.Run(roof.Crew, threads, t.Key, t.Value), null),
        ];

    // Processor time over time: how many cores were at work. On a busy machine it says less, so the best of several counts.
    private static CpuResult Busy(string name, int threads, Action ours)
    {
        const int Calls = 20;
        (double best, double ms, bool isNoisy) = (0, 0, false);
        for (int run = 0; run < 5; run++)
        {
            var threadsBefore = Waiting.Now();
            TimeSpan before = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            for (int call = 0; call < Calls; call++)
                ours();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double cores = (Environment.CpuUsage.TotalTime - before).TotalSeconds / seconds;
            // A core that another process had is not idle through any fault of ours.
            double waited = Waiting.Since(threadsBefore, threads, seconds);
            if (cores > best)
                (best, ms, isNoisy) = (cores, 1e3 * seconds / Calls, waited > 0.05 * seconds);
        }
        return new(
            name,
            threads,
            ms,
            "all cores busy",
            ms * best / threads,
            best / threads,
            null,
            0.9,
            IsNoisy: isNoisy,
            Note: $"{best:F2} of {threads} cores at work"
        );
    }
}
