using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using FlashGen.Generators.Emit.Portable;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// A variant as tensor-core kernels take it: a struct with its arguments and methods of one pair of query and key, which ILGPU inlines
/// for every register. What depends on the query alone is computed once and kept in a row's struct.
/// </summary>
internal sealed class TensorModsEmitter
{
    private const string Inline = "[MethodImpl(MethodImplOptions.AggressiveInlining)]";

    private readonly AttentionSpec spec;
    private readonly Coverage coverage;
    private readonly PortableModsEmitter mods;
    private readonly List<ExprScope> scopes = new();
    private readonly HashSet<string> names = new(PortableModsEmitter.Reserved)
    {
        "faults",
        "Query",
        "bounds",
        PositionNumbers.Key,
    };

    // Of the text of Change.
    private int pairLength;

    public TensorModsEmitter(AttentionSpec spec, Coverage coverage, PortableModsEmitter mods) =>
        (this.spec, this.coverage, this.mods) = (spec, coverage, mods);

    public IEnumerable<string> Emit()
    {
        // What the pairs' methods leave to the row is known once they are written.
        string keeps = Keeps(),
            change = Change();
        List<(string Type, string Name)> hoisted = scopes
            .SelectMany(scope => scope.Declared(Level.Uniform).Concat(scope.Declared(Level.Row)))
            .ToList();
        string fields = string.Concat(hoisted.Select(field => $"\n    public {Kept(field.Type)} {field.Name};"));
        foreach (string agreed in mods.Agreed())
            yield return agreed;
        yield return $$"""
            /// <summary>What masks and score changes need of a query row.</summary>
            private struct TensorRow
            {
                public int Query;{{fields}}
            }
            """;
        yield return $$"""
            /// <summary>The variant, with its arguments, for tensor-core kernels.</summary>
            private struct TensorMods : ITensorMods<TensorRow>
            {{{DeviceParameters.Fields(spec)}}

                public static bool HasMask => {{Bool(mods.HasMask)}};

                public static bool HasRest => {{Bool(mods.HasRest)}};

                public static bool HasChanges => {{Bool(!spec.Scores.IsEmpty)}};

                public static bool HasLongChanges => {{Bool(pairLength > PairLength.Long)}};

                public static bool HasSink => {{Bool(spec.Sink)}};

                public static bool HasDropout => {{Bool(spec.Dropout)}};

                {{Inline}}
                public PortableBounds Bounds(in PortableCall call, in PortableItem item, int row, ArrayView<int> fault) =>
                    Kernels.Bounds(call, item, row, fault{{HandedOn}});

                {{Inline}}
                public float Sink(int head) => {{(spec.Sink ? "arg_sink[head]" : "0")}};

            {{Indent(Kinds(), 1)}}

            {{Indent(Row(hoisted), 1)}}

            {{Indent(
                Pair(
                    "bool Keeps(in PortableCall call, in PortableItem item, in TensorRow row, in PortableBounds bounds, int key, ref int faults)",
                    keeps,
                    hoisted
                ),
                1
            )}}

            {{Indent(
                Pair(
                    "float Change(in PortableCall call, in PortableItem item, in TensorRow row, in PortableBounds bounds, int key, float keyNumber, float score, ref int faults)",
                    change,
                    hoisted
                ),
                1
            )}}
            }
            """;
    }

    private string HandedOn => DeviceParameters.HandedOn(spec);

    private static string Bool(bool value) => value ? "true" : "false";

    // ILGPU stores a bool's field in memory, as no device can.
    private static string Kept(string type) => type == "bool" ? "int" : type;

    // The driver's compiler keeps a product of 64 bits twice over the loop, in the pair that its lower half is born in and in a second one:
    // a sum with what it cannot know to be 0 is born whole.
    private static string AsKept(string name, string type) =>
        type switch
        {
            "bool" => name + " ? 1 : 0",
            "long" => name + " + call.Zero",
            _ => name,
        };

    private ExprScope Scope(Dialect dialect)
    {
        ExprScope scope = new(Axis.None, dialect, DeviceParameters.InKernel(spec), ArgumentUse.Trusted(spec), names);
        scopes.Add(scope);
        return scope;
    }

    private static string Section(ExprScope scope, Level level)
    {
        string statements = scope.Statements(level);
        return statements.Length == 0 ? "" : statements + "\n";
    }

    private static string OfPair(IEnumerable<ExprScope> scopes) =>
        string.Concat(scopes.Select(scope => Section(scope, Level.Column)))
        + string.Concat(scopes.Select(scope => Section(scope, Level.Element)));

    private string Kinds()
    {
        const string Signature =
            "public TensorChunk Kinds(in PortableCall call, in TensorMemory memory, in PortableItem item, int first, int from, int blockN, int warp, int warps)";
        if (!mods.HasRest)
            return $"{Inline}\n{Signature} => default;";
        string rowLeaves = mods.HasRowLeaves
            ? $"\n    RowLeaves rowLeaves = Agreed(LeavesOfRows(call, item, lane, lanes{HandedOn}));"
            : "";
        string Own(string place) =>
            mods.HasKeyLeaves
                ? $"\n        KeyLeaves {place}Leaves = LeavesOfKeys(call, item, {place}First, {place}Last, lane, lanes{HandedOn});"
                : "";
        string KindOf(string place)
        {
            string leaves =
                (mods.HasRowLeaves ? ", rowLeaves" : "") + (mods.HasKeyLeaves ? $", Agreed({place}Leaves)" : "");
            return $"Kind(call, item{leaves}, {place}First, {place}Last, true{HandedOn})";
        }
        return $$"""
            {{Inline}}
            {{Signature}}
            {
                TensorChunk chunk = default;
                // A warp has a tile; its threads of one head look at the tile's keys together, and agree with the others.
                int bits = memory.Work.HeadBits, thread = Group.IdxX & 31, lane = thread & 3 | thread >> (2 + bits) << 2, lanes = 32 >> bits;{{rowLeaves}}
                int end = Math.Min(TensorChunk.Tiles, from - first + 1);
                for (int place = warp; place < end; place += 2 * warps)
                {
                    // Reads for the warp's next tile are on their way with this one's.
                    int next = place + warps < end ? place + warps : place;
                    int placeFirst = (from - place) * blockN, placeLast = Math.Min(placeFirst + blockN - 1, item.KeyLength - 1);
                    int nextFirst = (from - next) * blockN, nextLast = Math.Min(nextFirst + blockN - 1, item.KeyLength - 1);{{Own(
                "place"
            )}}{{Own("next")}}
                    chunk.Add(place, {{KindOf("place")}});
                    chunk.Add(next, {{KindOf("next")}});
                }
                return chunk;
            }
            """;
    }

    private string Row(IReadOnlyList<(string Type, string Name)> hoisted)
    {
        string statements = string.Concat(
            scopes.Select(scope => Section(scope, Level.Uniform) + Section(scope, Level.Row))
        );
        string kept = string.Concat(
            hoisted.Select(field => $"\n    result.{field.Name} = {AsKept(field.Name, field.Type)};")
        );
        return $$"""
            {{Inline}}
            public TensorRow Row(in PortableCall call, in PortableItem item, int row, ArrayView<int> faultWord)
            {
                TensorRow result = default;
            {{Indent(PortableModsEmitter.UniformFields, 1)}}
                int query = item.FirstRow + Math.Min(row, item.Rows - 1), queryPosition = query + item.Offset;
                bool fault = false;
                result.Query = query;
            {{Indent(statements.TrimEnd('\n'), 1)}}{{kept}}
                if (fault)
                    PortableTile.Fault(faultWord);
                return result;
            }
            """;
    }

    private static string Pair(string signature, string body, IReadOnlyList<(string Type, string Name)> hoisted)
    {
        // Nothing masked or nothing changed.
        if (body is "return true;" or "return score;")
            return $"{Inline}\npublic {signature} => {body.Substring("return ".Length)}";
        HashSet<string> words = new(
            System
                .Text.RegularExpressions.Regex.Matches(body, @"\w+")
                .Cast<System.Text.RegularExpressions.Match>()
                .Select(match => match.Value)
        );
        string fields = string.Concat(
            hoisted
                .Where(field => words.Contains(field.Name))
                .Select(field =>
                    $"\n    {field.Type} {field.Name} = row.{field.Name}{(field.Type == "bool" ? " != 0" : "")};"
                )
        );
        return $$"""
            {{Inline}}
            public {{signature}}
            {
            {{Indent(PortableModsEmitter.UniformFields, 1)}}
                int query = row.Query, queryPosition = query + item.Offset;{{fields}}
            {{Indent(body, 1)}}
            }
            """;
    }

    private string Keeps()
    {
        if (!mods.HasRest)
            return "return true;";
        ExprScope scope = Scope(new DeviceDialect(exact: true));
        Value kept = Kept(scope);
        return Faulting(new[] { scope }, "return " + kept.Text + ";");
    }

    private Value Kept(ExprScope scope)
    {
        Value? keep = null;
        if (mods.HasBounds || !coverage.Rest.IsEmpty)
            keep = new("(bounds.First <= key & key <= bounds.Last)", ScalarType.Bool, Level.Element, false, false);
        foreach (Expr rest in coverage.Rest)
        {
            keep = keep is { } before ? scope.Name(before, "kept") : null;
            keep = scope.And(keep, scope.Emit(rest, keep));
        }
        return scope.Name(keep ?? new("true", ScalarType.Bool, Level.Uniform, false, true), "kept");
    }

    private string Change()
    {
        if (spec.Scores.IsEmpty)
            return "return score;";
        pairLength = PairLength.Of(spec.Scores);
        (string text, bool canFault, List<ExprScope> used) = Changes(guarded: false);
        if (canFault)
        {
            // Where C# would not reach a bad read it counts for nothing: these changes look at the mask first.
            foreach (ExprScope scope in used)
                scopes.Remove(scope);
            (text, _, used) = Changes(guarded: true);
            pairLength += PairLength.Of(spec.Masks);
        }
        return Faulting(used, text);
    }

    private (string Text, bool CanFault, List<ExprScope> Used) Changes(bool guarded)
    {
        List<ExprScope> used = new();
        ExprScope Add(Dialect dialect)
        {
            ExprScope scope = Scope(dialect);
            used.Add(scope);
            return scope;
        }
        // Past the batch entry's keys nothing is reached either.
        Value? guard = null;
        if (guarded)
        {
            ExprScope mask = Add(new DeviceDialect(exact: true));
            Value kept = Kept(mask);
            guard = mask.Name(
                mask.And(new("(key < item.KeyLength)", ScalarType.Bool, Level.Element, false, false), kept),
                "kept"
            );
        }
        ExprScope ready = Add(new DeviceDialect(tensor: true));
        ExprScope own = Add(new DeviceDialect(tensor: true));
        Value score = new("score", ScalarType.Float, Level.Element, false, true);
        foreach (Mod change in spec.Scores)
        {
            ExprScope scope = change.ReadyMade ? ready : own;
            scope.Bind(PositionNumbers.Key, new(PositionNumbers.Key, ScalarType.Float, Level.Column, false, true));
            scope.Score = score;
            score = scope.Name(scope.Emit(PositionNumbers.Apply(change.Body), guard), "score");
        }
        return ($"return {score.Text};", ready.CanFault || own.CanFault, used);
    }

    private static string Faulting(IReadOnlyList<ExprScope> used, string result)
    {
        bool canFault = used.Any(scope => scope.CanFault);
        return (canFault ? "bool fault = false;\n" : "")
            + OfPair(used)
            + (canFault ? "faults |= fault ? 1 : 0;\n" : "")
            + result;
    }
}
