using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using Microsoft.FSharp.Collections;
using static FlashGen.Generators.Emit.CodeText;
using static FlashGen.Generators.Emit.Simd.SimdScope;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>The variant's score changes and mask as code over a panel of scores.</summary>
internal sealed class SimdModsEmitter(AttentionSpec spec, Coverage coverage, SimdTile tile, SimdCoverageEmitter kinds)
{
    private const string Parameters = "in SimdCall call, in SimdArguments arguments, in SimdItem item, Panel* panel";

    private bool HasBounds => kinds.HasBounds;

    public IEnumerable<string> Emit()
    {
        if (!spec.Scores.IsEmpty)
            yield return Change("Change", masked: false);
        if (kinds.HasMask)
            yield return Change(spec.Scores.IsEmpty ? "Mask" : "ChangeAndMask", masked: true);
    }

    private string Change(string name, bool masked) =>
        tile.Wide ? ChangeOneByOne(name, masked) : ChangeLanes(name, masked);

    private string ChangeLanes(string name, bool masked)
    {
        ExprScope scope = SimdScope.Create(spec, Axis.Rows);
        Value? keep = null;
        if (masked)
        {
            if (HasBounds)
                keep = new(
                    "(V.LessThanOrEqual(first, V.Create(key)) & V.GreaterThanOrEqual(last, V.Create(key)))",
                    ScalarType.Bool,
                    Level.Element,
                    true,
                    false
                );
            foreach (Expr rest in coverage.Rest)
            {
                keep = keep is { } before ? scope.Name(before, "kept") : null;
                keep = scope.And(keep, scope.Emit(rest, keep));
            }
            keep = scope.Name(keep!.Value, "kept");
        }
        Value score = scope.Score = scope.Score with { IsLanes = true };
        foreach (Mod change in spec.Scores)
        {
            score = scope.Name(scope.Emit(change.Body, keep), "score");
            scope.Score = score;
        }
        string result = scope.Lanes(score);
        // Scores leave in units of log 2.
        string changed = spec.Scores.IsEmpty ? result : $"{result} * 1.44269504f";
        if (keep is { } kept)
            changed = $"V.ConditionalSelect({scope.Lanes(kept)}.AsSingle(), {changed}, lowest)";
        return $$"""
            /// <summary>{{Summary(masked)}}</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void {{name}}({{Parameters}}, int firstKey, int keys, float* scores, ref SimdOutcome outcome)
            {
            {{Indent(UniformFields, 1)}}
                Floats lowest = V.Create(float.NegativeInfinity);
                bool fault = false;
                Ints faults = Ints.Zero;{{Section(scope, Level.Uniform, 1)}}
                for (int row = 0; row < panel->Padded; row += {{tile.Lanes}})
                {
            {{Indent(RowFields, 2)}}{{(
                masked && HasBounds
                    ? "\n        Ints first = V.Load(panel->FirstKeys + row), last = V.Load(panel->LastKeys + row);"
                    : ""
            )}}{{Section(scope, Level.Row, 2)}}
                    Floats top = V.Load(panel->NewMaximum + row);
                    float* s = scores + row;
                    for (int j = 0; j < keys; j++, s += Rows)
                    {
                        int key = firstKey + j;{{Section(scope, Level.Column, 3)}}
                        Floats score = V.Load(s);{{Section(scope, Level.Element, 3)}}
                        Floats changed = {{changed}};
                        changed.Store(s);
                        top = V.MaxNative(top, changed);
                    }
                    top.Store(panel->NewMaximum + row);
                }{{FaultCheck(scope.CanFault, "fault || Lanes.Any(faults)")}}
            }
            """;
    }

    // Doubles take half the lanes that row numbers do, so mods go element by element: ready-made changes in double, the user's own in
    // the float that their C# says.
    private string ChangeOneByOne(string name, bool masked)
    {
        HashSet<string> names = SimdScope.Names();
        ExprScope wide = SimdScope.Create(spec, Axis.None, names, wide: true);
        ExprScope narrow = SimdScope.Create(spec, Axis.None, names);
        Value? keep = null;
        if (masked)
        {
            if (HasBounds)
                keep = new("(first <= key & key <= last)", ScalarType.Bool, Level.Element, false, false);
            foreach (Expr rest in coverage.Rest)
            {
                keep = keep is { } before ? narrow.Name(before, "kept") : null;
                keep = narrow.And(keep, narrow.Emit(rest, keep));
            }
            keep = narrow.Name(keep!.Value, "kept");
        }
        Value score = wide.Score;
        foreach (Mod change in spec.Scores.Where(change => change.ReadyMade))
            wide.Score = score = wide.Name(wide.Emit(change.Body), "score");
        foreach (Mod change in spec.Scores.Where(change => !change.ReadyMade))
        {
            narrow.Score = score with { Text = $"((float){score.Text})" };
            score = narrow.Name(narrow.Emit(change.Body, keep), "score");
        }
        string changed = keep is { } kept ? $"{kept.Text} ? {score.Text} : double.NegativeInfinity" : score.Text;
        string Both(Level level, int indent) => Section(wide, level, indent) + Section(narrow, level, indent);
        // The wide changes need the mask only where they read tables, and those are checked before the call.
        return $$"""
            /// <summary>{{Summary(masked)}}</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void {{name}}({{Parameters}}, int firstKey, int keys, double* scores, ref SimdOutcome outcome)
            {
            {{Indent(UniformFields, 1)}}
                bool fault = false;{{Both(Level.Uniform, 1)}}
                for (int row = 0; row < panel->Rows; row++)
                {
                    int query = panel->FirstRow + row, queryPosition = query + item.Offset;{{(
                masked && HasBounds ? "\n        int first = panel->FirstKeys[row], last = panel->LastKeys[row];" : ""
            )}}{{Both(Level.Row, 2)}}
                    double top = panel->NewMaximum[row];
                    double* s = scores + row;
                    for (int j = 0; j < keys; j++, s += Rows)
                    {
                        int key = firstKey + j;{{Both(Level.Column, 3)}}
                        double score = *s;{{Both(Level.Element, 3)}}
                        double changed = {{changed}};
                        *s = changed;
                        top = Math.Max(top, changed);
                    }
                    panel->NewMaximum[row] = top;
                }{{FaultCheck(wide.CanFault || narrow.CanFault, "fault")}}
            }
            """;
    }

    private string Summary(bool masked)
    {
        string changes = spec.Scores.IsEmpty ? "" : "changes the scores" + (masked ? " and " : "");
        string text = changes + (masked ? "masks them" : "");
        return char.ToUpperInvariant(text[0]) + text.Substring(1) + ", and raises the new maximum of each row.";
    }

    private static string FaultCheck(bool canFault, string condition) =>
        canFault
            ? $"\n    if ({condition})\n        outcome.Fault(item, panel->FirstRow, panel->Rows, firstKey, keys);"
            : "";
}
