using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Parse;

/// <summary>Where a declaration stands: what the generated half must open to get into the user's class.</summary>
/// <param name="Name">The full name, for people and for the files' names.</param>
/// <param name="Namespace">As C# writes it; empty for the global one.</param>
/// <param name="Types">Outermost first; the last one is the class itself.</param>
/// <param name="Accessibility">public or internal: what the class is to the outside.</param>
/// <param name="CanBeOpened">The class can be given another half.</param>
/// <param name="CanBeExtended">Members can stand beside it, in another file.</param>
internal sealed record ClassShape(
    string Name,
    string Namespace,
    FSharpList<PartialType> Types,
    string Accessibility,
    bool CanBeOpened,
    bool CanBeExtended
)
{
    private static readonly SymbolDisplayFormat FullName = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces
    );

    private static readonly SymbolDisplayFormat WrittenName = new(
        genericsOptions: SymbolDisplayGenericsOptions.IncludeTypeParameters,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers
    );

    private static readonly SymbolDisplayFormat WrittenNamespace = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers
    );

    /// <summary>Reads the shape of a class and reports what does not allow a generated half.</summary>
    public static ClassShape Parse(INamedTypeSymbol type, ParseContext context)
    {
        var isOpen = true;
        var at = NameOf(type);
        if (!IsPartial(type))
        {
            context.Report(DiagnosticCatalog.NotPartial, at, type.Name);
            isOpen = false;
        }
        if (!type.IsStatic)
            context.Report(DiagnosticCatalog.NotStatic, at, type.Name);

        var chain = Chain(type);
        var isFileLocal = chain.Exists(part => part.IsFileLocal);
        if (isFileLocal)
            context.Report(DiagnosticCatalog.FileLocal, at, type.Name);
        if (chain.Find(part => part.Arity > 0) is { } generic)
            context.Report(DiagnosticCatalog.Generic, NameOf(generic) ?? at, generic.Name);
        foreach (var enclosing in chain.Take(chain.Count - 1).Where(enclosing => !IsPartial(enclosing)))
        {
            context.Report(DiagnosticCatalog.EnclosingNotPartial, NameOf(enclosing) ?? at, enclosing.Name, type.Name);
            isOpen = false;
        }
        if (chain.Find(part => !IsVisible(part)) is { } hidden)
        {
            var accessibility = SyntaxFacts.GetText(hidden.DeclaredAccessibility);
            context.Report(DiagnosticCatalog.Inaccessible, NameOf(hidden) ?? at, hidden.Name, accessibility);
        }

        var space = type.ContainingNamespace;
        return new ClassShape(
            FullNameOf(type),
            space.IsGlobalNamespace ? "" : space.ToDisplayString(WrittenNamespace),
            ListModule.OfSeq(chain.Select(Partial)),
            chain.TrueForAll(part => part.DeclaredAccessibility == Microsoft.CodeAnalysis.Accessibility.Public)
                ? "public"
                : "internal",
            isOpen && !isFileLocal,
            !isFileLocal && chain.TrueForAll(part => part.Arity == 0 && IsVisible(part))
        );
    }

    /// <summary>The name with its namespace and the types around it.</summary>
    public static string FullNameOf(INamedTypeSymbol type) => type.ToDisplayString(FullName);

    /// <summary>Where a type's name is written first.</summary>
    public static Location? NameOf(INamedTypeSymbol type) =>
        type
            .Locations.Where(location => location.IsInSource)
            .OrderBy(location => location.SourceTree!.FilePath, StringComparer.Ordinal)
            .ThenBy(location => location.SourceSpan.Start)
            .FirstOrDefault();

    private static List<INamedTypeSymbol> Chain(INamedTypeSymbol type)
    {
        var chain = new List<INamedTypeSymbol>();
        for (var part = type; part is not null; part = part.ContainingType)
            chain.Insert(0, part);
        return chain;
    }

    private static bool IsPartial(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.Any(reference =>
            reference.GetSyntax() is TypeDeclarationSyntax declaration
            && declaration.Modifiers.Any(SyntaxKind.PartialKeyword)
        );

    private static bool IsVisible(INamedTypeSymbol type) =>
        type.DeclaredAccessibility
            is Microsoft.CodeAnalysis.Accessibility.Public
                or Microsoft.CodeAnalysis.Accessibility.Internal
                or Microsoft.CodeAnalysis.Accessibility.ProtectedOrInternal;

    private static PartialType Partial(INamedTypeSymbol type)
    {
        var accessibility = type.IsFileLocal ? "file" : SyntaxFacts.GetText(type.DeclaredAccessibility);
        var modifiers = type.IsStatic ? $"{accessibility} static partial" : $"{accessibility} partial";
        var keyword = type switch
        {
            { IsRecord: true, TypeKind: TypeKind.Struct } => "record struct",
            { IsRecord: true } => "record",
            { TypeKind: TypeKind.Struct } => "struct",
            { TypeKind: TypeKind.Interface } => "interface",
            _ => "class",
        };
        return new PartialType(modifiers, keyword, type.ToDisplayString(WrittenName));
    }
}
