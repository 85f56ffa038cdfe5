namespace FlashGen.Tool.Tune;

/// <summary>The one worker of a tuning; where one has ended, the next question starts another.</summary>
internal sealed class WorkerSlot(TuneSettings settings, CancellationToken cancellation) : IDisposable
{
    // A busy machine starts a process late; that is no candidate's fault.
    private static readonly TimeSpan LeastStart = TimeSpan.FromSeconds(120);

    private WorkerProcess? worker;
    private int ids;

    /// <summary>Whether the worker was told of candidates to come, which it builds beside those that it is asked about.</summary>
    public bool BuildsAhead { get; private set; }

    /// <summary>A number for a candidate.</summary>
    public int NextId() => ids++;

    /// <summary>What the worker runs on.</summary>
    /// <exception cref="ToolException">There is no such device.</exception>
    public WorkerReply Greeting()
    {
        worker?.Dispose();
        BuildsAhead = false;
        worker = WorkerProcess.Start(settings.WorkerArguments, settings.VectorBits);
        TimeSpan limit = settings.Limit > LeastStart ? settings.Limit : LeastStart;
        return worker.Receive(limit, cancellation) switch
        {
            null => throw new ToolException($"The worker does not start: {worker.Obituary(limit).Reason}"),
            { Error.Length: > 0 } failed => throw new ToolException(failed.Error),
            { } hello => hello,
        };
    }

    /// <summary>Asks for one thing.</summary>
    /// <param name="request">The question.</param>
    /// <param name="end">Where no answer came: what became of the worker.</param>
    /// <returns>The answer; null where the worker hung or ended, and is no more.</returns>
    /// <exception cref="OperationCanceledException">The user wants no more.</exception>
    public WorkerReply? Ask(WorkerRequest request, out (TuneOutcome Outcome, string Reason) end)
    {
        cancellation.ThrowIfCancellationRequested();
        end = default;
        if (worker is null)
            Greeting();
        worker!.Send(request);
        if (worker.Receive(settings.Limit, cancellation) is { } reply)
            return reply;
        cancellation.ThrowIfCancellationRequested();
        end = worker.Obituary(settings.Limit);
        worker.Dispose();
        worker = null;
        return null;
    }

    /// <summary>Tells the worker, if there is one, what needs no answer.</summary>
    public void Send(WorkerRequest request) => worker?.Send(request);

    /// <summary>Tells the worker of candidates to come.</summary>
    public void Expect(TuneKernel kernel, string[] plans)
    {
        BuildsAhead = true;
        Send(new("expect", [], Kernel: kernel, Plans: plans));
    }

    /// <inheritdoc/>
    public void Dispose() => worker?.Dispose();
}
