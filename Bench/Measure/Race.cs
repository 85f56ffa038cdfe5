using System.Diagnostics;
using FlashGen.Bench.Machine;

namespace FlashGen.Bench.Measure;

/// <summary>Something to time.</summary>
sealed record Candidate(string Name, Action Run);

/// <summary>One run of a candidate.</summary>
/// <param name="Seconds">How long it took.</param>
/// <param name="OnCore">Seconds of it in which the calling thread had a core; 0 where that is not known.</param>
/// <param name="IsCalm">Whether the cores were at their peak just before, and nearly nothing was waited.</param>
sealed record Sample(double Seconds, double OnCore, bool IsCalm);

/// <summary>What a race gave: for each candidate its time, and its samples by round.</summary>
/// <param name="Seconds">The least of the calm samples of each candidate.</param>
/// <param name="IsNoisy">
/// The machine was not calm often enough. Times are then the least of all samples; on one thread, of the time on a core.
/// </param>
sealed record RaceResult(double[] Seconds, List<Sample>[] Samples, bool IsNoisy)
{
    public int Discarded => IsNoisy ? 0 : Samples.Sum(samples => samples.Count(sample => !sample.IsCalm));

    public int Count => Samples.Sum(samples => samples.Count);

    /// <summary>Time of another over time of the first, from the least of each.</summary>
    public double Ratio(int other) => Seconds[other] / Seconds[0];

    /// <summary>The middle of the ratios of single rounds, of those in which both were calm; NaN where there is none.</summary>
    public double MedianRatio(int other)
    {
        double[] ratios =
        [
            .. Samples[0]
                .Zip(Samples[other])
                .Where(pair => IsNoisy || pair.First.IsCalm && pair.Second.IsCalm)
                .Select(pair => pair.Second.Seconds / pair.First.Seconds)
                .Order(),
        ];
        return ratios.Length == 0 ? double.NaN : ratios[ratios.Length / 2];
    }
}

/// <summary>
/// Times candidates in turns, so that whatever the machine does meets all of them. A sample is discarded where a probe of
/// multiply-adds just before does not reach 90 % of the race's peak on every thread in use, or where threads waited for a core during it.
/// </summary>
static class Race
{
    private const double CalmShare = 0.9;
    private const double MostWaited = 0.02;
    private const int ProbesPerSample = 6;
    private const int LeastRounds = 5;
    private const int MostRounds = 200;

    /// <summary>Seconds that a race takes at least, where there is time.</summary>
    private const double Seconds = 1.2;

    /// <summary>Seconds after which a race stops waiting for a calmer machine; less when the whole bench is late.</summary>
    public const double MostPatience = 5;

    /// <inheritdoc cref="MostPatience"/>
    public static double Patience { get; set; } = MostPatience;

    // Calm samples of each candidate below which the race is called noisy.
    private const int LeastCalm = 2;

    public static RaceResult Run(Roof roof, int threads, IReadOnlyList<Candidate> candidates)
    {
        foreach (Candidate candidate in candidates)
            candidate.Run();
        roof.StartRace(threads);
        List<Sample>[] samples = [.. candidates.Select(_ => new List<Sample>())];
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < MostRounds; round++)
        {
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            int fewest = samples.Min(Calm);
            if (fewest >= LeastRounds && elapsed > Seconds || round >= LeastCalm && elapsed > Patience)
                break;
            for (int n = 0; n < candidates.Count; n++)
                samples[n].Add(Take(roof, threads, candidates[n]));
        }
        bool isNoisy = samples.Any(of => Calm(of) < LeastCalm);
        return new([.. samples.Select(of => Least(of, isNoisy, threads))], samples, isNoisy);
    }

    private static int Calm(List<Sample> samples) => samples.Count(sample => sample.IsCalm);

    // Where the machine was never calm for some candidate, none is preferred: all samples of all of them count.
    private static double Least(List<Sample> samples, bool isNoisy, int threads) =>
        !isNoisy ? samples.Where(sample => sample.IsCalm).Min(sample => sample.Seconds)
        : threads > 1 || !Waiting.IsKnown ? samples.Min(sample => sample.Seconds)
        : samples.Min(sample => sample.OnCore);

    private static Sample Take(Roof roof, int threads, Candidate candidate)
    {
        bool isAtPeak = IsAtPeak(roof, threads);
        var threadsBefore = Waiting.Now();
        double onCore = Waiting.OnCore();
        long before = Stopwatch.GetTimestamp();
        candidate.Run();
        double seconds = Stopwatch.GetElapsedTime(before).TotalSeconds;
        onCore = Waiting.OnCore() - onCore;
        double waited = Waiting.Since(threadsBefore, threads, seconds);
        return new(seconds, onCore, isAtPeak && waited <= MostWaited * seconds);
    }

    // Probing again waits for a peer's threads that still spin, and for a neighbour that is nearly done.
    private static bool IsAtPeak(Roof roof, int threads)
    {
        for (int probe = 0; probe < ProbesPerSample; probe++)
        {
            if (roof.Calibrate(threads) >= CalmShare)
                return true;
            Thread.Sleep(1);
        }
        return false;
    }
}
