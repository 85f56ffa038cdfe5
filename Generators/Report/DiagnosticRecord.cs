using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Report;

/// <summary>A diagnostic as a value, equal by value, so that a pipeline may keep it.</summary>
internal sealed record DiagnosticRecord(string Id, SourcePlace? Place, FSharpList<string> Arguments)
{
    public static DiagnosticRecord Create(
        DiagnosticDescriptor rule,
        Compilation compilation,
        Location? location,
        params string[] arguments
    ) => new(rule.Id, SourcePlace.Of(compilation, location), ListModule.OfArray(arguments));

    /// <summary>
    /// The diagnostic itself. It stands in the syntax tree, not merely in a file of that path: otherwise a #pragma could
    /// not turn a warning off.
    /// </summary>
    public Diagnostic ToDiagnostic(Compilation compilation) =>
        Diagnostic.Create(
            DiagnosticCatalog.Find(Id),
            Place?.In(compilation) ?? Location.None,
            Arguments.ToArray<object>()
        );
}

/// <summary>A span of a source file, without the syntax tree, which a pipeline must not keep alive.</summary>
/// <param name="Tree">The tree's place among those of the compilation: paths may be empty, or occur twice.</param>
/// <param name="Path">The tree's path.</param>
/// <param name="Span">The characters.</param>
internal sealed record SourcePlace(int Tree, string Path, TextSpan Span)
{
    public static SourcePlace? Of(Compilation compilation, Location? location) =>
        location?.SourceTree is { } tree
            ? new SourcePlace(IndexOf(compilation, tree), tree.FilePath, location.SourceSpan)
            : null;

    /// <summary>The location in a compilation that has this file, else null.</summary>
    public Location? In(Compilation compilation)
    {
        var tree = compilation.SyntaxTrees.ElementAtOrDefault(Tree);
        if (tree?.FilePath != Path)
            tree = compilation.SyntaxTrees.FirstOrDefault(candidate => candidate.FilePath == Path);
        return tree is null || Span.End > tree.Length ? null : Location.Create(tree, Span);
    }

    private static int IndexOf(Compilation compilation, SyntaxTree tree)
    {
        var index = 0;
        foreach (var candidate in compilation.SyntaxTrees)
        {
            if (candidate == tree)
                break;
            index++;
        }
        return index;
    }
}
