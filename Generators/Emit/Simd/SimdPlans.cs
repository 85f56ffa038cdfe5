using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>The CPU plans of a variant.</summary>
internal static class SimdPlans
{
    /// <summary>A plan for each kernel text: one a width, and one more where there are doubles.</summary>
    public static IEnumerable<TilePlan> Kernels(AttentionSpec spec)
    {
        HeadDims dims = Planner.largestDims(spec);
        foreach (bool wide in new[] { false, true })
        {
            List<ElementType> types = spec.Types.Where(type => type.IsFloat64 == wide).ToList();
            if (types.Count == 0)
                continue;
            // The narrowest type needs the most scratch: it is widened.
            ElementType type = types.OrderBy(TilePlanModule.storageBytes).First();
            foreach (int bits in TargetDescriptionModule.simdWidths)
                yield return Plan(bits, type, dims, spec);
        }
    }

    /// <summary>A plan for each type, dimension and width.</summary>
    public static IEnumerable<TilePlan> All(AttentionSpec spec)
    {
        IEnumerable<HeadDims> dims = spec.Dims.IsEmpty ? new[] { Planner.largestDims(spec) } : spec.Dims;
        return from type in spec.Types
            from dim in dims
            from bits in TargetDescriptionModule.simdWidths
            select Plan(bits, type, dim, spec);
    }

    private static TilePlan Plan(int bits, ElementType type, HeadDims dims, AttentionSpec spec)
    {
        var result = Planner.simd(bits, type, dims, spec);
        return result.IsOk ? result.ResultValue : throw new InvalidOperationException(result.ErrorValue);
    }
}
