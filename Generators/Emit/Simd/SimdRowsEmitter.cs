using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The CPU kernel of a variant for a few query rows (decoding): the rows of a key head's whole group share one pass over some of its
/// keys. A row's bounds are numbers, so between them only the rest of the mask is tested, with keys in the lanes.
/// </summary>
internal sealed class SimdRowsEmitter(AttentionSpec spec, Coverage coverage, SimdTile tile)
{
    private const string Parameters = "in SimdCall call, in SimdArguments arguments, in SimdItem item";

    private bool HasRest => !coverage.Rest.IsEmpty;

    private bool HasChange => !spec.Scores.IsEmpty || HasRest;

    private bool HasKeyLeaves => coverage.Leaves.Any(leaf => leaf.Axis == Dependence.Column);

    public string Emit() =>
        $$"""

            {{Run()}}

            {{Open()}}
            {{(HasRest ? "\n" + Kind() + "\n" : "")}}{{(HasChange ? "\n" + Change() + "\n" : "")}}
            """;

    private string Run()
    {
        string condition = HasRest && spec.Scores.IsEmpty ? "kind == TileKind.Partial && " : "";
        string change = HasChange
            ? $"\n            if ({condition}!RowChange(call, arguments, item, from, to - from, scores))\n                outcome.Fault(item, item.FirstRow, 1, from, to - from);"
            : "";
        string leaves = HasKeyLeaves
            ? "\n        KeyLeaves keyLeaves = LeavesOfKeys(call, arguments, item, start, end - start);"
            : "";
        string kind = HasRest
            ? $"TileKind kind = from < to ? RowKind(call, arguments, item{(HasKeyLeaves ? ", keyLeaves" : "")}) : TileKind.Empty;"
            : "TileKind kind = from < to ? TileKind.Full : TileKind.Empty;";
        string dropout = spec.Dropout
            ? "\n            SimdDropout.Apply(call, item, item.FirstRow, 1, from, to - from, scores);"
            : "";
        string count = HasRest
            ? "if (kind == TileKind.Partial)\n                outcome.Partial++;\n            else\n                outcome.Full++;"
            : "outcome.Full++;";
        return $$"""
            // A tile of scores, rounded up to whole vectors.
            private const int RowScores = (BlockN + {{tile.Lanes
                - 1}}) / {{tile.Lanes}} * {{tile.Lanes}} + {{tile.Lanes}};

            public static bool HasRows => true;

            public static nint RowScratchBytes(in SimdCall call) =>
                sizeof(float) * (RowScores + Widened(call) + (nint)call.GroupSize * call.QueryLength * call.HeadDim);

            /// <summary>Computes the rows of a group against some of its keys, and leaves them as partial results.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RunRows(in SimdCall call, in SimdArguments arguments, in SimdSplit split, byte* scratch, SimdPartial* partials, ref SimdOutcome outcome)
            {
                int headDim = call.HeadDim, valueDim = call.ValueDim;
                float* scores = (float*)scratch;
                // Whole vectors: the last of a tile may reach beyond its keys.
                float* keyTile = scores + RowScores;
                float* valueTile = keyTile + (typeof(T) == typeof(float) ? 0 : BlockN * headDim);
                float* queries = scores + RowScores + Widened(call);
                SimdItem item = split.Item;
                int first = int.MaxValue, last = -1;
                for (int r = 0; r < split.Rows; r++)
                {
                    split.Select(call, r, ref item);
                    OpenRow(call, arguments, item, partials + r, ref outcome);
                    partials[r].First = Math.Max(partials[r].First, split.FirstKey);
                    partials[r].Last = Math.Min(partials[r].Last, split.LastKey);
                    SimdPanels.Pack<T>(call.QueryRow<T>(item), 0, 1, headDim, {{Factor}}, queries + (nint)r * headDim, 1);
                    if (partials[r].First <= partials[r].Last)
                    {
                        first = Math.Min(first, partials[r].First);
                        last = Math.Max(last, partials[r].Last);
                    }
                }

                for (int index = first / BlockN; (long)index * BlockN <= last; index++)
                {
                    int start = index * BlockN, end = Math.Min(start + BlockN, last + 1);
                    float* keys = keyTile, values = valueTile;
                    nint keyStride = headDim, valueStride = valueDim;
                    bool isLoaded = typeof(T) == typeof(float);
                    if (typeof(T) == typeof(float))
                    {
                        keys = call.KeyRow<float>(item) + start * call.KeyStrides.Row;
                        values = call.ValueRow<float>(item) + start * call.ValueStrides.Row;
                        keyStride = (nint)call.KeyStrides.Row;
                        valueStride = (nint)call.ValueStrides.Row;
                    }{{leaves}}
                    for (int r = 0; r < split.Rows; r++)
                    {
                        SimdPartial* row = partials + r;
                        int from = Math.Max(start, row->First), to = Math.Min(end, row->Last + 1);
                        split.Select(call, r, ref item);
                        {{kind}}
                        if (kind == TileKind.Empty)
                        {
                            outcome.Empty++;
                            continue;
                        }
                        {{count}}
                        if (!isLoaded)
                        {
                            SimdElements.Widen(call.KeyRow<T>(item) + start * call.KeyStrides.Row, call.KeyStrides.Row, end - start, headDim, keyTile);
                            SimdElements.Widen(call.ValueRow<T>(item) + start * call.ValueStrides.Row, call.ValueStrides.Row, end - start, valueDim, valueTile);
                            isLoaded = true;
                        }
                        MicroKernels.RowScores(keys + (from - start) * keyStride, keyStride, to - from, queries + (nint)r * headDim, headDim, scores);{{change}}
                        float maximum = MicroKernels.RowMaximum(scores, to - from, row->Maximum);
                        float fade = MicroKernels.RowFade(row->Maximum, maximum);
                        row->Sum = row->Sum * fade + MicroKernels.RowSoftmax(scores, to - from, maximum);
                        row->Maximum = maximum;{{dropout}}
                        MicroKernels.RowValues(values + (from - start) * valueStride, valueStride, to - from, scores, fade, row->Outputs, valueDim);
                    }
                }
            }
            """;
    }

    private string Factor => spec.Scores.IsEmpty ? "(float)(call.Scale * 1.4426950408889634)" : "(float)call.Scale";

    private ExprScope Scope(Axis axis) =>
        new(axis, new ScalarDialect(), SimdScope.ArgumentName, ArgumentUse.Trusted(spec), SimdScope.Names());

    private static string RowFields =>
        SimdScope.UniformFields + "\n    int query = item.FirstRow, queryPosition = query + item.Offset;";

    private string Open()
    {
        ExprScope scope = Scope(Axis.None);
        Value? guard = null;
        List<string> bounds = new();
        foreach (Expr condition in coverage.Conditions)
            guard = scope.Name(scope.And(guard, scope.Emit(condition, guard)), "isKept");
        foreach (
            (Expr bound, string name, string math) in coverage
                .First.Select(bound => (bound, "first", "Max"))
                .Concat(coverage.Last.Select(bound => (bound, "last", "Min")))
        )
        {
            scope.CountsFaults = !coverage.Shapes.Contains(bound);
            bounds.Add($"{name} = Math.{math}({name}, {scope.Name(scope.Emit(bound, guard), "bound").Text});");
            scope.CountsFaults = true;
        }
        if (guard is { } kept)
            bounds.Add($"if (!{kept.Text})\n    last = -1;");
        string body =
            bounds.Count == 0
                ? ""
                : SimdScope.Section(scope, Level.Uniform, 2)
                    + SimdScope.Section(scope, Level.Row, 2)
                    + "\n"
                    + Indent(string.Join("\n", bounds), 2);
        return $$"""
            /// <summary>The keys that a row may keep.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void OpenRow({{Parameters}}, SimdPartial* row, ref SimdOutcome outcome)
            {
            {{Indent(RowFields, 1)}}
                long first = 0, last = keyLength - 1;
                bool fault = false;
                if (keyLength > 0)
                {{{body}}
                }
                row->First = (int)Math.Min(first, int.MaxValue);
                row->Last = (int)Math.Max(last, -1);
                if (fault)
                    outcome.Fault(item, query, 1, 0, keyLength);
            }
            """;
    }

    private string Kind()
    {
        ExprScope scope = Scope(Axis.None);
        scope.CountsFaults = false;
        foreach (Leaf leaf in coverage.Leaves)
        {
            ScalarType type = ExprModule.typeOf(leaf.Body);
            ScalarType wide = type.IsBool || type.IsFloat ? type : ScalarType.Long;
            // Of a single row, the least and the greatest value are the value.
            Value? single = leaf.Axis == Dependence.Row ? scope.Name(scope.Emit(leaf.Body), leaf.Name) : null;
            foreach (
                (string part, string field) in type.IsBool
                    ? new[] { ("any", "Any"), ("all", "All") }
                    : new[] { ("low", "Low"), ("high", "High") }
            )
                scope.Bind(
                    $"{leaf.Name}.{part}",
                    single is { } value
                        ? value with
                        {
                            Text = wide.IsLong ? $"(long){value.Text}" : value.Text,
                            Type = wide,
                            Level = Level.Row,
                        }
                        : new($"keyLeaves.{leaf.Name}{field}", wide, Level.Row, false, true)
                );
        }
        string empty = scope.Emit(coverage.RestEmpty).Text;
        string full = scope.Emit(coverage.RestFull).Text;
        return $$"""
            /// <summary>Whether a row keeps none, perhaps some, or all of a tile's keys between its bounds.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static TileKind RowKind({{Parameters}}{{(HasKeyLeaves ? ", in KeyLeaves keyLeaves" : "")}})
            {
            {{Indent(RowFields, 1)}}
                bool fault = false;{{SimdScope.Section(scope, Level.Uniform, 1)}}{{SimdScope.Section(
                scope,
                Level.Row,
                1
            )}}
                if ({{empty}})
                    return TileKind.Empty;
                return {{full}} ? TileKind.Full : TileKind.Partial;
            }
            """;
    }

    private string Change()
    {
        ExprScope scope = Scope(Axis.Keys);
        Value? keep = null;
        foreach (Expr rest in coverage.Rest)
        {
            keep = keep is { } before ? scope.Name(before, "kept") : null;
            keep = scope.And(keep, scope.Emit(rest, keep));
        }
        if (keep is { } all)
            keep = scope.Name(all, "kept");
        Value score = scope.Score = scope.Score with { IsLanes = true };
        foreach (Mod change in spec.Scores)
            scope.Score = score = scope.Name(scope.Emit(change.Body, keep), "score");
        string changed = spec.Scores.IsEmpty ? scope.Lanes(score) : $"{scope.Lanes(score)} * 1.44269504f";
        if (keep is { } kept)
            changed = $"V.ConditionalSelect({scope.Lanes(kept)}.AsSingle(), {changed}, lowest)";
        string fault = scope.CanFault ? "!fault && !Lanes.Any(faults)" : "true";
        // Lanes beyond the last key repeat it; what they hold is never read.
        return $$"""
            /// <summary>Changes a row's scores against some keys and masks them; false where a mod was at fault.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static bool RowChange({{Parameters}}, int firstKey, int keys, float* scores)
            {
            {{Indent(RowFields, 1)}}
                Floats lowest = V.Create(float.NegativeInfinity);
                bool fault = false;
                Ints faults = Ints.Zero;
                new Span<float>(scores + keys, {{tile.Lanes}}).Fill(scores[keys - 1]);{{SimdScope.Section(
                scope,
                Level.Uniform,
                1
            )}}{{SimdScope.Section(scope, Level.Row, 1)}}
                for (int j = 0; j < keys; j += {{tile.Lanes}})
                {
                    Ints key = V.Min(V.Create(firstKey + j) + Lanes.Numbers, V.Create(firstKey + keys - 1));
                    Floats score = V.Load(scores + j);{{SimdScope.Section(
                scope,
                Level.Column,
                2
            )}}{{SimdScope.Section(scope, Level.Element, 2)}}
                    Floats changed = {{changed}};
                    changed.Store(scores + j);
                }
                return {{fault}};
            }
            """;
    }
}
