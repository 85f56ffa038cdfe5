using FlashGen.Dsl;
using FlashGen.Generators.Report;

namespace FlashGen.Generators.Parse;

/// <summary>Reports block sizes that the planner cannot fit into a target, with its numbers.</summary>
internal static class BudgetCheck
{
    public static void Report(AttentionSpec spec, IReadOnlyList<AttributeUse> uses, ParseContext context)
    {
        foreach (var (size, reason) in BlockSizeCheck.refusals(spec))
        {
            var use = uses.FirstOrDefault(use =>
                use.Name == "BlockSize" && use.Int(0) == size.BlockM && use.Int(1) == size.BlockN
            );
            var m = size.BlockM.ToString(System.Globalization.CultureInfo.InvariantCulture);
            var n = size.BlockN.ToString(System.Globalization.CultureInfo.InvariantCulture);
            context.Report(DiagnosticCatalog.OverBudget, use?.Location, m, n, reason);
        }
    }
}
