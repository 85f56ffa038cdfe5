using FlashGen.Dsl;
using FlashGen.Generators.Emit;
using FlashGen.Generators.Parse;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators;

/// <summary>
/// Writes the other half of every class marked <c>[Attention]</c>: one parse, then diagnostics, the surface (light, as typing
/// needs it) and the kernels (in builds only). What flows between the steps is equal by value, so that an edit reaches only
/// the files whose meaning it changes.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class FlashGenGenerator : IIncrementalGenerator
{
    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var parsed = context
            .SyntaxProvider.ForAttributeWithMetadataName(
                DeclarationParser.Attribute,
                static (node, _) => node is TypeDeclarationSyntax,
                static (found, cancellation) => Parse(found, cancellation)
            )
            .Where(static result => result is not null)
            .WithTrackingName(Steps.Parse);

        var declarations = parsed
            .Where(static result => result is { Declaration: not null, Surface: SurfaceKind.Inside })
            .Select(static (result, _) => result!.Declaration!)
            .WithTrackingName(Steps.Declarations);
        var substituted = parsed
            .Where(static result => result is { Declaration: not null, Surface: SurfaceKind.Beside })
            .Select(static (result, _) => result!.Declaration!)
            .WithTrackingName(Steps.Substituted);
        var accepted = declarations.Where(static declaration => !declaration.Rejected).WithTrackingName(Steps.Accepted);

        // Each declaration meets the entries that are its own: a change of the tuning file reaches the variants that it is about.
        var tuningFiles = context
            .AdditionalTextsProvider.Where(static text => TuningFile.Is(text))
            .Select(static (text, cancellation) => TuningFile.Read(text, cancellation))
            .WithTrackingName(Steps.TuningFiles);
        var entries = tuningFiles
            .Collect()
            .Select(
                static (files, _) =>
                    ListModule.OfSeq(files.SelectMany(file => file.File.Entries).Select(entry => entry.Item2))
            );
        var tuned = accepted
            .Combine(entries)
            .Select(static (pair, _) => TuningFile.Join(pair.Left, pair.Right))
            .WithTrackingName(Steps.Tuned);
        var needs = tuned
            .Select(static (declaration, _) => PanelsEmitter.Needs(declaration))
            .Collect()
            .Select(
                static (all, _) =>
                    ListModule.OfSeq(
                        all.SelectMany(each => each).Distinct().OrderBy(need => need, StringComparer.Ordinal)
                    )
            )
            .WithTrackingName(Steps.Panels);

        // Files' names do not tell upper from lower case; classes' names do.
        var ambiguous = declarations
            .Select(static (declaration, _) => declaration.Spec.Name)
            .Collect()
            .Select(static (names, _) => FileNames.Ambiguous(names))
            .WithTrackingName(Steps.AmbiguousNames);

        context.RegisterSourceOutput(
            declarations.Combine(ambiguous),
            static (output, pair) => Emission.Surface(output, pair.Left, pair.Right)
        );
        context.RegisterSourceOutput(
            substituted.Combine(ambiguous),
            static (output, pair) => Emission.Substitute(output, pair.Left, pair.Right)
        );
        context.RegisterImplementationSourceOutput(
            tuned.Combine(ambiguous),
            static (output, pair) => Emission.Kernels(output, pair.Left, pair.Right)
        );
        context.RegisterImplementationSourceOutput(needs, static (output, all) => Emission.Panels(output, all));

        var leftToCompiler = parsed
            .Where(static result => result!.IsLeftToCompiler)
            .Select(static (result, _) => result!.Name)
            .WithTrackingName(Steps.LeftToCompiler);
        context.RegisterSourceOutput(
            leftToCompiler.Combine(ambiguous),
            static (output, pair) => Emission.LeftToCompiler(output, pair.Left, pair.Right)
        );

        var settings = context
            .CompilationProvider.Select(static (compilation, _) => BuildFacts.Of(compilation))
            .WithTrackingName(Steps.Settings);
        var hasVariants = parsed.Collect().Select(static (all, _) => !all.IsEmpty).WithTrackingName(Steps.HasVariants);
        context.RegisterSourceOutput(
            settings.Combine(hasVariants),
            static (output, pair) =>
            {
                foreach (var diagnostic in pair.Right ? pair.Left.Diagnostics() : [])
                    output.ReportDiagnostic(diagnostic);
            }
        );
        context.RegisterSourceOutput(
            tuningFiles.SelectMany(static (file, _) => file.Faults()),
            static (output, fault) => output.ReportDiagnostic(fault.ToDiagnostic())
        );
        context.RegisterSourceOutput(
            accepted
                .Combine(tuningFiles.Collect())
                .SelectMany(static (pair, _) => pair.Right.SelectMany(file => file.Stale(pair.Left)))
                .WithTrackingName(Steps.Stale),
            static (output, stale) => output.ReportDiagnostic(stale.ToDiagnostic())
        );
        Report(context, parsed.SelectMany(static (result, _) => result!.Diagnostics), Steps.Diagnostics);
        foreach (var attribute in new[] { ModParser.MaskAttribute, ModParser.ScoreAttribute })
            Report(context, Stray(context, attribute, MarkedMod), Steps.Stray + attribute);
        foreach (var attribute in ReadyMadeAttributes.Names)
            Report(context, Stray(context, attribute, MarkedClass), Steps.Stray + attribute);
    }

    private static ParseResult? Parse(GeneratorAttributeSyntaxContext found, CancellationToken cancellation)
    {
        var type = (INamedTypeSymbol)found.TargetSymbol;
        // A class with [Attention] on several of its parts is found once for each.
        var first = DeclarationParser.First(type);
        return first?.SyntaxTree == found.TargetNode.SyntaxTree && found.TargetNode.Span.Contains(first.Span)
            ? DeclarationParser.Parse(type, found.SemanticModel.Compilation, cancellation)
            : null;
    }

    private static (ISymbol? Class, string What, Location? Place) MarkedMod(GeneratorAttributeSyntaxContext found) =>
        (
            found.TargetSymbol.ContainingType,
            $"The mod '{found.TargetSymbol.Name}'",
            found.TargetSymbol.Locations.FirstOrDefault()
        );

    private static (ISymbol? Class, string What, Location? Place) MarkedClass(GeneratorAttributeSyntaxContext found)
    {
        var syntax = found.Attributes[0].ApplicationSyntaxReference?.GetSyntax() as AttributeSyntax;
        return (found.TargetSymbol, $"[{syntax?.Name}]", syntax?.GetLocation());
    }

    /// <summary>What is marked with an attribute of a variant and belongs to none.</summary>
    private static IncrementalValuesProvider<DiagnosticRecord> Stray(
        IncrementalGeneratorInitializationContext context,
        string attribute,
        Func<GeneratorAttributeSyntaxContext, (ISymbol? Class, string What, Location? Place)> marked
    ) =>
        context
            .SyntaxProvider.ForAttributeWithMetadataName(
                $"{ModTypes.Namespace}.{attribute}Attribute",
                static (node, _) => node is MethodDeclarationSyntax or TypeDeclarationSyntax,
                (found, _) =>
                    marked(found) is var (type, what, place)
                    && type is INamedTypeSymbol named
                    && !DeclarationParser.IsVariant(named)
                        ? DiagnosticRecord.Create(
                            DiagnosticCatalog.Stray,
                            found.SemanticModel.Compilation,
                            place,
                            what,
                            named.Name
                        )
                        : null
            )
            .Where(static record => record is not null)
            .Select(static (record, _) => record!);

    /// <summary>Diagnostics meet the compilation last, for a location in a syntax tree: nothing else runs again for it.</summary>
    private static void Report(
        IncrementalGeneratorInitializationContext context,
        IncrementalValuesProvider<DiagnosticRecord> records,
        string step
    ) =>
        context.RegisterSourceOutput(
            records.WithTrackingName(step).Combine(context.CompilationProvider),
            static (output, pair) => output.ReportDiagnostic(pair.Left.ToDiagnostic(pair.Right))
        );
}
