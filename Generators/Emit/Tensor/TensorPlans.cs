using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The tensor-core plans of a variant.</summary>
internal static class TensorPlans
{
    /// <summary>The targets that have a kernel text, the fastest first.</summary>
    public static readonly TargetKind[] Targets = { TargetKind.Sm90, TargetKind.Sm80 };

    /// <summary>
    /// A plan for each target, 16-bit type and pair of dimensions, of those that fit, before it one for short shapes where that is another:
    /// what an engine chooses from, the first that takes the call. None without Portable, which runs the calls that tensor cores cannot.
    /// </summary>
    public static IEnumerable<TilePlan> All(AttentionSpec spec) =>
        Choices(spec, FSharpList<TunedPlan>.Empty).Select(choice => choice.Plan);

    /// <summary>The same, as the tuning file has it.</summary>
    public static IEnumerable<PlanChoice> Choices(Declaration declaration) =>
        Choices(declaration.Spec, declaration.Tuned);

    private static IEnumerable<PlanChoice> Choices(AttentionSpec spec, FSharpList<TunedPlan> tuned) =>
        from target in Targets
        where spec.Targets.Contains(TargetKind.Portable) && TensorPlanner.takes(target, spec)
        from type in spec.Types
        where type.IsFloat16 || type.IsBFloat16
        from dims in TensorPlanner.buckets(spec)
        let choice = PlanChoiceModule.tensor(target, type, dims, spec, tuned)
        where choice.IsOk
        from plan in choice.ResultValue
        select plan;

    /// <summary>Why a variant that asks for a target has no kernel of it.</summary>
    public static string Refusal(TargetKind target, AttentionSpec spec)
    {
        if (!Targets.Contains(target))
            return $"This version of FlashGen writes no {target} kernels; Portable runs on these devices.";
        if (!spec.Targets.Contains(TargetKind.Portable))
            return "The declaration's Targets leaves out Portable, which runs the calls that tensor cores cannot.";
        if (!spec.Types.Any(type => type.IsFloat16 || type.IsBFloat16))
            return "Tensor cores take Float16 and BFloat16, and the variant declares neither; Portable runs the others.";
        if (!TensorPlanner.takes(target, spec))
            return "No declared dimension is within 256, the widest that tensor-core kernels are written for.";
        return TensorPlanner.plan(target, ElementType.Float16, TensorPlanner.buckets(spec).First(), spec).ErrorValue;
    }

    /// <summary>The kernel texts of a variant.</summary>
    public static IEnumerable<TensorTile> Tiles(Declaration declaration) =>
        Choices(declaration).Select(choice => TensorTile.Of(choice.Plan)).Distinct();
}
