using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace FlashGen.Generators.Parse;

/// <summary>How a class is given the members that the generator adds.</summary>
internal enum SurfaceKind
{
    /// <summary>In its other half.</summary>
    Inside,

    /// <summary>As extension members beside it: a refused class without another half.</summary>
    Beside,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>What one class gave.</summary>
/// <param name="Name">The class's full name.</param>
/// <param name="Declaration">Its declaration, unless the generator failed.</param>
/// <param name="Surface">How it can be given its members.</param>
/// <param name="Diagnostics">What there is to report.</param>
/// <param name="RefusedByCompiler">The compiler has errors of its own there.</param>
internal sealed record ParseResult(
    string Name,
    Declaration? Declaration,
    SurfaceKind Surface,
    FSharpList<DiagnosticRecord> Diagnostics,
    bool RefusedByCompiler
)
{
    /// <summary>It is refused without a word, because the compiler has one.</summary>
    public bool IsLeftToCompiler => RefusedByCompiler && Diagnostics.IsEmpty;
}

/// <summary>Reads a class marked [Attention] into a declaration. All of Roslyn stays on this side.</summary>
internal static class DeclarationParser
{
    /// <summary>The attribute that declares a variant.</summary>
    public const string Attribute = "FlashGen.AttentionAttribute";

    private const string AttributeName = "Attention";

    /// <summary>Reads a class.</summary>
    public static ParseResult Parse(INamedTypeSymbol type, Compilation compilation, CancellationToken cancellation) =>
        Guard(type, compilation, () => Read(type, new ParseContext(compilation, cancellation)));

    /// <summary>A fault of the generator's own becomes a diagnostic: an exception would leave a warning and no code.</summary>
    public static ParseResult Guard(INamedTypeSymbol type, Compilation compilation, Func<ParseResult> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            var record = DiagnosticRecord.Create(
                DiagnosticCatalog.GeneratorFailure,
                compilation,
                ClassShape.NameOf(type),
                type.Name,
                FaultText.Of(fault)
            );
            return new ParseResult(
                ClassShape.FullNameOf(type),
                null,
                SurfaceKind.None,
                ListModule.Singleton(record),
                false
            );
        }
    }

    /// <summary>The one use of [Attention] for which a class is read, where several parts of it have one.</summary>
    public static SyntaxReference? First(INamedTypeSymbol type) =>
        InSourceOrder(AttributeUse.On(type)).FirstOrDefault(use => use.Name == AttributeName)?.Reference;

    public static bool IsVariant(INamedTypeSymbol type) => AttributeUse.Has(type, AttributeName);

    private static ParseResult Read(INamedTypeSymbol type, ParseContext context)
    {
        var build = BuildFacts.Of(context.Compilation);
        var shape = ClassShape.Parse(type, context);
        var all = InSourceOrder(AttributeUse.On(type)).ToList();
        var uses = all.Where(use => !use.RefusedByCompiler).ToList();
        if (uses.Count < all.Count || HasRepetition(uses))
            context.LeaveToCompiler();

        var choices = AttentionAttributes.Parse([.. uses.Where(use => use.Name == AttributeName)], context);
        var readyMade = ReadyMadeAttributes.Parse(uses, choices.Targets, context);
        var parts = Spec.inOrderOfApplication(ListModule.OfSeq(readyMade.Parts));
        var arguments = new ArgumentList(
            Spec.readyMadeArguments(readyMade.Scale, parts, readyMade.Sink, readyMade.Dropout),
            context
        );
        var signatures = ModParser.Parse(type, arguments, context);
        var names = arguments.Arguments.Select(argument => argument.Name).ToList();
        var mods = signatures
            .Select(mod =>
                (mod.Method.IsMask, Mod: new Mod(mod.Method.Method, false, BodyParser.Parse(mod, names, context)))
            )
            .ToLookup(mod => mod.IsMask, mod => mod.Mod);

        var spec = new AttentionSpec(
            shape.Name,
            ListModule.OfSeq(choices.Dims),
            ListModule.OfSeq(choices.Types),
            choices.Align,
            choices.Layout,
            ListModule.OfSeq(choices.Targets),
            readyMade.Scale,
            Together(parts, Mask.tryScore, mods[false]),
            Together(parts, Mask.tryMask, mods[true]),
            readyMade.Sink,
            readyMade.Dropout,
            ListModule.OfSeq(readyMade.BlockSizes),
            ListModule.OfSeq(arguments.Arguments)
        );
        var surface =
            GeneratedMembers.AreFree(type, spec, context) && shape.CanBeOpened ? SurfaceKind.Inside
            : shape.CanBeExtended && build.KnowsLanguage && !GeneratedMembers.Names.Contains(type.Name)
                ? SurfaceKind.Beside
            : SurfaceKind.None;
        if (!context.Rejected)
            BudgetCheck.Report(spec, uses, context);
        var rejected = context.Rejected || !build.CanCompileKernels;
        if (!build.Optimizes && !rejected)
            context.Report(DiagnosticCatalog.Unoptimised, ClassShape.NameOf(type), type.Name);

        var declaration = new Declaration(
            rejected ? WithoutMods(spec) : spec,
            shape.Namespace,
            shape.Types,
            shape.Accessibility,
            rejected ? FSharpList<ModMethod>.Empty : ListModule.OfSeq(signatures.Select(mod => mod.Method)),
            build.Optimizes,
            rejected,
            FSharpList<TunedPlan>.Empty
        );
        return new ParseResult(shape.Name, declaration, surface, context.Diagnostics, context.RefusedByCompiler);
    }

    /// <summary>The ready-made parts, then the user's: the order of application.</summary>
    private static FSharpList<Mod> Together(
        FSharpList<ReadyMade> parts,
        Func<ReadyMade, FSharpOption<Expr>> body,
        IEnumerable<Mod> mods
    ) =>
        ListModule.OfSeq(
            Spec.readyMadeMods(FSharpFunc<ReadyMade, FSharpOption<Expr>>.FromConverter(new(body)), parts).Concat(mods)
        );

    /// <summary>A refused class needs its arguments, for the signature of Forward, but what its mods say may be half read.</summary>
    private static AttentionSpec WithoutMods(AttentionSpec spec) =>
        new(
            spec.Name,
            spec.Dims,
            spec.Types,
            spec.Align,
            spec.Layout,
            spec.Targets,
            spec.Scale,
            FSharpList<Mod>.Empty,
            FSharpList<Mod>.Empty,
            spec.Sink,
            spec.Dropout,
            FSharpList<BlockSize>.Empty,
            spec.Arguments
        );

    private static bool HasRepetition(IEnumerable<AttributeUse> uses) =>
        uses.Where(use => use.Name is not (AttributeName or "BlockSize"))
            .GroupBy(use => use.Name)
            .Any(group => group.Count() > 1);

    /// <summary>The parts of a class stand in several files, whose order in the compilation is not always the same.</summary>
    private static IEnumerable<AttributeUse> InSourceOrder(IEnumerable<AttributeUse> uses) =>
        uses.OrderBy(use => use.Reference?.SyntaxTree.FilePath, StringComparer.Ordinal)
            .ThenBy(use => use.Reference?.Span.Start);
}
