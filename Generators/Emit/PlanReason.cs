using System.Globalization;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>Why a kernel has its plan, in words.</summary>
internal static class PlanReason
{
    /// <summary>A comment that names the plan, and what chose it unless the planner did.</summary>
    public static string Line(PlanChoice choice) =>
        "// Plan: " + PlanText.print(choice.Plan) + (choice.Source.IsFromPlanner ? "" : "\n//     " + Of(choice));

    /// <summary>What won and what it won over.</summary>
    public static string Of(PlanChoice choice)
    {
        string planner = choice
            .Others.Where(other => other.Item1.IsFromPlanner)
            .Select(other => Sizes(other.Item2))
            .FirstOrDefault();
        if (choice.Source is PlanSource.FromMeasurement { Item: var tuned })
        {
            string measured = Sizes(tuned.Plan);
            // A smaller group of the plan's, for devices without room for it, was not measured itself.
            string whole = measured == Sizes(choice.Plan) ? "" : $" with {measured}";
            string against =
                planner is null || planner == measured
                    ? ", which is the planner's own plan"
                    : $", the planner's {planner} {Milliseconds(tuned.DefaultMilliseconds)} ms";
            return $"measured on {tuned.DeviceClass}{whole}, {Milliseconds(tuned.Milliseconds)} ms{against}";
        }
        string beaten = string.Concat(
            choice
                .Others.Where(other => other.Item1.IsFromMeasurement)
                .Select(other =>
                    $"; measured on {((PlanSource.FromMeasurement)other.Item1).Item.DeviceClass}: {Sizes(other.Item2)}"
                )
        );
        return choice.Source.IsFromBlockSize
            ? "[BlockSize]" + beaten + (planner is null ? "" : $"; the planner's: {planner}")
            : "the planner's" + beaten;
    }

    /// <summary>A plan without target, type, dimensions and class.</summary>
    private static string Sizes(TilePlan plan)
    {
        string text = PlanText.print(plan);
        return text.Substring(text.IndexOf(" m=", System.StringComparison.Ordinal) + 1);
    }

    private static string Milliseconds(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
