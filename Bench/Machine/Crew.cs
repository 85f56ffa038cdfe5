namespace FlashGen.Bench.Machine;

/// <summary>Runs the same work on the caller and on waiting threads at once; what a measurement of several cores stands on.</summary>
sealed class Crew : IDisposable
{
    private readonly SemaphoreSlim[] starts;
    private readonly CountdownEvent ends = new(1);
    private Action<int>? work;
    private volatile bool isOver;

    /// <summary>A crew of so many threads, the caller's included.</summary>
    public Crew(int threads)
    {
        starts = [.. Enumerable.Range(1, threads - 1).Select(_ => new SemaphoreSlim(0))];
        for (int n = 0; n < starts.Length; n++)
        {
            int member = n + 1;
            new Thread(() => Serve(member)) { IsBackground = true }.Start();
        }
    }

    /// <summary>Runs the work on each of the first threads, each told its number; returns when all are done.</summary>
    public void Run(int threads, Action<int> shared)
    {
        work = shared;
        ends.Reset(threads);
        for (int n = 0; n < threads - 1; n++)
            starts[n].Release();
        shared(0);
        ends.Signal();
        ends.Wait();
    }

    public void Dispose()
    {
        isOver = true;
        foreach (SemaphoreSlim start in starts)
            start.Release();
    }

    private void Serve(int member)
    {
        for (; ; )
        {
            starts[member - 1].Wait();
            if (isOver)
                return;
            work!(member);
            ends.Signal();
        }
    }
}
