using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>
/// What a variant's mask says of rows and tiles on a device, one method each, which ILGPU inlines: row bounds and kinds of tiles. The
/// structs by which the variant joins portable and tensor-core kernels both call them.
/// </summary>
internal sealed class PortableModsEmitter(AttentionSpec spec, Coverage coverage)
{
    // Names that the text around the expressions uses.
    public static readonly string[] Reserved =
    {
        "call",
        "j",
        "tensors",
        "item",
        "last",
        "row",
        "bounds",
        "scores",
        "score",
        "stride",
        "fades",
        "fault",
        "faultWord",
        "firstKey",
        "lastKey",
        "keys",
        "kind",
        "isCovered",
        "rowLeaves",
        "keyLeaves",
        "leaves",
        "place",
        "lane",
        "lanes",
        "target",
        "top",
        "origin",
        "fade",
        "sum",
        "changed",
        "p",
        "batch",
        "head",
        "keyHead",
        "query",
        "queryPosition",
        "key",
        "queryLength",
        "keyLength",
        "keyExtent",
        "queryHeads",
    };

    public const string Inline = "[MethodImpl(MethodImplOptions.AggressiveInlining)]";

    public const string UniformFields = """
        int batch = item.Batch, head = item.Head, keyHead = item.KeyHead;
        int queryLength = call.QueryLength, keyLength = item.KeyLength, keyExtent = call.KeyExtent, queryHeads = call.QueryHeads;
        """;

    private readonly string parameters = DeviceParameters.OfKernel(spec);

    public bool HasBounds => !coverage.Conditions.IsEmpty || !coverage.First.IsEmpty || !coverage.Last.IsEmpty;

    public bool HasMask => HasBounds || HasRest;

    /// <summary>Whether some of the mask is told by no bounds, so that kinds of tiles need a test of their own.</summary>
    public bool HasRest => !coverage.Rest.IsEmpty;

    public bool HasRowLeaves => coverage.Leaves.Any(leaf => leaf.Axis == Dependence.Row);

    public bool HasKeyLeaves => coverage.Leaves.Any(leaf => leaf.Axis == Dependence.Column);

    public IEnumerable<string> Emit()
    {
        yield return Bounds();
        if (HasRowLeaves)
            yield return LeafStruct(Dependence.Row, "rows");
        if (HasKeyLeaves)
            yield return LeafStruct(Dependence.Column, "keys");
        if (HasRowLeaves)
            yield return LeavesOfRows();
        if (HasKeyLeaves)
            yield return LeavesOfKeys();
        if (HasRest)
            yield return Kind();
    }

    // ---- Scopes ---------------------------------------------------------------------------------------------------------

    /// <summary>A place for expressions, with the names that they must not take.</summary>
    public ExprScope Scope(Dialect dialect, HashSet<string>? names = null) =>
        new(
            Axis.None,
            dialect,
            DeviceParameters.InKernel(spec),
            ArgumentUse.Trusted(spec),
            names ?? new HashSet<string>(Reserved)
        );

    /// <summary>What masks are computed in.</summary>
    public static Dialect Exact => new DeviceDialect(exact: true);

    /// <summary>A level's statements on lines of their own.</summary>
    public static string Section(ExprScope scope, Level level, int indent)
    {
        string statements = scope.Statements(level);
        return statements.Length == 0 ? "" : "\n" + Indent(statements, indent);
    }

    // ---- Row bounds -------------------------------------------------------------------------------------------------------

    private string Bounds()
    {
        ExprScope scope = Scope(Exact);
        Value? guard = null;
        List<string> conditions = new();
        foreach (Expr condition in coverage.Conditions)
        {
            Value value = scope.Name(scope.Emit(condition, guard), "isKept");
            conditions.Add(value.Text);
            guard = scope.Name(scope.And(guard, value), "isKept");
        }
        List<string> firsts = coverage.First.Select(bound => Bound(scope, bound, guard)).ToList();
        List<string> lasts = coverage.Last.Select(bound => Bound(scope, bound, guard)).ToList();
        string first = firsts.Aggregate("0", (all, bound) => $"Math.Max({all}, {bound})");
        string last = lasts.Aggregate("keyLength - 1", (all, bound) => $"Math.Min({all}, {bound})");
        string keep = string.Concat(
            conditions.Select(condition => $"\n    if (!{condition})\n        bounds.Last = -1;")
        );
        string fault = scope.CanFault ? "\n    if (fault)\n        PortableTile.Fault(faultWord);" : "";
        return $$"""
            /// <summary>The first and last key that a row of the item may keep; none past the last row.</summary>
            {{Inline}}
            private static PortableBounds Bounds(in PortableCall call, in PortableItem item, int place, ArrayView<int> faultWord{{parameters}})
            {
                PortableBounds bounds = PortableBounds.None;
                if (place >= item.Rows | item.KeyLength == 0)
                    return bounds;
            {{Indent(UniformFields, 1)}}
                int query = item.FirstRow + place, queryPosition = query + item.Offset;
                bool fault = false;{{Section(scope, Level.Uniform, 1)}}{{Section(scope, Level.Row, 1)}}
                bounds.First = {{first}};
                bounds.Last = {{last}};{{keep}}{{fault}}
                return bounds;
            }
            """;
    }

    private string Bound(ExprScope scope, Expr bound, Value? guard)
    {
        // A bound that only shapes the tiles is evaluated where C# would not reach it.
        scope.CountsFaults = !coverage.Shapes.Contains(bound);
        Value value = scope.Name(scope.Emit(bound, guard), "bound");
        scope.CountsFaults = true;
        return value.Type.IsInt ? value.Text : $"PortableTile.Clamp({value.Text})";
    }

    // ---- Leaves of the interval test ----------------------------------------------------------------------------------------

    private IEnumerable<Leaf> Leaves(Dependence axis) => coverage.Leaves.Where(leaf => leaf.Axis == axis);

    private static ScalarType TypeOf(Leaf leaf) => ExprModule.typeOf(leaf.Body);

    private static string LeafType(Leaf leaf) =>
        TypeOf(leaf).IsBool ? "bool"
        : TypeOf(leaf).IsFloat ? "float"
        : TypeOf(leaf).IsInt ? "int"
        : "long";

    // Bools travel as ints: ILGPU stores a bool's field in memory, as no device can.
    private string LeafStruct(Dependence axis, string what)
    {
        IEnumerable<string> fields = Leaves(axis)
            .Select(leaf =>
                TypeOf(leaf).IsBool
                    ? $"    public int {leaf.Name}Any, {leaf.Name}All;"
                    : $"    public {LeafType(leaf)} {leaf.Name}Low, {leaf.Name}High;"
            );
        return $$"""
            /// <summary>Least and greatest values over a tile's {{what}} of what the mask compares.</summary>
            private struct {{NameOf(axis)}}
            {
            {{string.Join("\n", fields)}}
                public int Faults;
            }
            """;
    }

    private static string NameOf(Dependence axis) => axis == Dependence.Row ? "RowLeaves" : "KeyLeaves";

    // A thread goes through every so manieth row or key, from its lane on; in groups of any size each goes through all of them: they are
    // few, and no barrier is needed. Four reads are on their way together; the last place comes again where there are no four.
    private string LeafLoop(Dependence axis, string first, string last)
    {
        List<string> start = new();
        foreach (Leaf leaf in Leaves(axis))
            start.Add(
                LeafType(leaf) switch
                {
                    "bool" => $"leaves.{leaf.Name}All = 1;",
                    "float" =>
                        $"leaves.{leaf.Name}Low = float.PositiveInfinity;\nleaves.{leaf.Name}High = float.NegativeInfinity;",
                    string type =>
                        $"leaves.{leaf.Name}Low = {type}.MaxValue;\nleaves.{leaf.Name}High = {type}.MinValue;",
                }
            );
        IEnumerable<string> turns = new[] { "place", "place + lanes", "place + 2 * lanes", "place + 3 * lanes" }.Select(
            place => $"Add(ref leaves, call, item, {first} + Math.Min({place}, last){DeviceParameters.HandedOn(spec)});"
        );
        return $$"""
            {{NameOf(axis)}} leaves = default;
            {{string.Join("\n", start)}}
            int last = {{last}};
            for (int place = lane; place <= last; place += 4 * lanes)
            {
            {{Indent(string.Join("\n", turns), 1)}}
            }
            return leaves;
            """;
    }

    // A leaf with a bad read says nothing of its tile: there the mask itself tells whether the read is reached.
    private string AddLeaves(Dependence axis, string position, string given)
    {
        ExprScope scope = Scope(Exact);
        List<string> step = new();
        foreach (Leaf leaf in Leaves(axis))
        {
            string value = scope.Name(scope.Emit(leaf.Body), leaf.Name).Text;
            (string low, string high) = ($"leaves.{leaf.Name}Low", $"leaves.{leaf.Name}High");
            (string any, string all) = ($"leaves.{leaf.Name}Any", $"leaves.{leaf.Name}All");
            string math = LeafType(leaf) == "float" ? "PortableMath" : "Math";
            step.Add(
                LeafType(leaf) == "bool"
                    ? $"{any} |= {value} ? 1 : 0;\n{all} &= {value} ? 1 : 0;"
                    : $"{low} = {math}.Min({low}, {value});\n{high} = {math}.Max({high}, {value});"
            );
        }
        // ILGPU makes no number of a constant bool, which fault is where nothing can be faulty.
        (string fault, string faulty) = scope.CanFault
            ? ("\n    bool fault = false;", "\n    leaves.Faults |= fault ? 1 : 0;")
            : ("", "");
        Level level = axis == Dependence.Row ? Level.Row : Level.Column;
        return $$"""
            {{Inline}}
            private static void Add(ref {{NameOf(
                axis
            )}} leaves, in PortableCall call, in PortableItem item, int {{position}}{{parameters}})
            {
            {{Indent(UniformFields, 1)}}{{given}}{{fault}}{{Section(scope, Level.Uniform, 1)}}{{Section(
                scope,
                level,
                1
            )}}
            {{Indent(string.Join("\n", step), 1)}}{{faulty}}
            }
            """;
    }

    /// <summary>What a warp's threads found together, for kernels whose warps search: a method for rows and one for keys, where there are any.</summary>
    public IEnumerable<string> Agreed() =>
        new[] { Dependence.Row, Dependence.Column }.Where(axis => Leaves(axis).Any()).Select(Agreed);

    private string Agreed(Dependence axis)
    {
        IEnumerable<string> fields = Leaves(axis)
            .SelectMany(leaf =>
                TypeOf(leaf).IsBool
                    ? new[] { ($"{leaf.Name}Any", "Max"), ($"{leaf.Name}All", "Min") }
                    : new[] { ($"{leaf.Name}Low", "Min"), ($"{leaf.Name}High", "Max") }
            )
            .Append(("Faults", "Max"))
            .Select(field => $"    agreed.{field.Item1} = TensorWarp.{field.Item2}(own.{field.Item1});");
        return $$"""
            /// <summary>Those of all threads of a warp together.</summary>
            {{Inline}}
            private static {{NameOf(axis)}} Agreed(in {{NameOf(axis)}} own)
            {
                {{NameOf(axis)}} agreed = default;
            {{string.Join("\n", fields)}}
                return agreed;
            }
            """;
    }

    private string LeavesOfRows() =>
        $$"""
            {{Inline}}
            private static RowLeaves LeavesOfRows(in PortableCall call, in PortableItem item, int lane, int lanes{{parameters}})
            {
            {{Indent(LeafLoop(Dependence.Row, "item.FirstRow", "item.Rows - 1"), 1)}}
            }

            {{AddLeaves(Dependence.Row, "query", "\n    int queryPosition = query + item.Offset;")}}
            """;

    private string LeavesOfKeys() =>
        $$"""
            {{Inline}}
            private static KeyLeaves LeavesOfKeys(in PortableCall call, in PortableItem item, int firstKey, int lastKey, int lane, int lanes{{parameters}})
            {
            {{Indent(LeafLoop(Dependence.Column, "firstKey", "lastKey - firstKey"), 1)}}
            }

            {{AddLeaves(Dependence.Column, "key", "")}}
            """;

    // ---- Kinds of tiles -------------------------------------------------------------------------------------------------------

    private string Kind()
    {
        ExprScope scope = Scope(Exact);
        scope.CountsFaults = false;
        foreach (Leaf leaf in coverage.Leaves)
        {
            string target = leaf.Axis == Dependence.Row ? "rowLeaves." : "keyLeaves.";
            ScalarType type = TypeOf(leaf);
            ScalarType bound = type.IsBool || type.IsFloat ? type : ScalarType.Long;
            foreach (
                (string part, string field) in type.IsBool
                    ? new[] { ("any", "Any"), ("all", "All") }
                    : new[] { ("low", "Low"), ("high", "High") }
            )
            {
                string value = $"{target}{leaf.Name}{field}";
                string text =
                    type.IsBool ? $"({value} != 0)"
                    : type.IsInt ? $"((long){value})"
                    : value;
                scope.Bind($"{leaf.Name}.{part}", new(text, bound, Level.Uniform, false, true));
            }
        }
        string empty = scope.Name(scope.Emit(coverage.RestEmpty), "isEmpty").Text;
        string full = scope.Name(scope.Emit(coverage.RestFull), "isFull").Text;
        List<string> faults = new();
        if (HasRowLeaves)
            faults.Add("rowLeaves.Faults");
        if (HasKeyLeaves)
            faults.Add("keyLeaves.Faults");
        string unknown =
            faults.Count == 0
                ? ""
                : $"\n    if ({string.Join(" + ", faults)} > 0)\n        kind = PortableTile.Partial;";
        string leaves =
            (HasRowLeaves ? ", in RowLeaves rowLeaves" : "") + (HasKeyLeaves ? ", in KeyLeaves keyLeaves" : "");
        return $$"""
            /// <summary>What the mask leaves of a tile that some row's bounds touch.</summary>
            {{Inline}}
            private static int Kind(in PortableCall call, in PortableItem item{{leaves}}, int firstKey, int lastKey, bool isCovered{{parameters}})
            {
            {{Indent(UniformFields, 1)}}{{Section(scope, Level.Uniform, 1)}}
                int kind = isCovered & {{full}} ? PortableTile.Full : PortableTile.Partial;
                if ({{empty}})
                    kind = PortableTile.Empty;{{unknown}}
                return kind;
            }
            """;
    }
}
