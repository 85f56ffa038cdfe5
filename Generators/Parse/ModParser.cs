using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Parse;

/// <summary>A method marked [MaskMod] or [ScoreMod], with the signature that it must have.</summary>
internal sealed record ModSignature(
    IMethodSymbol Symbol,
    ModMethod Method,
    IReadOnlyDictionary<ISymbol, Operand> Operands
);

/// <summary>Finds the mods of a class and reads their signatures.</summary>
internal sealed class ModParser(ParseContext context, ArgumentList arguments)
{
    public const string MaskAttribute = "MaskMod";
    public const string ScoreAttribute = "ScoreMod";

    /// <summary>The mods of a class in source order, less those whose signature is refused.</summary>
    public static IReadOnlyList<ModSignature> Parse(INamedTypeSymbol type, ArgumentList arguments, ParseContext context)
    {
        var parser = new ModParser(context, arguments);
        var methods = type.GetMembers().OfType<IMethodSymbol>().ToList();
        return
        [
            .. methods
                .Where(IsMod)
                .OrderBy(method => NameOf(method)?.SourceTree?.FilePath, StringComparer.Ordinal)
                .ThenBy(method => NameOf(method)?.SourceSpan.Start)
                .Select(method => parser.Signature(method, methods))
                .OfType<ModSignature>(),
        ];
    }

    public static bool IsMod(IMethodSymbol method) =>
        AttributeUse.Has(method, MaskAttribute) || AttributeUse.Has(method, ScoreAttribute);

    private ModSignature? Signature(IMethodSymbol method, IReadOnlyList<IMethodSymbol> methods)
    {
        if (
            method.ReturnType is IErrorTypeSymbol
            || method.Parameters.Any(parameter => parameter.Type is IErrorTypeSymbol)
        )
        {
            context.LeaveToCompiler();
            return null;
        }
        if (methods.Any(other => other.Name == method.Name && !SymbolEqualityComparer.Default.Equals(other, method)))
        {
            context.Report(DiagnosticCatalog.ModOverloaded, NameOf(method), method.Name);
            return null;
        }

        var isMask = AttributeUse.Has(method, MaskAttribute);
        if (isMask && AttributeUse.Has(method, ScoreAttribute))
        {
            Refuse(method, isMask, "is marked [MaskMod] and [ScoreMod]", NameOf(method));
            return null;
        }
        if (!HasRightShape(method, isMask))
            return null;

        var parameters = new List<ModParameter>();
        var operands = new Dictionary<ISymbol, Operand>(SymbolEqualityComparer.Default);
        var rightful = true;
        foreach (var parameter in method.Parameters)
        {
            var isScore = !isMask && !parameters.Contains(ModParameter.ScoreParameter);
            if (Parameter(method, parameter, isMask, isScore) is not var (kind, operand))
            {
                rightful = false;
            }
            else if (kind.IsPositionParameter && parameters.Contains(kind))
            {
                Refuse(method, isMask, "has two parameters of type Position", parameter.Locations.FirstOrDefault());
                rightful = false;
            }
            else
            {
                parameters.Add(kind);
                operands.Add(parameter, operand);
            }
        }
        if (rightful && !isMask && !parameters.Contains(ModParameter.ScoreParameter))
        {
            Refuse(method, isMask, "takes no score", NameOf(method));
            rightful = false;
        }
        var mod = new ModMethod(method.Name, isMask, ListModule.OfSeq(parameters));
        return rightful ? new ModSignature(method, mod, operands) : null;
    }

    private bool HasRightShape(IMethodSymbol method, bool isMask)
    {
        if (method.MethodKind != MethodKind.Ordinary)
            return Refuse(method, isMask, "is part of a property or an operator", NameOf(method));
        var wanted = isMask ? SpecialType.System_Boolean : SpecialType.System_Single;
        if (method.ReturnType.SpecialType != wanted || method.RefKind != RefKind.None)
        {
            var what = method.ReturnsVoid
                ? "nothing"
                : (method.RefKind == RefKind.None ? "" : "a reference to ") + ModTypes.Show(method.ReturnType);
            return Refuse(method, isMask, $"returns {what}", ReturnTypeOf(method) ?? NameOf(method));
        }
        if (!method.IsStatic)
            return Refuse(method, isMask, "is not static", NameOf(method));
        if (method.Arity > 0)
            return Refuse(method, isMask, "has type parameters", NameOf(method));
        if (method.IsExtern)
            return Refuse(method, isMask, "has no body", NameOf(method));
        if (method.IsAsync)
            return Refuse(method, isMask, "is async", NameOf(method));
        return true;
    }

    private (ModParameter Kind, Operand Operand)? Parameter(
        IMethodSymbol method,
        IParameterSymbol parameter,
        bool isMask,
        bool isScore
    )
    {
        var at = parameter.Locations.FirstOrDefault();
        var type = parameter.Type;
        var isPosition = ModTypes.IsPosition(type);
        if (parameter.RefKind != RefKind.None && !(isPosition && parameter.RefKind == RefKind.In))
        {
            Refuse(method, isMask, $"takes '{parameter.Name}' by reference", at);
        }
        else if (parameter.IsParams || parameter.HasExplicitDefaultValue)
        {
            var what = parameter.IsParams ? "params array" : "parameter with a default value";
            Refuse(method, isMask, $"has the {what} '{parameter.Name}', and every call gives every argument", at);
        }
        else if (isPosition)
        {
            return (ModParameter.PositionParameter, Operand.Position);
        }
        else if (isScore && type.SpecialType == SpecialType.System_Single)
        {
            return (ModParameter.ScoreParameter, new Operand.Value(Expr.Score));
        }
        else if (ArgumentTypeOf(parameter, method, isMask) is { } argument)
        {
            arguments.Add(parameter, argument);
            Operand operand = argument is ArgumentType.TableArgument table
                ? new Operand.Table(parameter.Name, table.Item)
                : new Operand.Value(Expr.NewScalar(parameter.Name, ModTypes.ScalarOf(type)));
            return (ModParameter.NewArgumentParameter(parameter.Name, argument), operand);
        }
        return null;
    }

    private ArgumentType? ArgumentTypeOf(IParameterSymbol parameter, IMethodSymbol method, bool isMask)
    {
        var type = parameter.Type;
        var at = TypeOf(parameter) ?? parameter.Locations.FirstOrDefault();
        if (ModTypes.IsTable(type))
        {
            var element = ((INamedTypeSymbol)type).TypeArguments[0];
            if (element is IErrorTypeSymbol)
            {
                context.LeaveToCompiler();
                return null;
            }
            if (ModTypes.ElementOf(element) is { } known)
                return ArgumentType.NewTableArgument(known);
            context.Report(DiagnosticCatalog.TableElement, at, ModTypes.Show(element), ElementAdvice(element));
            return null;
        }
        if (!ModTypes.IsByte(type) && type.TypeKind != TypeKind.Enum && ModTypes.ScalarOf(type) is { } scalar)
            return ArgumentType.NewScalarArgument(scalar);
        Refuse(
            method,
            isMask,
            $"has the parameter '{parameter.Name}' of type {ModTypes.Show(type)}, which is no Table<T>, bool, int, uint, long or float",
            at
        );
        return null;
    }

    private static string ElementAdvice(ITypeSymbol element) =>
        element.SpecialType switch
        {
            SpecialType.System_Double or SpecialType.System_Decimal => ", so convert it to float",
            SpecialType.System_Int16
            or SpecialType.System_SByte
            or SpecialType.System_UInt16
            or SpecialType.System_Char => ", so convert it to int",
            SpecialType.System_UInt64 => ", so convert it to long",
            _ when element.TypeKind == TypeKind.Enum => ", so take a table of its numbers and cast what you read",
            _ => ", so split it into tables of these",
        };

    private bool Refuse(IMethodSymbol method, bool isMask, string what, Location? at)
    {
        var signature = isMask
            ? $"static bool {method.Name}(in Position at, ...)"
            : $"static float {method.Name}(float score, in Position at, ...)";
        var kind = isMask ? "mask" : "score change";
        context.Report(DiagnosticCatalog.ModSignature, at, kind, method.Name, what, signature);
        return false;
    }

    private static Location? NameOf(IMethodSymbol method) =>
        method.Locations.FirstOrDefault(location => location.IsInSource);

    private static Location? ReturnTypeOf(IMethodSymbol method) =>
        (
            method.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() as MethodDeclarationSyntax
        )?.ReturnType.GetLocation();

    private static Location? TypeOf(IParameterSymbol parameter) =>
        (parameter.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() as ParameterSyntax)?.Type?.GetLocation();
}
