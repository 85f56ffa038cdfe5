using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Simd;

namespace FlashGen.Generators.Emit;

/// <summary>Writes the kernels of a variant and what calls them, one file a target and width.</summary>
internal static class KernelEmitter
{
    public static IEnumerable<(string Hint, string Text)> Emit(Declaration declaration)
    {
        string name = declaration.Spec.Name;
        Coverage coverage = CoverageModule.ofSpec(declaration.Spec);
        yield return ($"{name}.Variant.g.cs", VariantEmitter.Emit(declaration, SimdPlans.All(declaration.Spec)));
        yield return ($"{name}.Simd.g.cs", SimdEntryEmitter.Emit(declaration));
        foreach (TilePlan plan in SimdPlans.Kernels(declaration.Spec))
        {
            SimdTile tile = SimdTile.Of(plan);
            yield return (
                $"{name}.{SimdEmitter.KernelName(tile)}.g.cs",
                new SimdEmitter(declaration, coverage, plan).Emit()
            );
        }
    }
}
