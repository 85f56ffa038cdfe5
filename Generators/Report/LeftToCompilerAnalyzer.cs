using System.Collections.Immutable;
using FlashGen.Generators.Parse;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Report;

/// <summary>
/// The generator says nothing of a class in which the compiler has errors of its own. Where those errors were gone once all
/// generators had run, because a mod uses what another one writes, the class would be refused in silence: this tells.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LeftToCompilerAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
        ImmutableArray.Create(DiagnosticCatalog.UsesGeneratedCode);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.SyntaxTrees.Any(FileNames.MarksLeftToCompiler))
                start.RegisterSymbolAction(Analyze, SymbolKind.NamedType);
        });
    }

    private static void Analyze(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (!DeclarationParser.IsVariant(type) || !IsMarked(type, context.Compilation))
            return;
        var again = DeclarationParser.Parse(type, context.Compilation, context.CancellationToken);
        if (!again.RefusedByCompiler)
            context.ReportDiagnostic(
                Diagnostic.Create(DiagnosticCatalog.UsesGeneratedCode, ClassShape.NameOf(type), type.Name)
            );
    }

    private static bool IsMarked(INamedTypeSymbol type, Compilation compilation)
    {
        var name = ClassShape.FullNameOf(type);
        var plain = FileNames.OfLeftToCompiler(name, FSharpList<string>.Empty);
        var unambiguous = FileNames.OfLeftToCompiler(name, ListModule.Singleton(name));
        return compilation
            .SyntaxTrees.Where(FileNames.MarksLeftToCompiler)
            .Any(tree => IsFile(tree, plain) || IsFile(tree, unambiguous));
    }

    private static bool IsFile(SyntaxTree tree, string name) =>
        string.Equals(Path.GetFileName(tree.FilePath), name, StringComparison.Ordinal);
}
