using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>Who uses which run-time argument: ready-made parts, whose tables are checked against the shape, or the user's mods.</summary>
internal static class ArgumentUse
{
    /// <summary>Whether a ready-made mask or score change is declared.</summary>
    public static bool HasReadyMade(this AttentionSpec spec, string name) =>
        spec.Scores.Concat(spec.Masks).Any(mod => mod.ReadyMade && mod.Name == name);

    /// <summary>The arguments that masks and score changes read, in the order of Forward; others act outside of them.</summary>
    public static IEnumerable<Argument> OfMods(AttentionSpec spec)
    {
        HashSet<string> used = new(spec.Scores.Concat(spec.Masks).SelectMany(mod => Names(mod.Body)));
        return spec.Arguments.Where(argument => used.Contains(argument.Name));
    }

    /// <summary>Tables that only ready-made parts read: their lengths are checked before the call, so every index is inside.</summary>
    public static IEnumerable<string> Trusted(AttentionSpec spec)
    {
        IEnumerable<Mod> mods = spec.Scores.Concat(spec.Masks);
        return mods.Where(mod => mod.ReadyMade)
            .SelectMany(mod => Names(mod.Body))
            .Except(mods.Where(mod => !mod.ReadyMade).SelectMany(mod => Names(mod.Body)));
    }

    // The argument's name is what stands before a dot: biasStrides.Head.
    private static IEnumerable<string> Names(Expr expr)
    {
        IEnumerable<string> own = expr switch
        {
            Expr.Scalar scalar => new[] { scalar.name.Split('.')[0] },
            Expr.TableRead read => new[] { read.table },
            Expr.TableLength length => new[] { length.table },
            _ => System.Array.Empty<string>(),
        };
        return own.Concat(ExprModule.children(expr).SelectMany(Names));
    }
}
