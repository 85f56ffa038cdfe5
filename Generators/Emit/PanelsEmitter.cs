using FlashGen.Dsl;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Emit;

/// <summary>Writes the micro-kernels that the CPU kernels of an assembly share.</summary>
internal static class PanelsEmitter
{
    /// <summary>What a declaration asks of the shared file, in canonical text: all that the file depends on.</summary>
    public static FSharpList<string> Needs(Declaration declaration) => FSharpList<string>.Empty;

    /// <param name="needs">The needs of all declarations, each once, in ordinal order.</param>
    public static IEnumerable<(string Hint, string Text)> Emit(IReadOnlyList<string> needs) => [];
}
