using FlashGen.Dsl;

namespace FlashGen.Tool.Tune.Report;

/// <summary>The plan that a kernel has.</summary>
/// <param name="Plan">The plan in canonical text.</param>
/// <param name="Milliseconds">Its time; 0 where it was not timed for this class.</param>
/// <param name="DefaultMilliseconds">The default's in the same rounds.</param>
/// <param name="IsOfLong">Whether it is that of long shapes, for want of a gain of its own.</param>
internal sealed record ReportChoice(string Plan, double Milliseconds, double DefaultMilliseconds, bool IsOfLong);

/// <summary>A candidate that was timed, and its tile.</summary>
internal sealed record ReportCandidate(TuneRecord Record, int BlockM, int BlockN)
{
    /// <summary>Its time over the default's in the same rounds: what is compared, since a machine's clock met both.</summary>
    public double Ratio => Record.Milliseconds / Record.DefaultMilliseconds;
}

/// <summary>A kernel and class of shapes: what came of its candidates, and what was chosen.</summary>
/// <param name="Kernel">The kernel.</param>
/// <param name="Timed">Candidates with a time.</param>
/// <param name="Others">Those without, with the reason.</param>
/// <param name="Choice">The plan chosen; null where there was no time to, or nothing ran.</param>
internal sealed record ReportKernel(
    TuneKernel Kernel,
    IReadOnlyList<ReportCandidate> Timed,
    IReadOnlyList<TuneRecord> Others,
    ReportChoice? Choice
)
{
    private static readonly string[] Classes = ["long", "short", "decode"];

    /// <summary>The planner's own plan, if it was timed.</summary>
    public ReportCandidate? Default => Timed.FirstOrDefault(candidate => candidate.Record.IsDefault);

    /// <summary>The shape that was timed, in words.</summary>
    public string Shape => Timed.Select(candidate => candidate.Record.Shape).FirstOrDefault("");

    /// <summary>The kernels of some records, in the order of a page.</summary>
    /// <param name="records">Measurements on one device.</param>
    /// <param name="chosen">The plans chosen for it.</param>
    public static IReadOnlyList<ReportKernel> Of(IEnumerable<TuneRecord> records, IReadOnlyList<PlanEntry> chosen) =>
        [
            .. records
                .GroupBy(record => new TuneKernel(
                    record.Variant,
                    record.Target,
                    record.Type,
                    record.HeadDim,
                    record.ValueDim,
                    record.ShapeClass
                ))
                .OrderBy(group => group.Key.Variant, StringComparer.Ordinal)
                .ThenBy(group => group.Key.Target)
                .ThenBy(group => group.Key.Type)
                .ThenBy(group => (group.Key.HeadDim, group.Key.ValueDim))
                .ThenBy(group => Array.IndexOf(Classes, group.Key.ShapeClass))
                .Select(group => Of(group.Key, [.. group.DistinctBy(record => record.Plan)], chosen)),
        ];

    private static ReportKernel Of(TuneKernel kernel, TuneRecord[] records, IReadOnlyList<PlanEntry> chosen)
    {
        List<ReportCandidate> timed = [];
        List<TuneRecord> others = [];
        foreach (TuneRecord record in records)
            if (record.Outcome != TuneOutcome.Ok)
                others.Add(record);
            else if (PlanText.parse(record.Plan) is not { IsOk: true, ResultValue: { } plan })
                others.Add(Spoilt(record, "The journal's plan is none."));
            else if (!(record.Milliseconds > 0 && record.DefaultMilliseconds > 0))
                others.Add(Spoilt(record, "The journal's time is none."));
            else
                timed.Add(new(record, plan.BlockM, plan.BlockN));
        return new(kernel, timed, others, ChoiceOf(kernel, records[0].SpecHash, timed, chosen));
    }

    private static TuneRecord Spoilt(TuneRecord record, string reason) =>
        record with
        {
            Outcome = TuneOutcome.Failed,
            Reason = reason,
        };

    private static ReportChoice? ChoiceOf(
        TuneKernel kernel,
        string specHash,
        List<ReportCandidate> timed,
        IReadOnlyList<PlanEntry> chosen
    )
    {
        if (Entry(kernel.ShapeClass) is { } own)
            return new(
                PlanText.print(own.Tuned.Plan),
                own.Tuned.Milliseconds,
                own.Tuned.DefaultMilliseconds,
                IsOfLong: false
            );
        if (Entry("long") is not { } ofLong)
            return null;
        TilePlan plan = ofLong.Tuned.Plan;
        string shared = PlanText.print(
            PlanCandidates.transfer(plan.Type, plan.Dims, TuneUnits.Class(kernel.ShapeClass), plan)
        );
        TuneRecord? record = timed.FirstOrDefault(candidate => candidate.Record.Plan == shared)?.Record;
        return new(shared, record?.Milliseconds ?? 0, record?.DefaultMilliseconds ?? 0, IsOfLong: true);

        PlanEntry? Entry(string shapeClass) =>
            chosen.FirstOrDefault(entry =>
                entry.Variant == kernel.Variant
                && entry.SpecHash == specHash
                && TuneUnits.Target(entry.Tuned.Plan.Target) == kernel.Target
                && TuneUnits.Type(entry.Tuned.Plan.Type) == kernel.Type
                && (entry.Tuned.Plan.Dims.HeadDim, entry.Tuned.Plan.Dims.ValueDim) == (kernel.HeadDim, kernel.ValueDim)
                && TilePlanModule.shapeClassName(entry.Tuned.Plan.ShapeClass) == shapeClass
            );
    }
}
