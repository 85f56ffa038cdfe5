using FlashGen.Bench.Machine;
using FlashGen.Bench.Measure;
using FlashGen.Bench.Peers;

namespace FlashGen.Bench.Cpu;

/// <summary>A row of the table: what is measured, and what it is held against. Made anew for each number of threads.</summary>
sealed record CpuCase(string Name, Func<Roof, int, IEnumerable<CpuResult>> Measure, int[]? OnThreads = null);

/// <summary>What our kernel is held against in a race.</summary>
/// <param name="Name">The peer.</param>
/// <param name="Run">What it does; null where it cannot run here.</param>
/// <param name="AtLeast">The wanted ratio.</param>
/// <param name="Share">
/// The part of its time that counts: of all pairs, the share that the case keeps, where it is held against more work.
/// </param>
sealed record Rival(string Name, Action? Run, double? AtLeast, double Share = 1)
{
    public bool IsPeer { get; init; }
    public string Note { get; init; } = "";
}

/// <summary>A race of ours against rivals, and what is known of the roof above it.</summary>
static class Duel
{
    /// <summary>Races, and gives a line for each rival and one for the peak where operations are given.</summary>
    /// <param name="flops">Operations of the case; 0 where it is bound by memory.</param>
    /// <param name="peakAtLeast">The wanted share of the peak.</param>
    /// <param name="roofRival">Name of the rival that is the roof itself, where the case is bound by memory.</param>
    public static IEnumerable<CpuResult> Run(
        Roof roof,
        int threads,
        string name,
        Action ours,
        IReadOnlyList<Rival> rivals,
        double flops = 0,
        double? peakAtLeast = null,
        string? roofRival = null
    )
    {
        Rival[] runners = [.. rivals.Where(rival => rival.Run is not null)];
        RaceResult race = Race.Run(
            roof,
            threads,
            [new("FlashGen", ours), .. runners.Select(rival => new Candidate(rival.Name, rival.Run!))]
        );
        double seconds = race.Seconds[0];
        int at = Array.FindIndex(runners, rival => rival.Name == roofRival);
        double? peak =
            flops > 0 ? flops / seconds / roof.PeakNow(threads)
            : at >= 0 ? race.Ratio(at + 1) * runners[at].Share
            : null;
        string mood =
            (race.Discarded == 0 ? "" : $"{race.Discarded} of {race.Count} samples discarded")
            + (race.IsNoisy ? $"the machine was never calm: all {race.Count} samples counted" : "");

        foreach (Rival rival in rivals)
        {
            int n = Array.IndexOf(runners, rival);
            CpuResult line = new(name, threads, 1e3 * seconds, rival.Name, null, null, peak, rival.AtLeast)
            {
                IsPeer = rival.IsPeer,
                IsNoisy = race.IsNoisy && rival.Run is not null,
                Note = rival.Note,
            };
            yield return n < 0
                ? line
                : line with
                {
                    PeerMs = 1e3 * race.Seconds[n + 1] * rival.Share,
                    Ratio = race.Ratio(n + 1) * rival.Share,
                    MedianRatio = Finite(race.MedianRatio(n + 1) * rival.Share),
                    Note = string.Join("; ", new[] { rival.Note, mood }.Where(note => note != "")),
                };
        }
        if (peakAtLeast is double least)
            yield return new(
                name,
                threads,
                1e3 * seconds,
                "FMA peak",
                1e3 * flops / roof.PeakNow(threads),
                peak,
                peak,
                least,
                IsNoisy: race.IsNoisy,
                Note: mood
            );
    }

    private static double? Finite(double ratio) => double.IsFinite(ratio) ? ratio : null;
}
