using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>The device plans of a variant.</summary>
internal static class PortablePlans
{
    /// <summary>A plan for each kernel text: one for each number of value columns, in float and in double.</summary>
    public static IEnumerable<PlanChoice> Kernels(Declaration declaration) =>
        from wide in new[] { false, true }
        let types = declaration.Spec.Types.Where(type => type.IsFloat64 == wide).ToList()
        where types.Count > 0
        from dims in Planner.portableDims(types[0], declaration.Spec)
        select Groups(types[0], dims, declaration).First();

    /// <summary>A plan for each type, number of value columns and group size: what an engine chooses from.</summary>
    public static IEnumerable<PlanChoice> All(Declaration declaration) =>
        from type in declaration.Spec.Types
        from dims in Planner.portableDims(type, declaration.Spec)
        from choice in Groups(type, dims, declaration)
        select choice;

    /// <summary>The kernel texts that a variant shares with others of the assembly.</summary>
    public static IEnumerable<PortableText> Texts(Declaration declaration) =>
        declaration.Spec.Targets.Contains(TargetKind.Portable)
            ? All(declaration).Select(choice => PortableText.Of(choice.Plan)).Distinct()
            : Enumerable.Empty<PortableText>();

    public static PortableSchedule Schedule(TilePlan plan) => ((Schedule.PortableSchedule)plan.Schedule).Item;

    private static IEnumerable<PlanChoice> Groups(ElementType type, HeadDims dims, Declaration declaration)
    {
        var result = PlanChoiceModule.portableGroups(type, dims, declaration.Spec, declaration.Tuned);
        return result.IsOk ? result.ResultValue : throw new InvalidOperationException(result.ErrorValue);
    }
}
