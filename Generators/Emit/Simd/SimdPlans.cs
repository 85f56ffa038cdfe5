using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>The CPU plans of a variant.</summary>
internal static class SimdPlans
{
    /// <summary>The kernel texts: one a width, and one more where there are doubles.</summary>
    public static IEnumerable<SimdText> Kernels(Declaration declaration)
    {
        foreach (bool wide in new[] { false, true })
        foreach (int bits in TargetDescriptionModule.simdWidths)
        {
            // The narrowest type needs the most scratch: it is widened.
            List<PlanChoice> choices = declaration
                .Spec.Types.Where(type => type.IsFloat64 == wide)
                .OrderBy(TilePlanModule.storageBytes)
                .SelectMany(type => Dims(declaration.Spec).SelectMany(dims => Choices(bits, type, dims, declaration)))
                .ToList();
            if (choices.Count > 0)
                yield return new(choices);
        }
    }

    /// <summary>A plan for each type, dimension and width, and one more for each class of shapes that has its own.</summary>
    public static IEnumerable<PlanChoice> All(Declaration declaration) =>
        from type in declaration.Spec.Types
        from dims in Dims(declaration.Spec)
        from bits in TargetDescriptionModule.simdWidths
        from choice in Choices(bits, type, dims, declaration)
        select choice;

    private static IEnumerable<HeadDims> Dims(AttentionSpec spec) =>
        spec.Dims.IsEmpty ? new[] { Planner.largestDims(spec) } : spec.Dims;

    private static IEnumerable<PlanChoice> Choices(int bits, ElementType type, HeadDims dims, Declaration declaration)
    {
        var result = PlanChoiceModule.simd(bits, type, dims, declaration.Spec, declaration.Tuned);
        return result.IsOk ? result.ResultValue : throw new InvalidOperationException(result.ErrorValue);
    }
}
