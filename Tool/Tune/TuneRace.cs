namespace FlashGen.Tool.Tune;

/// <summary>A candidate under way.</summary>
/// <param name="Id">Its number at the worker.</param>
/// <param name="Plan">The plan in canonical text.</param>
/// <param name="IsOwn">Whether it is the planner's own, which the generator is left to choose.</param>
internal sealed record Racer(int Id, string Plan, bool IsOwn = false)
{
    /// <summary>Milliseconds of its calls, one a round.</summary>
    public List<double> Samples { get; } = [];

    /// <summary>What came of it.</summary>
    public TuneOutcome Outcome { get; set; }

    /// <summary>Why it is out.</summary>
    public string Reason { get; set; } = "";

    /// <summary>The share of rounds in which it was faster than another.</summary>
    public double WonOver(Racer other) =>
        Samples.Count == 0 ? 0 : Samples.Zip(other.Samples, (mine, its) => mine < its ? 1.0 : 0.0).Average();

    /// <summary>The middle of its samples.</summary>
    public double Median => MedianOf(Samples);

    /// <summary>The middle of its times over another's in the same rounds: what the machine did meanwhile met both.</summary>
    public double RatioTo(Racer other) => MedianOf(Samples.Zip(other.Samples, (mine, its) => mine / its));

    private static double MedianOf(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>
/// Times the candidates of one kernel and class in turns, the planner's own among them, and gives up the slower half again and again. A
/// candidate that hangs or dies takes its worker along; the others go on with a new one.
/// </summary>
internal sealed class TuneRace(WorkerSlot slot, TuneKernel kernel)
{
    private const int FirstRounds = 4;
    private const int LastRounds = 12;
    private const int DuelRounds = 12;
    private const int Finalists = 3;

    /// <summary>Rounds of those who came to the last ones: with fewer, a ratio says no more than that others were faster.</summary>
    public const int RoundsOfFinalists = FirstRounds + LastRounds;

    // Below this there is no gain that a duel would have to confirm.
    private const double NoGain = 0.99;

    /// <summary>Told how many are left, and the best time so far over the planner's.</summary>
    public Action<int, double>? Progress { get; init; }

    /// <summary>Told of each candidate that is out, and at the end of those that are not.</summary>
    public required Action<Racer, Racer> Done { get; init; }

    /// <summary>Races plans against the planner's own.</summary>
    /// <param name="plans">Canonical texts; the first is the planner's.</param>
    public void Run(IReadOnlyList<string> plans)
    {
        Racer own = new(slot.NextId(), plans[0], IsOwn: true);
        List<Racer> left = [own, .. plans.Skip(1).Select(plan => new Racer(slot.NextId(), plan))];
        foreach (Racer racer in left.ToArray())
            if (!Prepare(racer))
                Out(racer, own, left);
        if (own.Outcome != TuneOutcome.Ok)
        {
            // Nothing to compare with: the others are not timed either.
            foreach (Racer racer in left.Where(racer => racer != own))
                (racer.Outcome, racer.Reason) = (TuneOutcome.Failed, "The planner's own plan came to no time.");
            left.ForEach(racer => Done(racer, own));
            return;
        }
        Rounds(left, own, FirstRounds);
        while (left.Count > Finalists + 1)
        {
            Racer[] slow =
            [
                .. left.Where(racer => racer != own)
                    .OrderBy(racer => racer.RatioTo(own))
                    .Skip(Math.Max(Finalists, left.Count / 2)),
            ];
            if (slow.Length == 0)
                break;
            foreach (Racer racer in slow)
                Out(racer, own, left);
            slot.Send(new("forget", [.. slow.Select(racer => racer.Id)]));
            Rounds(left, own, FirstRounds);
        }
        Rounds(left, own, LastRounds);
        // Of several the fastest was lucky, too: it meets the planner's own plan again, alone.
        if (left.Where(racer => racer != own).MinBy(racer => racer.RatioTo(own)) is { } best)
        {
            foreach (Racer racer in left.Where(racer => racer != own && racer != best).ToArray())
                Out(racer, own, left);
            if (best.RatioTo(own) < NoGain)
                Rounds(left, own, DuelRounds);
        }
        left.ForEach(racer => Done(racer, own));
        slot.Send(new("forget", [.. left.Select(racer => racer.Id)]));
    }

    private void Out(Racer racer, Racer own, List<Racer> left)
    {
        if (racer == own)
            return;
        left.Remove(racer);
        Done(racer, own);
    }

    // One sample of each a round. Whoever fails is out; a new worker knows none of the others.
    private void Rounds(List<Racer> left, Racer own, int count)
    {
        for (int round = 0; round < count; round++)
        {
            // Nobody always comes after the same other.
            int turn = round % left.Count;
            foreach (Racer racer in left.Skip(turn).Concat(left.Take(turn)).ToArray())
            {
                WorkerReply? reply = AskOf(racer, new("time", [racer.Id]));
                if (reply is { Outcome: TuneOutcome.Ok })
                {
                    racer.Samples.Add(reply.Milliseconds);
                    continue;
                }
                if (racer == own)
                    throw new ToolException(
                        $"{kernel.Variant}: the planner's own plan failed while it was timed: {racer.Reason}"
                    );
                Out(racer, own, left);
                if (reply is null)
                    foreach (Racer other in left.ToArray())
                        if (!Prepare(other))
                            Out(other, own, left);
            }
            // A round that not all were in would compare different moments.
            int rounds = left.Min(racer => racer.Samples.Count);
            foreach (Racer racer in left)
                racer.Samples.RemoveRange(rounds, racer.Samples.Count - rounds);
            Progress?.Invoke(left.Count, left.Min(racer => racer.RatioTo(own)));
        }
    }

    private bool Prepare(Racer racer)
    {
        WorkerRequest request = new("prepare", [racer.Id], racer.IsOwn ? "" : racer.Plan, kernel);
        bool isBesideOthers = slot.BuildsAhead;
        WorkerReply? reply = AskOf(racer, request);
        // Whose fault the worker's end was is not known while it builds others: once more, alone. Who hung did so itself.
        if (reply is null && isBesideOthers && racer.Outcome != TuneOutcome.TimedOut)
            reply = AskOf(racer, request);
        return reply is { Outcome: TuneOutcome.Ok };
    }

    private WorkerReply? AskOf(Racer racer, WorkerRequest request)
    {
        WorkerReply? reply = slot.Ask(request, out (TuneOutcome Outcome, string Reason) end);
        (racer.Outcome, racer.Reason) = reply is null ? end : (reply.Outcome, reply.Reason);
        return reply;
    }
}
