using FlashGen.Dsl;
using Microsoft.CodeAnalysis;

namespace FlashGen.Generators.Parse;

/// <summary>A function of the .NET library that expressions have.</summary>
/// <param name="IsExact">Every target gives the same bits, so that masks may use it.</param>
/// <param name="Build">The expression; its second argument names a value that is used more than once.</param>
/// <param name="Fits">What does not fit about the arguments, or null.</param>
internal sealed record Intrinsic(
    bool IsExact,
    Func<IReadOnlyList<Expr>, Func<string, Expr, Func<Expr, Expr>, Expr>, Expr> Build,
    Func<IReadOnlyList<IOperation>, (string What, string Instead)?> Fits
);

/// <summary>
/// The functions of System.Math, System.MathF and the number types that a mod may call. Those of double are refused before
/// they are looked up here, by their type.
/// </summary>
internal static class Intrinsics
{
    private static readonly Dictionary<string, UnaryOp> ExactFloat = new(StringComparer.Ordinal)
    {
        ["Abs"] = UnaryOp.Abs,
        ["Sqrt"] = UnaryOp.Sqrt,
        ["Floor"] = UnaryOp.Floor,
        ["Ceiling"] = UnaryOp.Ceiling,
        ["Round"] = UnaryOp.Round,
        ["Truncate"] = UnaryOp.Truncate,
    };

    private static readonly Dictionary<string, UnaryOp> RoundedFloat = new(StringComparer.Ordinal)
    {
        ["Exp"] = UnaryOp.Exp,
        ["Exp2"] = UnaryOp.Exp2,
        ["Log"] = UnaryOp.Log,
        ["Log2"] = UnaryOp.Log2,
        ["Log10"] = UnaryOp.Log10,
        ["Sin"] = UnaryOp.Sin,
        ["Cos"] = UnaryOp.Cos,
        ["Tan"] = UnaryOp.Tan,
        ["Asin"] = UnaryOp.Asin,
        ["Acos"] = UnaryOp.Acos,
        ["Atan"] = UnaryOp.Atan,
        ["Sinh"] = UnaryOp.Sinh,
        ["Cosh"] = UnaryOp.Cosh,
        ["Tanh"] = UnaryOp.Tanh,
        ["Cbrt"] = UnaryOp.Cbrt,
    };

    private static readonly Dictionary<string, string> Alternatives = new(StringComparer.Ordinal)
    {
        ["FusedMultiplyAdd"] = "write a * b + c",
        ["MultiplyAddEstimate"] = "write a * b + c",
        ["Asinh"] = "write MathF.Log(x + MathF.Sqrt(x * x + 1))",
        ["Acosh"] = "write MathF.Log(x + MathF.Sqrt(x * x - 1))",
        ["Atanh"] = "write 0.5f * MathF.Log((1 + x) / (1 - x))",
        ["Log"] = "write MathF.Log(x) / MathF.Log(b)",
        ["IEEERemainder"] = "write x - y * MathF.Round(x / y)",
        ["CopySign"] = "write y < 0 ? -MathF.Abs(x) : MathF.Abs(x)",
        ["Sign"] = "write x > 0 ? 1 : x < 0 ? -1 : 0",
        ["ScaleB"] = "multiply by a constant",
        ["ReciprocalEstimate"] = "write 1 / x",
        ["ReciprocalSqrtEstimate"] = "write 1 / MathF.Sqrt(x)",
        ["SinCos"] = "call MathF.Sin and MathF.Cos",
        ["DivRem"] = "write a / b and a % b",
        ["BigMul"] = "write (long)a * b",
        ["Lerp"] = "write a + (b - a) * t",
        ["Hypot"] = "write MathF.Sqrt(x * x + y * y)",
        ["Round"] = "round to an integer, to even or by MathF.Floor(x + 0.5f)",
        ["MaxMagnitude"] = "write MathF.Abs(x) > MathF.Abs(y) ? x : y",
        ["MinMagnitude"] = "write MathF.Abs(x) < MathF.Abs(y) ? x : y",
        ["PopCount"] = "test one bit with (word >> n & 1) != 0, or read counts from a Table",
        ["IsNegative"] = "write x < 0",
        ["IsPositive"] = "write x >= 0",
    };

    private const string NoAlternative = "write it with operators, MathF functions or a Table of precomputed values";

    private static readonly Func<IReadOnlyList<IOperation>, (string, string)?> Any = _ => null;

    /// <summary>A type whose static methods are looked up here, not inlined.</summary>
    public static bool IsLibrary(INamedTypeSymbol type) =>
        type.SpecialType
            is SpecialType.System_Single
                or SpecialType.System_Double
                or SpecialType.System_Int32
                or SpecialType.System_UInt32
                or SpecialType.System_Int64
                or SpecialType.System_Byte
        || type
            is {
                Name: "Math" or "MathF",
                ContainingNamespace: { Name: "System", ContainingNamespace.IsGlobalNamespace: true }
            }
        || type
            is { Name: "BitOperations", ContainingNamespace: { Name: "Numerics", ContainingNamespace.Name: "System" } };

    /// <summary>The function that a method is, or null.</summary>
    public static Intrinsic? Find(IMethodSymbol method)
    {
        if (
            !method.IsStatic
            || method.Arity > 0
            || method.Parameters.Any(parameter => ModTypes.ScalarOf(parameter.Type) is null)
        )
            return null;
        if (method.Parameters.IsEmpty || ModTypes.ScalarOf(method.ReturnType) is null)
            return null;
        var type = ModTypes.ScalarOf(method.Parameters[0].Type)!;
        return method.Parameters.Length switch
        {
            1 => type.IsFloat ? FloatFunction(method.Name) : IntegerFunction(method.Name, type),
            2 => TwoArguments(method.Name, type),
            3 when method.Name == "Clamp" => Clamp,
            _ => null,
        };
    }

    /// <summary>The float function of the same name as one of double, or null.</summary>
    public static string? FloatName(IMethodSymbol method)
    {
        if (method.ContainingType is not { Name: "Math" or "Double" })
            return null;
        if (method.Name == "Exp2")
            return "float.Exp2";
        var isKnown =
            ExactFloat.ContainsKey(method.Name)
            || RoundedFloat.ContainsKey(method.Name)
            || method.Name is "Min" or "Max" or "Pow" or "Atan2";
        return isKnown ? $"MathF.{method.Name}" : null;
    }

    /// <summary>What to write instead of a function that is not here.</summary>
    public static string Instead(IMethodSymbol method) =>
        Alternatives.TryGetValue(method.Name, out var instead) ? instead : NoAlternative;

    private static Intrinsic? FloatFunction(string name)
    {
        if (ExactFloat.TryGetValue(name, out var exact))
            return Unary(exact, isExact: true);
        if (RoundedFloat.TryGetValue(name, out var rounded))
            return Unary(rounded, isExact: false);
        return name switch
        {
            "IsNaN" => Test(x => Expr.NewBinary(BinaryOp.Ne, x, x)),
            "IsInfinity" => Test(x => Expr.NewBinary(BinaryOp.Eq, Magnitude(x), Infinity)),
            "IsFinite" => Test(x => Expr.NewBinary(BinaryOp.Lt, Magnitude(x), Infinity)),
            "IsPositiveInfinity" => Test(x => Expr.NewBinary(BinaryOp.Eq, x, Infinity)),
            "IsNegativeInfinity" => Test(x =>
                Expr.NewBinary(BinaryOp.Eq, x, ExprModule.@float(float.NegativeInfinity))
            ),
            _ => null,
        };
    }

    private static Intrinsic? IntegerFunction(string name, ScalarType type) =>
        type.IsUInt
            ? null
            : name switch
            {
                "Abs" => Unary(UnaryOp.Abs, isExact: true),
                "Sign" => Test(x => Sign(x, type)),
                _ => null,
            };

    private static Intrinsic? TwoArguments(string name, ScalarType type) =>
        name switch
        {
            "Min" => Binary(BinaryOp.Min, isExact: true),
            "Max" => Binary(BinaryOp.Max, isExact: true),
            "Pow" when type.IsFloat => Binary(BinaryOp.Pow, isExact: false),
            "Atan2" when type.IsFloat => Binary(BinaryOp.Atan2, isExact: false),
            _ => null,
        };

    /// <summary>
    /// Math.Clamp throws where the bounds are the wrong way round, so they are constants. Comparisons, not Min and Max: NaN
    /// passes, and -0 is within bounds that start at 0.
    /// </summary>
    private static readonly Intrinsic Clamp = new(
        true,
        (arguments, bind) =>
            bind(
                "clamped",
                arguments[0],
                x =>
                    Expr.NewSelect(
                        Expr.NewBinary(BinaryOp.Lt, x, arguments[1]),
                        arguments[1],
                        Expr.NewSelect(Expr.NewBinary(BinaryOp.Gt, x, arguments[2]), arguments[2], x)
                    )
            ),
        arguments =>
            arguments[1].ConstantValue is { HasValue: true, Value: IComparable low }
            && arguments[2].ConstantValue is { HasValue: true, Value: { } high }
            && low.CompareTo(high) <= 0
                ? null
                : (
                    "Clamp with bounds that are not constants in ascending order",
                    "write Math.Min(Math.Max(x, low), high)"
                )
    );

    private static Intrinsic Unary(UnaryOp op, bool isExact) =>
        new(isExact, (arguments, _) => Expr.NewUnary(op, arguments[0]), Any);

    private static Intrinsic Binary(BinaryOp op, bool isExact) =>
        new(isExact, (arguments, _) => Expr.NewBinary(op, arguments[0], arguments[1]), Any);

    private static Intrinsic Test(Func<Expr, Expr> test) =>
        new(true, (arguments, bind) => bind("tested", arguments[0], test), Any);

    private static Expr Sign(Expr x, ScalarType type)
    {
        var zero = type.IsLong ? ExprModule.@long(0) : ExprModule.@int(0);
        return Expr.NewSelect(
            Expr.NewBinary(BinaryOp.Gt, x, zero),
            ExprModule.@int(1),
            Expr.NewSelect(Expr.NewBinary(BinaryOp.Lt, x, zero), ExprModule.@int(-1), ExprModule.@int(0))
        );
    }

    private static Expr Magnitude(Expr x) => Expr.NewUnary(UnaryOp.Abs, x);

    private static Expr Infinity => ExprModule.@float(float.PositiveInfinity);
}
