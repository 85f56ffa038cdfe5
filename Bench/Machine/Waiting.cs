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

    /// <summary>Seconds so far, of all threads together; 0 where nothing is known.</summary>
    public static double OfAll()
    {
        if (!IsKnown)
            return 0;
        double sum = 0;
        foreach (string thread in Directory.EnumerateDirectories(Threads))
            sum += Read(Path.Combine(thread, "schedstat"));
        return sum;
    }

    /// <summary>Seconds that the calling thread has had a core; 0 where nothing is known.</summary>
    public static double OnCore() =>
        IsKnown && clock_gettime(ThreadClock, out Time time) == 0 ? time.Seconds + time.Nanoseconds / 1e9 : 0;

    // Nanoseconds on a core, nanoseconds waiting for one, turns. A thread may end while it is asked.
    private static double Read(string path)
    {
        try
        {
            return long.Parse(File.ReadAllText(path).Split(' ')[1]) / 1e9;
        }
        catch (IOException)
        {
            return 0;
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
