using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// A variant's own parts of the CPU kernel for a few query rows (decoding); the loop around them is the runtime's. A row's bounds are
/// numbers, so between them only the rest of the mask is tested, with keys in the lanes.
/// </summary>
/// <param name="tileKeys">The keys of a tile, as an expression.</param>
internal sealed class SimdRowsEmitter(AttentionSpec spec, Coverage coverage, SimdTile tile, string tileKeys)
{
    private const string Parameters = "in SimdCall call, in SimdArguments arguments, in SimdItem item";

    private bool HasRest => !coverage.Rest.IsEmpty;

    private bool HasChange => !spec.Scores.IsEmpty || HasRest;

    private bool HasKeyLeaves => coverage.Leaves.Any(leaf => leaf.Axis == Dependence.Column);

    public string Emit()
    {
        string kernel = $"{SimdEmitter.KernelName(tile)}<T>";
        string leaves = HasKeyLeaves
            ? "*(KeyLeaves*)leaves = LeavesOfKeys(call, arguments, item, firstKey, keys)"
            : "_ = firstKey";
        string kind = HasRest
            ? $"RowKind(call, arguments, item{(HasKeyLeaves ? ", *(KeyLeaves*)leaves" : "")})"
            : "TileKind.Full";
        string change = !HasChange
            ? "true"
            : (spec.Scores.IsEmpty ? "kind == TileKind.Full || " : "")
                + "RowChange(call, arguments, item, firstKey, keys, scores)";
        return $$"""

            public static bool HasRows => true;

            public static nint RowScratchBytes(in SimdCall call) => SimdRowLoop.ScratchBytes<T, {{kernel}}, SimdArguments>(call);

            public static void RunRows(in SimdCall call, in SimdArguments arguments, in SimdSplit split, byte* scratch, SimdPartial* partials, ref SimdOutcome outcome) =>
                SimdRowLoop.Run<T, {{kernel}}, SimdArguments>(call, arguments, split, scratch, partials, ref outcome);

            public static int TileKeys(in SimdCall call) => {{tileKeys}};

            public static int LeavesBytes => {{(HasKeyLeaves ? "sizeof(KeyLeaves)" : "0")}};

            public static bool HasHeadLeaves => {{(CoverageModule.hasHeadLeaves(coverage) ? "true" : "false")}};

            public static float Factor(in SimdCall call) => {{Factor}};

            public static void Leaves({{Parameters}}, int firstKey, int keys, byte* leaves) => {{leaves}};

            public static TileKind Kind({{Parameters}}, byte* leaves) => {{kind}};

            public static bool Change({{Parameters}}, TileKind kind, int firstKey, int keys, float* scores) => {{change}};

            public static void Scores(float* keys, nint stride, int count, float* queries, int headDim, int rows, float* scores, nint scoreStride) =>
                MicroKernels.RowScores(keys, stride, count, queries, headDim, rows, scores, scoreStride);

            public static float Softmax(float* scores, int count, SimdPartial* row) => MicroKernels.RowSoftmax(scores, count, row);

            public static void Values(float* values, nint stride, int count, float* probabilities, nint scoreStride, float* fades, int rows, float* outputs, int valueDim) =>
                MicroKernels.RowValues(values, stride, count, probabilities, scoreStride, fades, rows, outputs, valueDim);

            {{WithoutUnusedLocals(Open())}}
            {{(HasRest ? "\n" + WithoutUnusedLocals(Kind()) + "\n" : "")}}{{(
                HasChange ? "\n" + WithoutUnusedLocals(Change()) + "\n" : ""
            )}}
            """;
    }

    private string Factor => spec.Scores.IsEmpty ? "(float)(call.Scale * 1.4426950408889634)" : "(float)call.Scale";

    private ExprScope Scope(Axis axis) =>
        new(axis, new ScalarDialect(), SimdScope.ArgumentName, ArgumentUse.Trusted(spec), SimdScope.Names());

    private static string RowFields =>
        SimdScope.UniformFields + "\nint query = item.FirstRow, queryPosition = query + item.Offset;";

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
                : "\n    if (keyLength > 0)\n    {"
                    + SimdScope.Section(scope, Level.Uniform, 2)
                    + SimdScope.Section(scope, Level.Row, 2)
                    + "\n"
                    + Indent(string.Join("\n", bounds), 2)
                    + "\n    }";
        string fault = scope.CanFault ? "\n    if (fault)\n        outcome.Fault(item, query, 1, 0, keyLength);" : "";
        return $$"""
            /// <summary>The keys that a row may keep.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void OpenRow({{Parameters}}, SimdPartial* row, ref SimdOutcome outcome)
            {
            {{Indent(RowFields, 1)}}
                long first = 0, last = keyLength - 1;
                bool fault = false;{{body}}
                row->First = (int)Math.Min(first, int.MaxValue);
                row->Last = (int)Math.Max(last, -1);{{fault}}
            }
            """;
    }

    private string Kind()
    {
        ExprScope scope = Scope(Axis.None);
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
        // Of the row's own reads, and of the keys'.
        string[] faults =
        [
            .. scope.CanFault ? ["fault"] : Array.Empty<string>(),
            .. HasKeyLeaves && SimdCoverageEmitter.CanFault(spec, coverage, Dependence.Column)
                ? ["keyLeaves.Faults"]
                : Array.Empty<string>(),
        ];
        string unknown =
            faults.Length == 0 ? "" : $"\n    if ({string.Join(" | ", faults)})\n        return TileKind.Partial;";
        scope.CountsFaults = false;
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
            )}}{{unknown}}
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
