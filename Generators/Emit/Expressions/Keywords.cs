using Microsoft.CodeAnalysis.CSharp;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>C#'s reserved words, which a parameter may use with an @ before them.</summary>
internal static class Keywords
{
    public static bool Is(string name) => SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None;

    /// <summary>The name as it may stand in C#.</summary>
    public static string Escape(string name) => Is(name) ? "@" + name : name;
}
