using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>The device plans of a variant.</summary>
internal static class PortablePlans
{
    /// <summary>A plan for each kernel text: one for each number of value columns, in float and in double.</summary>
    public static IEnumerable<TilePlan> Kernels(AttentionSpec spec) =>
        from wide in new[] { false, true }
        let types = spec.Types.Where(type => type.IsFloat64 == wide).ToList()
        where types.Count > 0
        from dims in Planner.portableDims(types[0], spec)
        select Plans(types[0], dims, spec).First();

    /// <summary>A plan for each type, number of value columns and group size: what an engine chooses from.</summary>
    public static IEnumerable<TilePlan> All(AttentionSpec spec) =>
        from type in spec.Types
        from dims in Planner.portableDims(type, spec)
        from plan in Plans(type, dims, spec)
        select plan;

    public static PortableSchedule Schedule(TilePlan plan) => ((Schedule.PortableSchedule)plan.Schedule).Item;

    private static IEnumerable<TilePlan> Plans(ElementType type, HeadDims dims, AttentionSpec spec)
    {
        var result = Planner.portablePlans(type, dims, spec);
        return result.IsOk ? result.ResultValue : throw new InvalidOperationException(result.ErrorValue);
    }
}
