using System.Collections.Immutable;
using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

/// <summary>
/// Reads the C# of a mod into an expression, from the compiler's own operations: overloads, implicit conversions and constants
/// are as C# binds them. Helpers are inlined. What is refused is reported and reading goes on, so that one build shows all.
/// </summary>
internal sealed partial class BodyParser
{
    /// <summary>Nodes of an expression. Inlining multiplies, so helpers that each call two helpers could grow without end.</summary>
    private const int LargestSize = 10_000;

    /// <summary>Nesting: every pass over an expression recurses.</summary>
    private const int LargestDepth = 250;

    private readonly ParseContext _context;
    private readonly LocalNames _names;
    private readonly bool _isMask;
    private readonly HashSet<SyntaxNode> _sources = [];
    private bool _isWorthless;
    private int _size;
    private int _depth;

    private BodyParser(ParseContext context, LocalNames names, bool isMask)
    {
        _context = context;
        _names = names;
        _isMask = isMask;
    }

    /// <summary>The meaning of a mod. Worthless where something was reported.</summary>
    public static Expr Parse(ModSignature mod, IEnumerable<string> arguments, ParseContext context)
    {
        var parser = new BodyParser(context, new LocalNames(arguments), mod.Method.IsMask);
        var known = context.Count;
        var operands = mod.Operands.ToImmutableDictionary(SymbolEqualityComparer.Default);
        try
        {
            var meaning = parser.Body(SourceOf(mod.Symbol), new Frame(mod.Symbol, operands!, null));
            // No kernel is better than one that computes something else.
            return parser._isWorthless && !context.Rejected
                ? throw new InvalidOperationException($"'{mod.Symbol.Name}' has code that was not read, nor refused.")
                : meaning;
        }
        catch (TooLargeException reason)
        {
            // What stands for refused code is read on, and may grow as the code itself would not.
            if (!parser._isWorthless)
                context.Report(
                    DiagnosticCatalog.TooLarge,
                    mod.Symbol.Locations.FirstOrDefault(),
                    mod.Symbol.Name,
                    reason.Message
                );
            return ExprModule.@bool(false);
        }
        finally
        {
            context.YieldToCompiler(known, parser._sources);
        }
    }

    /// <summary>The method's declaration with a body, or null where the source is elsewhere.</summary>
    private static MethodDeclarationSyntax? SourceOf(IMethodSymbol method) =>
        (method.PartialImplementationPart ?? method)
            .DeclaringSyntaxReferences.Select(reference => reference.GetSyntax())
            .OfType<MethodDeclarationSyntax>()
            .FirstOrDefault(declaration => declaration.Body is not null || declaration.ExpressionBody is not null);

    private Expr Body(MethodDeclarationSyntax? source, Frame frame)
    {
        if (source is not null)
            _sources.Add(source);
        var operation = source is null
            ? null
            : _context.ModelOf(source.SyntaxTree).GetOperation(source, _context.Cancellation);
        if (operation is not IMethodBodyOperation { BlockBody: var block, ExpressionBody: var expression })
            return LeaveToCompiler(frame.Method.ReturnType);
        var body = block ?? expression;
        return body is null ? LeaveToCompiler(frame.Method.ReturnType) : Statements(body.Operations, 0, frame, null);
    }

    /// <summary>Runs one level of reading, unless the expression has outgrown what is sensible.</summary>
    private T Deeper<T>(Func<T> read)
    {
        _context.Cancellation.ThrowIfCancellationRequested();
        if (++_size > LargestSize)
            throw new TooLargeException($"has more than {LargestSize} operations once its helpers are inlined");
        if (++_depth > LargestDepth)
            throw new TooLargeException($"nests more than {LargestDepth} operations once its helpers are inlined");
        var result = read();
        _depth--;
        return result;
    }

    /// <summary>Reads on with a value that is evaluated here, once, and named.</summary>
    private Expr Bind(string name, Expr value, Func<Expr, Expr> body)
    {
        if (
            value.IsLiteral
            || value.IsPosition
            || value.IsScore
            || value.IsScalar
            || value.IsLocal
            || value.IsTableLength
        )
            return body(value);
        var unique = _names.Unique(name);
        return Expr.NewLet(unique, value, body(Expr.NewLocal(unique, ExprModule.typeOf(value))));
    }

    private Expr Forbid(Location place, ITypeSymbol? type, string what, string instead)
    {
        _context.Report(DiagnosticCatalog.Forbidden, place, what, instead);
        return Anything(type);
    }

    private Expr Forbid(IOperation operation, string what, string instead) =>
        Forbid(operation.Syntax.GetLocation(), operation.Type, what, instead);

    private Expr LeaveToCompiler(ITypeSymbol? type)
    {
        _context.LeaveToCompiler();
        return Anything(type);
    }

    /// <summary>Stands for what could not be read.</summary>
    private Expr Anything(ITypeSymbol? type)
    {
        _isWorthless = true;
        return ModTypes.ScalarOf(type) switch
        {
            { IsInt: true } => ExprModule.@int(0),
            { IsUInt: true } => Expr.NewLiteral(Literal.NewUIntLiteral(0)),
            { IsLong: true } => ExprModule.@long(0),
            { IsFloat: true } => ExprModule.@float(0),
            _ => ExprModule.@bool(false),
        };
    }

    private sealed class TooLargeException(string message) : Exception(message);
}
