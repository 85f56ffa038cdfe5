using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators;

/// <summary>The names of generated files: the class, then the part, which is empty for the surface.</summary>
internal static class FileNames
{
    private const string LeftToCompiler = "refused";

    /// <summary>The class names that another one equals but for upper and lower case, in ordinal order.</summary>
    public static FSharpList<string> Ambiguous(IEnumerable<string> names) =>
        ListModule.OfSeq(
            names
                .GroupBy(name => name, StringComparer.OrdinalIgnoreCase)
                .Where(group => group.Count() > 1)
                .SelectMany(group => group)
                .OrderBy(name => name, StringComparer.Ordinal)
        );

    public static string Of(string name, string part, FSharpList<string> ambiguous)
    {
        var stem = ambiguous.Contains(name) ? $"{name}.{Hash(name)}" : name;
        return part.Length == 0 ? $"{stem}.g.cs" : $"{stem}.{part}.g.cs";
    }

    /// <summary>The file that marks a class which was left to the compiler's own errors.</summary>
    public static string OfLeftToCompiler(string name, FSharpList<string> ambiguous) =>
        Of(name, LeftToCompiler, ambiguous);

    /// <summary>Whether a file marks a class which was left to the compiler's own errors.</summary>
    public static bool MarksLeftToCompiler(SyntaxTree tree) =>
        tree.FilePath.EndsWith($".{LeftToCompiler}.g.cs", StringComparison.Ordinal);

    /// <summary>FNV-1a, 32 bits: the same on every machine.</summary>
    private static string Hash(string name)
    {
        var hash = 2166136261u;
        foreach (var part in Encoding.UTF8.GetBytes(name))
            hash = (hash ^ part) * 16777619u;
        return hash.ToString("x8", CultureInfo.InvariantCulture);
    }
}
