using System.Globalization;
using FlashGen.Dsl;
using FlashGen.Support;
using FlashGen.Tool.Variants;

namespace FlashGen.Tool.Tune;

/// <summary>
/// Chooses plans for variants: of each kernel text first what its types share, on the one that stands for them; then for each type and class
/// of shapes the sizes that are its own. What an earlier run measured is not measured again.
/// </summary>
internal sealed class TuneSession(
    TuneSettings settings,
    WorkerSlot slot,
    WorkerReply device,
    TuneJournal journal,
    ITuneProgress progress
)
{
    // Less than this, a plan is as good as the planner's own, which then stands.
    private const double LeastGain = 1.02;

    // A plan that is faster is so in most rounds, not only in the middle one.
    private const double LeastWon = 0.7;

    // A text is shared by types and classes of shapes that were not in its race.
    private const double LeastGainOfText = 1.05;

    private readonly List<PlanEntry> entries = [];
    private readonly HashSet<(TuneKernel, string)> tuned = [];

    /// <summary>What FlashGen measures here.</summary>
    public static string Version { get; } = typeof(AttentionVariant).Assembly.GetName().Version!.ToString(3);

    /// <summary>The plans chosen.</summary>
    public IReadOnlyList<PlanEntry> Entries => entries;

    /// <summary>What they were chosen for, and on which class of devices.</summary>
    public IReadOnlySet<(TuneKernel, string)> Tuned => tuned;

    /// <summary>Whether all was tuned before the time was over.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Tunes the kernels of a variant on a target.</summary>
    public void Tune(AttentionVariant variant, TargetKind target, IReadOnlyCollection<Dsl.ElementType> types)
    {
        var read = Text.parseSpec(variant.Spec);
        if (read.IsError)
            throw new ToolException($"{variant.Name}: its spec cannot be read: {read.ErrorValue}");
        TuneUnit[] units = [.. TuneUnits.Of(read.ResultValue, target, types, settings.VectorBits)];
        // Building takes longer than timing on a device, and does not disturb it; on the CPU it would.
        if (WorkerKindOf() == WorkerKind.Device && DateTime.UtcNow < settings.Deadline)
            foreach (TuneUnit unit in units)
                Expect(variant, unit);
        foreach (TuneUnit unit in units)
            Tune(variant, unit);
    }

    // What the first race of a unit will try, and the planner's own plans that the others start from.
    private void Expect(AttentionVariant variant, TuneUnit unit)
    {
        foreach (TilePlan kernel in unit.Kernels)
        {
            bool racesTexts = kernel == unit.Kernels[0] && !settings.KeepsTexts;
            string[] plans = [.. Texts(racesTexts ? PlanCandidates.texts(kernel) : [kernel])];
            HashSet<string> known = [.. Records(variant, kernel).Select(record => record.Plan)];
            if (!plans.All(known.Contains))
                slot.Expect(KernelOf(variant, kernel), ["", .. plans.Skip(1).Where(plan => !known.Contains(plan))]);
        }
    }

    private IEnumerable<string> Texts(IEnumerable<TilePlan> plans) =>
        plans.Select(PlanText.print).Distinct().Take(settings.Candidates);

    private void Tune(AttentionVariant variant, TuneUnit unit)
    {
        TilePlan first = unit.Kernels[0];
        TilePlan text = first;
        if (
            !settings.KeepsTexts
            && Race(variant, first, PlanCandidates.texts(first), LeastGainOfText, first) is { } winner
        )
            text = winner;
        foreach (TilePlan kernel in unit.Kernels)
        {
            TilePlan? best = Choose(variant, kernel, text, ShapeClass.Long, null);
            if (unit.Target.IsSimd)
                foreach (ShapeClass shapeClass in (ShapeClass[])[ShapeClass.Short, ShapeClass.Decode])
                    Choose(variant, kernel, text, shapeClass, best);
        }
    }

    // The plan of a kernel and class among those of a text; none where there was no time or nothing ran.
    private TilePlan? Choose(
        AttentionVariant variant,
        TilePlan kernel,
        TilePlan text,
        ShapeClass shapeClass,
        TilePlan? ofLong
    )
    {
        TilePlan For(TilePlan plan) => PlanCandidates.transfer(kernel.Type, kernel.Dims, shapeClass, plan);
        TilePlan own = For(kernel);
        TilePlan[] candidates =
        [
            own,
            For(text),
            .. ofLong is null ? [] : new[] { For(ofLong) },
            .. PlanCandidates.sizes(For(text)),
        ];
        if (Race(variant, own, candidates, LeastGain, For(text)) is not { } best)
            return null;
        TuneRecord[] records = Records(variant, own);
        TuneRecord chosen = records.Single(record => record.Plan == PlanText.print(best));
        tuned.Add((KernelOf(variant, own), device.DeviceClass));
        // A class of its own costs a test in each call: it must gain over the plan of long shapes, too.
        TuneRecord? shared = ofLong is null
            ? null
            : records.FirstOrDefault(record => record.Plan == PlanText.print(For(ofLong)));
        if (shared is null || Ratio(chosen) * PlanChoiceModule.leastGain < Ratio(shared))
            entries.Add(
                new(
                    variant.Name,
                    variant.SpecHash,
                    new(device.DeviceClass, best, Rounded(chosen.Milliseconds), Rounded(chosen.DefaultMilliseconds))
                )
            );
        progress.Chosen(chosen);
        return best;
    }

    // Races what no journal knows, and gives the fastest of all, or the usual one where that gains too little; null where nothing ran.
    private TilePlan? Race(
        AttentionVariant variant,
        TilePlan own,
        IEnumerable<TilePlan> plans,
        double leastGain,
        TilePlan usual
    )
    {
        TuneKernel kernel = KernelOf(variant, own);
        string[] texts = [.. Texts(plans)];
        Dictionary<string, TuneRecord> known = Records(variant, own).ToDictionary(record => record.Plan);
        string[] open = [.. texts.Where(text => !known.ContainsKey(text))];
        if (open.Length != 0)
        {
            if (DateTime.UtcNow >= settings.Deadline)
            {
                IsComplete = false;
                return null;
            }
            WorkerKind kind = WorkerKindOf();
            AttentionShape shape = TuneUnits.Shape(variant, kernel, kind);
            (double flops, double bytes) = Work(variant, shape, own.Type);
            progress.Begin(kernel, open.Length);
            TuneRace race = new(slot, kernel)
            {
                Progress = progress.Racing,
                Done = (racer, rival) =>
                {
                    if (known.ContainsKey(racer.Plan))
                        return;
                    TuneRecord record = Record(variant, kernel, racer, rival) with
                    {
                        Shape = shape.ToString(),
                        Flops = flops,
                        Bytes = bytes,
                    };
                    journal.Add(record);
                    known.Add(racer.Plan, record);
                },
            };
            race.Run([texts[0], .. open.Where(text => text != texts[0])]);
        }
        string fallback = PlanText.print(usual);
        TuneRecord[] timed =
        [
            .. texts
                .Select(text => known[text])
                .Where(record => record.Outcome == TuneOutcome.Ok && IsEligible(record.Plan))
                .Where(record => record.Rounds >= TuneRace.RoundsOfFinalists || record.Plan == fallback)
                .OrderBy(Ratio),
        ];
        if (timed.Length == 0)
            return null;
        TuneRecord? stands = timed.FirstOrDefault(record => record.Plan == fallback);
        bool isBetter = stands is null || (Ratio(timed[0]) * leastGain < Ratio(stands) && timed[0].Won >= LeastWon);
        string best = isBetter ? timed[0].Plan : fallback;
        return PlanText.parse(best).ResultValue;

        // Of a text that is settled, other texts are there to compare with.
        bool IsEligible(string plan) =>
            leastGain == LeastGainOfText || PlanCandidates.shareText(usual, PlanText.parse(plan).ResultValue);
    }

    private WorkerKind WorkerKindOf() =>
        settings.Device == "simd" ? WorkerKind.Simd
        : device.DeviceClass == "cpu" ? WorkerKind.Simulator
        : WorkerKind.Device;

    private TuneRecord Record(AttentionVariant variant, TuneKernel kernel, Racer racer, Racer own)
    {
        bool isTimed = racer.Outcome == TuneOutcome.Ok;
        double milliseconds = isTimed ? own.Median * racer.RatioTo(own) : 0;
        return new()
        {
            Variant = kernel.Variant,
            SpecHash = variant.SpecHash,
            Version = Version,
            Device = device.Device,
            DeviceClass = device.DeviceClass,
            Target = kernel.Target,
            Type = kernel.Type,
            HeadDim = kernel.HeadDim,
            ValueDim = kernel.ValueDim,
            ShapeClass = kernel.ShapeClass,
            Plan = racer.Plan,
            IsDefault = racer.IsOwn,
            Outcome = racer.Outcome,
            Milliseconds = milliseconds,
            DefaultMilliseconds = isTimed ? own.Median : 0,
            Rounds = racer.Samples.Count,
            Won = isTimed ? racer.WonOver(own) : 0,
            Reason = racer.Reason,
        };
    }

    private TuneRecord[] Records(AttentionVariant variant, TilePlan own)
    {
        TuneKernel kernel = KernelOf(variant, own);
        return
        [
            .. journal
                .Records.Where(record =>
                    record.Variant == variant.Name
                    && record.SpecHash == variant.SpecHash
                    && record.Version == Version
                    && record.Device == device.Device
                    && record.DeviceClass == device.DeviceClass
                    && (record.Target, record.Type) == (kernel.Target, kernel.Type)
                    && (record.HeadDim, record.ValueDim) == (kernel.HeadDim, kernel.ValueDim)
                    && record.ShapeClass == kernel.ShapeClass
                )
                .DistinctBy(record => record.Plan),
        ];
    }

    private static TuneKernel KernelOf(AttentionVariant variant, TilePlan plan) =>
        new(
            variant.Name,
            TuneUnits.Target(plan.Target),
            TuneUnits.Type(plan.Type),
            plan.Dims.HeadDim,
            plan.Dims.ValueDim,
            TilePlanModule.shapeClassName(plan.ShapeClass)
        );

    private static double Ratio(TuneRecord record) => record.Milliseconds / record.DefaultMilliseconds;

    // As the file writes it, and never nothing.
    private static double Rounded(double milliseconds) => Math.Max(0.0001, Math.Round(milliseconds, 4));

    // Operations for the pairs that the mask keeps, where it can be asked: that takes a call of the user's mods for each pair.
    private static (double Flops, double Bytes) Work(
        AttentionVariant variant,
        AttentionShape shape,
        Dsl.ElementType type
    )
    {
        double pairs = (double)shape.QueryLength * shape.KeyLength;
        try
        {
            AttentionShape head = new(
                1,
                1,
                1,
                Math.Min(512, shape.QueryLength),
                Math.Min(512, shape.KeyLength),
                shape.HeadDim,
                shape.ValueDim
            );
            ModArguments arguments = SampleArguments.Timed(variant, head, new Random(1), 3);
            CoverageMap map = CoverageMap.Of(variant, head, arguments, 64, 64, 0, 0);
            pairs *= (double)map.KeptPairs / ((double)head.QueryLength * head.KeyLength);
        }
        catch (Exception e) when (e is TableReadException or ArgumentException or DivideByZeroException)
        {
            // All pairs, then.
        }
        double heads = (double)shape.Batch * shape.QueryHeads;
        double bytes =
            TuneUnits.Type(type).Size()
            * (
                (double)shape.QueryElements(variant.Layout)
                + shape.KeyElements(variant.Layout)
                + shape.ValueElements(variant.Layout)
                + shape.OutputElements(variant.Layout)
            );
        return (2 * heads * pairs * (shape.HeadDim + shape.ValueDim), bytes);
    }
}
