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
        IEnumerable<PlanChoice> plans = SimdPlans.All(declaration);
        if (isPortable)
            plans = plans.Concat(PortablePlans.All(declaration));
        bool isTensor = TensorPlans.Choices(declaration).Any();
        if (isTensor)
            plans = plans.Concat(TensorPlans.Choices(declaration));
        yield return ("Variant", VariantEmitter.Emit(declaration, plans));
        if (isPortable)
            yield return ("Portable", PortableEntryEmitter.Emit(declaration, coverage));
        if (isTensor)
            yield return ("Tensor", TensorEntryEmitter.Emit(declaration, coverage));
        yield return ("Simd", SimdEntryEmitter.Emit(declaration));
        foreach (SimdText text in SimdPlans.Kernels(declaration))
            yield return (
                SimdEmitter.KernelName(SimdTile.Of(text.Plan)),
                new SimdEmitter(declaration, coverage, text).Emit()
            );
    }
}
