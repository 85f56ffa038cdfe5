using System.Globalization;
using FlashGen.Dsl;
using FlashGen.Support;
using FlashGen.Tool.Commands;
using Spectre.Console;
using Text = Spectre.Console.Text;

namespace FlashGen.Tool.Coverage;

/// <summary>The plans of a variant, with what each needs.</summary>
internal static class PlanTable
{
    private static readonly (int, int) Square = (64, 64);

    /// <summary>Prints the plans by target, and why other targets have none.</summary>
    public static void Write(Terminal terminal, AttentionVariant variant)
    {
        terminal.Writer.WriteLine();
        terminal.Writer.WriteLine("Plans");
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns(
            "Target",
            "Type",
            "Head dim",
            "Value dim",
            "Class",
            "Registers",
            "Memory",
            "Chosen by",
            "Plan"
        );
        foreach (PlanInfo plan in variant.Plans)
            table.AddRow(
                new Text(plan.Target.ToString().ToLowerInvariant()),
                new Text(Describe.Type(plan.ElementType)),
                new Text(Dim(plan.HeadDim)),
                new Text(Dim(plan.ValueDim)),
                new Text(Class(plan)),
                new Text(plan.RegistersPerThread.ToString(CultureInfo.InvariantCulture)),
                new Text(Kilobytes(plan)),
                new Text(ChosenBy(plan.Source)),
                new Text(Schedule(plan))
            );
        terminal.Output.Write(table);
        foreach (
            IGrouping<string, PlanInfo> why in variant
                .Plans.Where(plan => plan.Reason.Length != 0)
                .GroupBy(plan => $"{ChosenBy(plan.Source)}: {plan.Reason}")
        )
            terminal.Writer.WriteLine($"  {Kernels(why)}  {why.Key}");
        foreach (TargetRefusal refusal in variant.Refusals)
            terminal.Writer.WriteLine($"  no {refusal.Target.ToString().ToLowerInvariant()}: {refusal.Reason}");
    }

    /// <summary>The tile of the plan that this machine runs on the CPU for float32, or for the first type that the variant has.</summary>
    public static (int BlockM, int BlockN) BlockOf(AttentionVariant variant)
    {
        foreach (PlanInfo info in variant.Plans.OrderBy(p => p.ElementType != FlashGen.ElementType.Float32))
            if (
                PlanText.parse(info.Canonical) is { IsOk: true, ResultValue: { } plan }
                && plan.Schedule is Schedule.SimdSchedule simd
                && simd.Item.VectorBits == SimdForward.VectorBits
            )
                return (plan.BlockM, plan.BlockN);
        return Square;
    }

    private static string Class(PlanInfo plan)
    {
        string rows = plan.MaxRows == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{plan.MaxRows} rows"),
            keys = plan.MaxKeys is 0 or int.MaxValue
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $"{plan.MaxKeys} keys"),
            to = rows + (rows.Length * keys.Length == 0 ? "" : " or ") + keys;
        return plan.ShapeClass + (to.Length == 0 ? "" : $", to {to}");
    }

    // The canonical text without what stands in columns of its own.
    private static string Schedule(PlanInfo plan)
    {
        int at = plan.Canonical.IndexOf(" m=", StringComparison.Ordinal);
        return at < 0 ? plan.Canonical : plan.Canonical[(at + 1)..];
    }

    private static string ChosenBy(PlanSource source) =>
        source switch
        {
            PlanSource.Tuned => "tuned",
            PlanSource.BlockSize => "[BlockSize]",
            _ => "planner",
        };

    private static string Kernels(IEnumerable<PlanInfo> plans) =>
        string.Join(
            ", ",
            plans
                .Select(plan =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{plan.Target.ToString().ToLowerInvariant()} {Describe.Type(plan.ElementType)} {plan.HeadDim}x{plan.ValueDim} {plan.ShapeClass}"
                    )
                )
                .Distinct()
        );

    private static string Dim(int dim) => dim == 0 ? "any" : dim.ToString(CultureInfo.InvariantCulture);

    private static string Kilobytes(PlanInfo plan) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(plan.SharedBytes + 1023) / 1024} KB {(plan.Target == Target.Simd ? "a thread" : "shared")}"
        );
}
