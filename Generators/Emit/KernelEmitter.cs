using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>Writes the kernels of a variant, one file a target.</summary>
internal static class KernelEmitter
{
    public static IEnumerable<(string Hint, string Text)> Emit(Declaration declaration) => [];
}
