using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using Microsoft.FSharp.Core;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// A scalar walk through the user's masks and score changes at one position, for its faults alone. Before a call it visits the corners
/// of the problem, where an index that grows with a position is largest: a table too short for the shape is then refused with nothing
/// written.
/// </summary>
internal static class ProbeEmitter
{
    public const string Name = "Probe";

    /// <summary>Whether the user's mods read tables or divide by what may be zero.</summary>
    public static bool IsNeeded(AttentionSpec spec)
    {
        HashSet<string> trusted = new(ArgumentUse.Trusted(spec));
        return spec
            .Scores.Concat(spec.Masks)
            .Any(mod =>
                ExprModule.exists(FuncConvert.ToFSharpFunc<Expr, bool>(expr => MayFault(expr, trusted)), mod.Body)
            );
    }

    public static string Emit(AttentionSpec spec)
    {
        ExprScope scope = new(
            Axis.None,
            new ScalarDialect(),
            SimdScope.ArgumentName,
            ArgumentUse.Trusted(spec),
            SimdScope.Names()
        );
        // Each mask is reached where those before it keep the pair, score changes where all do (semantics 18).
        Value? keep = null;
        foreach (Mod mask in spec.Masks)
            keep = scope.Name(scope.And(keep, scope.Emit(mask.Body, keep)), "kept");
        Value score = scope.Score;
        foreach (Mod change in spec.Scores)
            scope.Score = score = scope.Name(scope.Emit(change.Body, keep), "score");
        string statements = string.Concat(
            new[] { Level.Uniform, Level.Row, Level.Column, Level.Element }.Select(level =>
                SimdScope.Section(scope, level, 1)
            )
        );
        return $$"""
            /// <summary>Whether a mod, at one position, reads outside a table or divides by zero.</summary>
            private readonly unsafe struct {{Name}} : ISimdProbe<SimdArguments>
            {
                public static bool Faults(in SimdCall call, in SimdArguments arguments, in SimdItem item, int query, int key)
                {
            {{Indent(SimdScope.UniformFields, 2)}}
                    int queryPosition = query + item.Offset;
                    float score = 0;
                    bool fault = false;{{Indent(statements, 1)}}
                    return fault;
                }
            }
            """;
    }

    private static bool MayFault(Expr expr, HashSet<string> trusted) =>
        expr switch
        {
            Expr.TableRead read => !trusted.Contains(read.table),
            Expr.Binary { Item1: { IsDiv: true } or { IsRem: true }, Item3: not Expr.Literal } binary => !ExprModule
                .typeOf(binary.Item2)
                .IsFloat,
            _ => false,
        };
}
