using System.Diagnostics;

namespace Quickstart;

static class Measure
{
    /// The best of several runs each, in seconds; the two take turns, so that a busy machine slows both.
    public static (double First, double Second) Best(Action first, Action second, int runs)
    {
        (double a, double b) = (double.MaxValue, double.MaxValue);
        for (int run = 0; run < runs; run++)
        {
            a = Math.Min(a, Seconds(first));
            b = Math.Min(b, Seconds(second));
        }
        return (a, b);
    }

    private static double Seconds(Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// Watches the process's resident memory whenever a call reports progress.
sealed class MemoryWatch : IProgress<double>
{
    private readonly long before = Environment.WorkingSet;
    private long most;

    public long Grown => Math.Max(0, most - before);

    public void Report(double done) => most = Math.Max(most, Environment.WorkingSet);
}
