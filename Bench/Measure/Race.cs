using System.Diagnostics;
using FlashGen.Bench.Machine;

namespace FlashGen.Bench.Measure;

/// <summary>Something to time.</summary>
sealed record Candidate(string Name, Action Run);

/// <summary>What one candidate took: the least of its good samples, and all of them by round (NaN where a sample was discarded).</summary>
sealed record Timing(double Seconds, double[] Rounds);

/// <summary>What a race gave, and how many of its samples were discarded because the machine was busy just before.</summary>
sealed record RaceResult(Timing[] Timings, int Discarded, int Samples, bool IsNoisy)
{
    /// <summary>Time of another over time of the first, from the least of each.</summary>
    public double Ratio(int other) => Timings[other].Seconds / Timings[0].Seconds;

    /// <summary>The middle of the ratios of single rounds: what a round sees whatever the machine's mood.</summary>
    public double MedianRatio(int other)
    {
        double[] ratios =
        [
            .. Timings[other].Rounds.Zip(Timings[0].Rounds, (peer, ours) => peer / ours).Where(double.IsFinite).Order(),
        ];
        return ratios.Length == 0 ? double.NaN : ratios[ratios.Length / 2];
    }
}

/// <summary>
/// Times candidates in turns, so that whatever the machine does meets all of them. Before each sample a probe of multiply-adds must
/// reach 90 % of the peak on every thread in use; a sample that starts without is discarded.
/// </summary>
static class Race
{
    private const double CalmShare = 0.9;
    private const int ProbesPerSample = 6;
    private const int LeastRounds = 5;
    private const int MostRounds = 200;

    /// <summary>Seconds that a race takes at least, and after which it stops waiting for a calmer machine.</summary>
    private const double Seconds = 1.2;
    private const double Patience = 5;

    public static RaceResult Run(Roof roof, int threads, IReadOnlyList<Candidate> candidates)
    {
        foreach (Candidate candidate in candidates)
            candidate.Run();
        List<double>[] calm = Lists(candidates.Count),
            all = Lists(candidates.Count);
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < MostRounds; round++)
        {
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            int fewest = calm.Min(samples => samples.Count(double.IsFinite));
            if (fewest >= LeastRounds && elapsed > Seconds || round >= 3 && elapsed > Patience)
                break;
            for (int n = 0; n < candidates.Count; n++)
            {
                bool isCalm = IsCalm(roof, threads);
                long before = Stopwatch.GetTimestamp();
                candidates[n].Run();
                double seconds = Stopwatch.GetElapsedTime(before).TotalSeconds;
                all[n].Add(seconds);
                calm[n].Add(isCalm ? seconds : double.NaN);
            }
        }
        int discarded = calm.Sum(samples => samples.Count(double.IsNaN));
        // Where the machine was never calm for some candidate, none is preferred: all samples of all of them count.
        bool isNoisy = calm.Any(samples => samples.Count(double.IsFinite) < 3);
        return new(
            [
                .. (isNoisy ? all : calm).Select(samples => new Timing(
                    samples.Where(double.IsFinite).Min(),
                    [.. samples]
                )),
            ],
            discarded,
            all.Sum(samples => samples.Count),
            isNoisy
        );
    }

    private static List<double>[] Lists(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<double>())];

    // Probing again waits for a peer's threads that still spin, and for a neighbour that is nearly done.
    private static bool IsCalm(Roof roof, int threads)
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
