using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Portable;
using FlashGen.Generators.Emit.Simd;
using FlashGen.Generators.Emit.Tensor;

namespace FlashGen.Generators.Emit;

/// <summary>Writes the kernels of a variant and what calls them, one file a target and width; a part is the last of its file's name.</summary>
internal static class KernelEmitter
{
    public static IEnumerable<(string Part, string Text)> Emit(Declaration declaration)
    {
        Coverage coverage = CoverageModule.ofSpec(declaration.Spec);
        bool isPortable = declaration.Spec.Targets.Contains(TargetKind.Portable);
        IEnumerable<TilePlan> plans = SimdPlans.All(declaration.Spec);
        if (isPortable)
            plans = plans.Concat(PortablePlans.All(declaration.Spec));
        bool isTensor = TensorPlans.All(declaration.Spec).Any();
        if (isTensor)
            plans = plans.Concat(TensorPlans.All(declaration.Spec));
        yield return ("Variant", VariantEmitter.Emit(declaration, plans));
        if (isPortable)
            yield return ("Portable", PortableEntryEmitter.Emit(declaration, coverage));
        if (isTensor)
            yield return ("Tensor", TensorEntryEmitter.Emit(declaration, coverage));
        yield return ("Simd", SimdEntryEmitter.Emit(declaration));
        foreach (TilePlan plan in SimdPlans.Kernels(declaration.Spec))
        {
            SimdTile tile = SimdTile.Of(plan);
            yield return (SimdEmitter.KernelName(tile), new SimdEmitter(declaration, coverage, plan).Emit());
        }
    }
}
