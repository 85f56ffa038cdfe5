using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using Microsoft.FSharp.Core;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// Distances as differences of floats. A conversion of an int is dear where every score has its own; positions are small enough
/// to be exact in float, and so are their sums: a row's is converted once, a key's number comes from its tile's.
/// </summary>
internal static class PositionNumbers
{
    // Tokens of a sequence, for which the numbers are exact.
    private const int MaxLength = 1 << 22;

    /// <summary>The name of the key's number, of type float.</summary>
    public const string Key = "keyNumber";

    private const double MaxExact = 1 << 24;

    /// <summary>The expression with floats where it converts sums of positions, one of them the key's; the same one where it has none.</summary>
    public static Expr Apply(Expr expr)
    {
        if (
            expr is Expr.Convert { Item1.IsFloat: true } convert
            && ExprModule.typeOf(convert.Item2).IsInt
            && Magnitude(convert.Item2) <= MaxExact
            && HasKey(convert.Item2)
        )
            return Number(convert.Item2);
        return Map(Apply, expr);
    }

    /// <summary>The longest sequence that kernels with these changes take.</summary>
    public static int LengthLimit(IEnumerable<Mod> changes) =>
        changes.Any(change => !Apply(change.Body).Equals(change.Body)) ? MaxLength : int.MaxValue;

    private static Expr Map(Func<Expr, Expr> f, Expr expr) => ExprModule.map(FuncConvert.FromFunc(f), expr);

    // The most that a sum of positions can be, for sequences of MaxLength; infinite for what is none.
    private static double Magnitude(Expr expr) =>
        expr switch
        {
            Expr.Position { Item.IsKey: true } or Expr.Position { Item.IsQuery: true } => MaxLength,
            // The query's number and an offset, which is a difference of lengths.
            Expr.Position { Item.IsQueryPosition: true } => 2.0 * MaxLength,
            Expr.Literal { Item: Literal.IntLiteral literal } => Math.Abs((double)literal.Item),
            Expr.Unary { Item1: { IsAbs: true } or { IsNegate: true } } unary => Magnitude(unary.Item2),
            Expr.Binary { Item1: { IsAdd: true } or { IsSub: true } } sum => Magnitude(sum.Item2)
                + Magnitude(sum.Item3),
            _ => double.PositiveInfinity,
        };

    private static bool HasKey(Expr expr) =>
        expr is Expr.Position { Item.IsKey: true } || ExprModule.children(expr).Any(HasKey);

    private static Expr Number(Expr expr) =>
        expr switch
        {
            Expr.Position { Item.IsKey: true } => Expr.NewLocal(Key, ScalarType.Float),
            Expr.Position => Expr.NewConvert(ScalarType.Float, expr),
            Expr.Literal { Item: Literal.IntLiteral literal } => ExprModule.@float(literal.Item),
            _ => Map(Number, expr),
        };
}
