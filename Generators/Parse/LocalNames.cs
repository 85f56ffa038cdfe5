using System.Globalization;
using Microsoft.CodeAnalysis.CSharp;

namespace FlashGen.Generators.Parse;

/// <summary>Gives the locals of one mod names that are unique in it, differ from every argument's, and are no keywords.</summary>
internal sealed class LocalNames(IEnumerable<string> taken)
{
    private readonly HashSet<string> _taken = new(taken, StringComparer.Ordinal);

    public string Unique(string wanted)
    {
        var name = wanted;
        for (var number = 2; IsKeyword(name) || !_taken.Add(name); number++)
            name = wanted + number.ToString(CultureInfo.InvariantCulture);
        return name;
    }

    private static bool IsKeyword(string name) =>
        SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None
        || SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None;
}
