using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// How many instructions of a device mods take for a pair, roughly, as their PTX has them. A thread has 64 scores and more, and a text three places
/// where they change: where a change is long, it stands once in a loop, for the driver's compiler took minutes for some of those written out.
/// </summary>
internal static class PairLength
{
    /// <summary>Above this a change stands in a loop, whose turns cost some 16 moves a score.</summary>
    public const int Long = 100;

    /// <summary>The instructions of some mods for a pair of query and key; what depends on the query alone is computed once for its row.</summary>
    public static int Of(IEnumerable<Mod> mods) => mods.Sum(mod => Of(mod.Body, MapModule.Empty<string, Dependence>()));

    private static int Of(Expr expr, FSharpMap<string, Dependence> locals)
    {
        if (expr is Expr.Let let)
        {
            Dependence dependence = ExprModule.dependenceIn(locals, let.value);
            return Of(let.value, locals) + Of(let.body, locals.Add(let.name, dependence));
        }
        bool isOfRow = (ExprModule.dependenceIn(locals, expr) & ~Dependence.Row) == 0;
        return isOfRow ? 0 : Own(expr) + ExprModule.children(expr).Sum(child => Of(child, locals));
    }

    private static int Own(Expr expr)
    {
        bool isLong = ExprModule.typeOf(expr).IsLong;
        return expr switch
        {
            Expr.TableRead => 12,
            Expr.Unary { Item1: { IsSin: true } or { IsCos: true } or { IsTan: true } } => 230,
            Expr.Unary { Item1: { IsLog: true } or { IsLog2: true } or { IsLog10: true } or { IsCbrt: true } } => 70,
            Expr.Unary { Item1: { IsAsin: true } or { IsAcos: true } or { IsAtan: true } } => 50,
            Expr.Unary { Item1: { IsSinh: true } or { IsCosh: true } } => 60,
            Expr.Unary { Item1: { IsTanh: true } } => 24,
            Expr.Unary { Item1: { IsExp: true } or { IsExp2: true } or { IsRound: true } } => 10,
            Expr.Binary { Item1: { IsPow: true } or { IsAtan2: true } } => 200,
            Expr.Binary { Item1: { IsDiv: true } or { IsRem: true } } => isLong ? 70 : 20,
            Expr.Binary or Expr.Unary or Expr.Convert or Expr.Select => isLong ? 2 : 1,
            _ => 0,
        };
    }
}
