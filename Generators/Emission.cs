using System.Text;
using FlashGen.Dsl;
using FlashGen.Generators.Emit;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators;

/// <summary>Hands the emitters' texts to the compiler. A fault of an emitter is an error of the build, with its name.</summary>
internal static class Emission
{
    public static void Surface(SourceProductionContext output, Declaration declaration) =>
        Add(output, declaration.Spec.Name, () => [(Hint(declaration), SurfaceEmitter.Emit(declaration))]);

    public static void Kernels(SourceProductionContext output, Declaration declaration) =>
        Add(output, declaration.Spec.Name, () => KernelEmitter.Emit(declaration));

    public static void Panels(SourceProductionContext output, FSharpList<string> needs) =>
        Add(output, "the shared micro-kernels", () => PanelsEmitter.Emit([.. needs]));

    /// <summary>The name of a variant's surface file; those of its kernels begin alike.</summary>
    private static string Hint(Declaration declaration) => $"{declaration.Spec.Name}.g.cs";

    private static void Add(
        SourceProductionContext output,
        string what,
        Func<IEnumerable<(string Hint, string Text)>> emit
    )
    {
        try
        {
            // All of it before any of it is added.
            foreach (var (hint, text) in emit().ToList())
                output.AddSource(hint, SourceText.From(text, Encoding.UTF8));
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            output.ReportDiagnostic(
                Diagnostic.Create(DiagnosticCatalog.GeneratorFailure, Location.None, what, FaultText.Of(fault))
            );
        }
    }
}
