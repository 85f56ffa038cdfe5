using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace FlashGen.Support;

/// <summary>Shares a call's items among threads: the caller and helpers from the thread pool.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class SimdLauncher
{
    /// <summary>Runs every item of a call; returns when no thread touches its memory any more.</summary>
    /// <exception cref="OperationCanceledException">The options' token was cancelled; the output is undefined.</exception>
    public static unsafe SimdOutcome Run<T, TKernel, TArguments>(
        in SimdCall call,
        in TArguments arguments,
        AttentionOptions options
    )
        where T : unmanaged
        where TKernel : ISimdKernel<TArguments>
        where TArguments : unmanaged
    {
        int threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        SimdJob<TKernel, TArguments> job = SimdJob<TKernel, TArguments>.Rent();
        try
        {
            if (!TKernel.HasRows || call.QueryLength > SimdRows.MostQueries)
                return job.Run(call, arguments, threads, options);

            int keysPerSplit = SimdRows.KeysPerSplit(call);
            int splits = Math.Max(1, (call.KeyLength + keysPerSplit - 1) / keysPerSplit);
            SimdScratch partials = SimdScratch.TakePartials(SimdRows.PartialBytes(call, splits));
            try
            {
                SimdRows.Prepare(call, splits, partials.Memory);
                SimdOutcome outcome = job.RunRows(
                    call,
                    arguments,
                    threads,
                    options,
                    splits,
                    keysPerSplit,
                    partials.Memory
                );
                if (!outcome.Faulted)
                    SimdRows.Merge<T>(call, splits, partials.Memory);
                return outcome;
            }
            finally
            {
                SimdScratch.ReturnPartials(partials);
            }
        }
        finally
        {
            SimdJob<TKernel, TArguments>.Return(job);
        }
    }
}

/// <summary>
/// One call under way. The caller always works itself, so a busy thread pool only means fewer helpers: a helper that starts after
/// the work is over finds the job closed and leaves.
/// </summary>
internal sealed class SimdJob<TKernel, TArguments> : IThreadPoolWorkItem
    where TKernel : ISimdKernel<TArguments>
    where TArguments : unmanaged
{
    // Small enough that the last items do not leave threads idle for long.
    private const int ItemsPerThread = 8;

    private static SimdJob<TKernel, TArguments>? spare;

    private readonly Lock gate = new();
    private readonly ManualResetEventSlim idle = new(true);
    private SimdCall call;
    private TArguments arguments;
    private SimdOutcome outcome;
    private Exception? failure;

    // Of the user's own progress, which is told on the calling thread.
    private ExceptionDispatchInfo? complaint;
    private CancellationToken cancellation;
    private IProgress<double>? progress;
    private long next,
        items,
        done;
    private int rowsPerItem,
        tiles,
        panels,
        helpers,
        most;
    private int splits,
        keysPerSplit;
    private unsafe SimdPartial* partials;
    private bool open;

    public static SimdJob<TKernel, TArguments> Rent() => Interlocked.Exchange(ref spare, null) ?? new();

    public static void Return(SimdJob<TKernel, TArguments> job)
    {
        (job.failure, job.complaint, job.progress, job.cancellation) = (null, null, null, default);
        spare = job;
    }

    public unsafe SimdOutcome Run(in SimdCall call, in TArguments arguments, int threads, AttentionOptions options)
    {
        partials = null;
        Plan(call, threads);
        return Share(call, arguments, threads, options);
    }

    public unsafe SimdOutcome RunRows(
        in SimdCall call,
        in TArguments arguments,
        int threads,
        AttentionOptions options,
        int splits,
        int keysPerSplit,
        byte* memory
    )
    {
        partials = (SimdPartial*)memory;
        (this.splits, this.keysPerSplit) = (splits, keysPerSplit);
        items = (long)call.Batch * call.KeyHeads * splits;
        return Share(call, arguments, threads, options);
    }

    private SimdOutcome Share(in SimdCall call, in TArguments arguments, int threads, AttentionOptions options)
    {
        (this.call, this.arguments, outcome) = (call, arguments, default);
        (failure, complaint, cancellation, progress) = (null, null, options.Cancellation, options.Progress);
        (next, done) = (0, 0);
        most = (int)Math.Min(threads - 1, items - 1);
        lock (gate)
            open = true;
        for (int helper = 0; helper < most; helper++)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        Work(reports: true);
        lock (gate)
            open = false;
        idle.Wait();
        complaint?.Throw();
        if (failure is not null)
            throw new InvalidOperationException("A kernel failed: " + failure.Message, failure);
        cancellation.ThrowIfCancellationRequested();
        progress?.Report(1);
        return outcome;
    }

    // Fewer panels to an item where there are too few items for the threads. The result does not depend on it: panels share
    // nothing but the key tiles that they read.
    private void Plan(in SimdCall call, int threads)
    {
        long heads = (long)call.Batch * call.QueryHeads;
        long all = heads * ((call.QueryLength + TKernel.PanelRows - 1) / TKernel.PanelRows);
        panels = (int)Math.Clamp(all / ((long)threads * ItemsPerThread), 1, TKernel.Panels(call));
        rowsPerItem = panels * TKernel.PanelRows;
        tiles = (int)(((long)call.QueryLength + rowsPerItem - 1) / rowsPerItem);
        items = heads * tiles;
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (gate)
        {
            if (!open || helpers >= most)
                return;
            if (helpers++ == 0)
                idle.Reset();
        }
        Work(reports: false);
        lock (gate)
            if (--helpers == 0)
                idle.Set();
    }

    private unsafe void Work(bool reports)
    {
        SimdOutcome mine = default;
        SimdScratch? taken = null;
        try
        {
            taken = SimdScratch.TakeTiles(
                partials == null ? TKernel.ScratchBytes(call, panels) : TKernel.RowScratchBytes(call)
            );
            byte* scratch = taken.Memory;
            while (!cancellation.IsCancellationRequested && !mine.Faulted)
            {
                long index = Interlocked.Increment(ref next) - 1;
                if (index >= items)
                    break;
                if (partials == null)
                    TKernel.Run(call, arguments, Item(index, Math.Min(index + most + 1, items - 1)), scratch, ref mine);
                else
                    RunSplit(index, scratch, ref mine);
                long finished = Interlocked.Increment(ref done);
                if (reports && finished < items)
                    Report((double)finished / items);
            }
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref failure, exception, null);
            Interlocked.Exchange(ref next, long.MaxValue / 2);
        }
        finally
        {
            if (taken is not null)
                SimdScratch.ReturnTiles(taken);
        }
        lock (gate)
            Add(mine);
    }

    private void Report(double share)
    {
        try
        {
            progress?.Report(share);
        }
        catch (Exception exception)
        {
            complaint = ExceptionDispatchInfo.Capture(exception);
            throw;
        }
    }

    // Splits lie as (batch, key head, split), their partial results likewise.
    private unsafe void RunSplit(long index, byte* scratch, ref SimdOutcome mine)
    {
        int part = (int)(index % splits);
        int batch = (int)(index / splits / call.KeyHeads);
        int rows = call.GroupSize * call.QueryLength;
        SimdSplit split = new()
        {
            Item = new SimdItem
            {
                Batch = batch,
                KeyHead = (int)(index / splits % call.KeyHeads),
                KeyLength = call.KeyLengths[batch],
                Offset = call.Offsets[batch],
            },
            Rows = rows,
            FirstKey = part * keysPerSplit,
            LastKey = (int)Math.Min((part + 1L) * keysPerSplit, call.KeyLength) - 1,
        };
        TKernel.RunRows(call, arguments, split, scratch, partials + index * rows, ref mine);
    }

    private void Add(in SimdOutcome mine)
    {
        outcome.Full += mine.Full;
        outcome.Partial += mine.Partial;
        outcome.Empty += mine.Empty;
        if (mine.Faulted)
        {
            outcome.Fault(mine.FaultItem, mine.FaultFirstRow, mine.FaultRows, mine.FaultFirstKey, mine.FaultKeys);
            Interlocked.Exchange(ref next, long.MaxValue / 2);
        }
    }

    // Threads take items in turns, so the one that a thread takes next is as far ahead as there are threads.
    private unsafe SimdItem Item(long index, long next)
    {
        SimdItem item = Item(index),
            following = Item(next);
        item.NextQueries =
            following.Batch * call.QueryStrides.Batch
            + following.Head * call.QueryStrides.Head
            + following.FirstRow * call.QueryStrides.Row;
        return item;
    }

    // The last rows of a head first: under a causal mask they are the longest.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private unsafe SimdItem Item(long index)
    {
        (long head, long tile) = Math.DivRem(index, tiles);
        int firstRow = (tiles - 1 - (int)tile) * rowsPerItem;
        int batch = (int)(head / call.QueryHeads);
        int queryHead = (int)(head % call.QueryHeads);
        return new SimdItem
        {
            Batch = batch,
            Head = queryHead,
            KeyHead = queryHead / call.GroupSize,
            FirstRow = firstRow,
            Rows = Math.Min(rowsPerItem, call.QueryLength - firstRow),
            KeyLength = call.KeyLengths[batch],
            Offset = call.Offsets[batch],
        };
    }
}
