using System.Runtime.InteropServices;

namespace FlashGen.Bench.Machine;

/// <summary>
/// How long the process's threads were ready to run but had no core, because another process had it: what a busy machine takes
/// from a sample. Linux counts it for every thread; elsewhere nothing is known.
/// </summary>
static partial class Waiting
{
    private const int ThreadClock = 3;
    private const string Threads = "/proc/self/task";

    /// <summary>Whether the system counts it.</summary>
    public static bool IsKnown { get; } = File.Exists("/proc/self/schedstat");

    /// <summary>What each thread has had of the cores so far, and how long it waited; nothing where that is unknown.</summary>
    public static Dictionary<string, (long Ran, long Waited)> Now()
    {
        Dictionary<string, (long, long)> threads = [];
        if (IsKnown)
            foreach (string thread in Directory.EnumerateDirectories(Threads))
                threads[thread] = Read(Path.Combine(thread, "schedstat"));
        return threads;
    }

    /// <summary>
    /// Seconds that the so many threads that have run most since then waited meanwhile for other processes. The rest of a process, such as
    /// a peer's threads that have nothing to do but spin, waits for cores that these have; and threads of a peer that starts more than
    /// it was asked to wait for each other: of what all threads together have had of so many cores, nothing was another process's.
    /// </summary>
    public static double Since(Dictionary<string, (long Ran, long Waited)> before, int threads, double seconds)
    {
        (long Ran, long Waited)[] since =
        [
            .. Now()
                .Select(thread =>
                {
                    (long ran, long waited) = before.GetValueOrDefault(thread.Key);
                    return (Ran: thread.Value.Ran - ran, Waited: thread.Value.Waited - waited);
                })
                .OrderByDescending(thread => thread.Ran),
        ];
        double waited = since.Take(threads).Sum(thread => thread.Waited) / 1e9;
        return Math.Min(waited, Math.Max(0, threads * seconds - since.Sum(thread => thread.Ran) / 1e9));
    }

    /// <summary>Seconds that the calling thread has had a core; 0 where nothing is known.</summary>
    public static double OnCore() =>
        IsKnown && clock_gettime(ThreadClock, out Time time) == 0 ? time.Seconds + time.Nanoseconds / 1e9 : 0;

    // Nanoseconds on a core, nanoseconds waiting for one, turns. A thread may end while it is asked.
    private static (long Ran, long Waited) Read(string path)
    {
        try
        {
            string[] fields = File.ReadAllText(path).Split(' ');
            return (long.Parse(fields[0]), long.Parse(fields[1]));
        }
        catch (IOException)
        {
            return default;
        }
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out Time time);

    private struct Time
    {
        public nint Seconds,
            Nanoseconds;
    }
}
