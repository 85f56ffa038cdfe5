using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators;

/// <summary>A <c>flashgen.plans</c> of the project, read: equal by value, so that only a change of its entries is one.</summary>
/// <param name="Path">Where it is, for diagnostics.</param>
/// <param name="File">What it says.</param>
internal sealed record TuningFile(string Path, PlanFile File)
{
    public static bool Is(AdditionalText text) =>
        string.Equals(
            System.IO.Path.GetFileName(text.Path),
            PlanFileModule.fileName,
            StringComparison.OrdinalIgnoreCase
        );

    public static TuningFile Read(AdditionalText text, CancellationToken cancellation) =>
        new(
            text.Path,
            text.GetText(cancellation) is { } content ? PlanFileModule.parse(content.ToString()) : PlanFileModule.empty
        );

    /// <summary>What the files have for a declaration as it is now.</summary>
    public static Declaration Join(Declaration declaration, FSharpList<PlanEntry> entries)
    {
        var own = entries.Where(entry => entry.Variant == declaration.Spec.Name).ToList();
        if (own.Count == 0)
            return declaration;
        var hash = Text.hash(declaration.Spec);
        var tuned = own.Where(entry => entry.SpecHash == hash)
            .Select(entry => entry.Tuned)
            .Where(entry => PlanChoiceModule.misfit(declaration.Spec, entry) is null);
        return new Declaration(
            declaration.Spec,
            declaration.Namespace,
            declaration.Types,
            declaration.Accessibility,
            declaration.Methods,
            declaration.Optimized,
            declaration.Rejected,
            ListModule.OfSeq(tuned)
        );
    }

    /// <summary>The lines that could not be read.</summary>
    public IEnumerable<FileDiagnostic> Faults() =>
        File.Faults.Select(fault => new FileDiagnostic(
            DiagnosticCatalog.TuningFileFault.Id,
            Path,
            fault.Line,
            ListModule.OfArray(new[] { fault.Reason })
        ));

    /// <summary>The lines of a variant that were measured for another spec of it, or for no kernel that it has.</summary>
    public IEnumerable<FileDiagnostic> Stale(Declaration declaration)
    {
        var name = declaration.Spec.Name;
        string? hash = null;
        foreach (var (line, entry) in File.Entries)
        {
            if (entry.Variant != name)
                continue;
            hash ??= Text.hash(declaration.Spec);
            var reason =
                entry.SpecHash != hash
                    ? $"its spec has changed since, the hash is {hash} now"
                    : PlanChoiceModule.misfit(declaration.Spec, entry.Tuned)?.Value.TrimEnd('.');
            if (reason is not null)
                yield return new FileDiagnostic(
                    DiagnosticCatalog.StalePlan.Id,
                    Path,
                    line,
                    ListModule.OfArray(new[] { name, reason })
                );
        }
    }
}
