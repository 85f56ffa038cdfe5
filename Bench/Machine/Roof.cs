using System.Diagnostics;
using FlashGen.Support;

namespace FlashGen.Bench.Machine;

/// <summary>What this machine can do at most, measured here and now: multiply-adds by width and threads, and bytes read.</summary>
sealed class Roof : IDisposable
{
    // About half a millisecond a probe: short beside what is measured, long beside the clock and the waking of a thread.
    private const int ProbeRounds = 80_000;
    private const int ProbesOfRace = 20;
    private readonly Dictionary<int, double> peaks = [];
    private readonly Dictionary<int, double> peaksNow = [];
    private readonly double[] rates;

    public Roof()
    {
        Threads = Math.Min(2, Environment.ProcessorCount);
        Crew = new(Threads);
        rates = new double[Threads];
        // The first probes pay for compiling and for waking the cores.
        for (int threads = 1; threads <= Threads; threads++)
        {
            peaks[threads] = peaksNow[threads] = 0;
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < 1; )
                Calibrate(threads);
        }
        Vectors = SimdForward.VectorBits;
    }

    /// <summary>The most threads that are measured: two, or one where there is one core.</summary>
    public int Threads { get; }

    public Crew Crew { get; }

    /// <summary>Bits of the vectors that kernels use here.</summary>
    public int Vectors { get; }

    /// <summary>float32 operations a second at the kernels' width, the best seen so far.</summary>
    public double Peak(int threads) => peaks[threads];

    /// <summary>
    /// The best of the race under way. The clock of a machine that others share changes within minutes, and what runs at a lower
    /// clock is to be held against that.
    /// </summary>
    public double PeakNow(int threads) => peaksNow[threads];

    /// <summary>Starts a race: what was reached before no longer counts for it.</summary>
    public void StartRace(int threads)
    {
        peaksNow[threads] = 0;
        for (int probe = 0; probe < ProbesOfRace; probe++)
            Calibrate(threads);
    }

    /// <summary>Share of the race's best rate that the slowest of the threads reaches right now.</summary>
    public double Calibrate(int threads)
    {
        int bits = SimdForward.VectorBits;
        Crew.Run(threads, member => rates[member] = FmaChains.Rate(bits, ProbeRounds));
        (double sum, double least) = (0, double.MaxValue);
        for (int member = 0; member < threads; member++)
            (sum, least) = (sum + rates[member], Math.Min(least, rates[member]));
        peaks[threads] = Math.Max(peaks[threads], sum);
        peaksNow[threads] = Math.Max(peaksNow[threads], sum);
        return least * threads / peaksNow[threads];
    }

    /// <summary>float32 operations a second on one thread at a width that is not the kernels'; the best of some probes.</summary>
    public static double PeakAt(int bits) => Enumerable.Range(0, 300).Max(_ => FmaChains.Rate(bits, ProbeRounds));

    /// <summary>Bytes a second that so many threads read from a buffer of so many bytes; the best of several.</summary>
    public double Bandwidth(int threads, long bytes)
    {
        using Buffer<float> buffer = new(bytes / sizeof(float));
        double best = double.MaxValue;
        for (int run = 0; run < 8; run++)
        {
            long start = Stopwatch.GetTimestamp();
            StreamRead.Run(Crew, threads, buffer);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return bytes / best;
    }

    public void Dispose() => Crew.Dispose();
}
