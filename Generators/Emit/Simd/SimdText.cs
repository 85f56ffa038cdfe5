using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The plans behind one CPU kernel text. They share its register tile; keys of a tile and panels of an item may differ by type,
/// dimension and class of shapes, and are then numbers that the kernel looks up once a call.
/// </summary>
internal sealed class SimdText
{
    private readonly IReadOnlyList<PlanChoice> choices;

    /// <param name="choices">Narrowest type first; of each type and dimension the plan of long shapes first.</param>
    public SimdText(IReadOnlyList<PlanChoice> choices)
    {
        this.choices = choices;
        Plan = choices
            .Where(choice => choice.Plan.Type.Equals(choices[0].Plan.Type) && choice.Plan.ShapeClass.IsLong)
            .OrderByDescending(choice => choice.Plan.Dims.HeadDim + choice.Plan.Dims.ValueDim)
            .First()
            .Plan;
    }

    /// <summary>The plan where nothing else is said: of long shapes, the narrowest type and the largest dimension.</summary>
    public TilePlan Plan { get; }

    /// <summary>Whether all plans are of one size.</summary>
    public bool IsUniform => choices.All(choice => Sizes(choice.Plan) == Sizes(Plan));

    /// <summary>The most panels of an item.</summary>
    public int MostPanels => choices.Max(choice => Sizes(choice.Plan).Panels);

    /// <summary>The most keys of a tile.</summary>
    public int MostKeys => choices.Max(choice => choice.Plan.BlockN);

    /// <summary>Why plans are not the planner's, a line each; none where a measurement found the planner right.</summary>
    public IEnumerable<string> Reasons() =>
        choices
            .Where(choice =>
                choice.Source.IsFromMeasurement
                && choice.Others.Any(other => other.Item1.IsFromPlanner && !IsSameSize(other.Item2, choice.Plan))
            )
            .Select(choice =>
                $"{TilePlanModule.typeName(choice.Plan.Type)} d={Number(choice.Plan.Dims.HeadDim)} dv={Number(choice.Plan.Dims.ValueDim)} {TilePlanModule.shapeClassName(choice.Plan.ShapeClass)}: {PlanReason.Of(choice)}"
            );

    /// <summary>The function that finds the sizes of a call.</summary>
    public string SizesMember(AttentionSpec spec)
    {
        List<string> lines = new();
        // Classes of shapes before what holds for all shapes of a type and dimension.
        foreach (
            IGrouping<(ShapeClass Class, int BlockN, int Panels), PlanChoice> group in choices
                .Where(choice => !choice.Plan.ShapeClass.IsLong || Sizes(choice.Plan) != Sizes(Plan))
                .OrderBy(choice => choice.Plan.ShapeClass.IsLong)
                .GroupBy(choice => (choice.Plan.ShapeClass, Sizes(choice.Plan).BlockN, Sizes(choice.Plan).Panels))
        )
        {
            string condition = Condition(spec, group.Key.Class, group.ToList());
            lines.Add($"    if ({condition})\n        return ({group.Key.BlockN}, {group.Key.Panels});");
        }
        return $$"""
            // Keys of a tile and panels of an item, as they were measured.
            private static (int BlockN, int Panels) Sizes(in SimdCall call)
            {
            {{string.Join("\n", lines)}}
                return ({{Number(Plan.BlockN)}}, {{Number(Sizes(Plan).Panels)}});
            }
            """;
    }

    private string Condition(AttentionSpec spec, ShapeClass shapeClass, List<PlanChoice> group)
    {
        List<string> parts = new();
        if (shapeClass.IsShort)
            parts.Add("call.IsShort");
        else if (shapeClass.IsDecode)
            parts.Add("call.IsDecode");
        bool hasTypes = choices.Select(choice => choice.Plan.Type).Distinct().Count() > 1;
        string[] each = group
            .Select(choice =>
                string.Join(
                    " && ",
                    new[]
                    {
                        hasTypes ? $"typeof(T) == typeof({Names.Element(choice.Plan.Type)})" : "",
                        spec.Dims.Length > 1
                            ? $"call.HeadDim == {Number(choice.Plan.Dims.HeadDim)} && call.ValueDim == {Number(choice.Plan.Dims.ValueDim)}"
                            : "",
                    }.Where(part => part.Length > 0)
                )
            )
            .Where(part => part.Length > 0)
            .ToArray();
        bool isEverything = group.Count == choices.Count(choice => choice.Plan.ShapeClass.IsLong);
        if (each.Length > 0 && !isEverything)
            parts.Add(each.Length == 1 ? each[0] : "(" + string.Join(" || ", each) + ")");
        return parts.Count == 0 ? "true" : string.Join(" && ", parts);
    }

    private static bool IsSameSize(TilePlan a, TilePlan b) =>
        a.BlockM == b.BlockM && a.BlockN == b.BlockN && a.Schedule.Equals(b.Schedule);

    private static (int BlockN, int Panels) Sizes(TilePlan plan) =>
        (plan.BlockN, ((Schedule.SimdSchedule)plan.Schedule).Item.Panels);
}
