using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;
using static FlashGen.Generators.Emit.Simd.SimdScope;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>Coverage as vector code: the keys that rows may keep, and what a tile of them is.</summary>
/// <param name="spec">The variant.</param>
/// <param name="coverage">Its mask, as bounds and the rest.</param>
/// <param name="tile">The register tile.</param>
/// <param name="blockN">A statement that declares BlockN where it is no constant, on a line of its own; else nothing.</param>
internal sealed partial class SimdCoverageEmitter(AttentionSpec spec, Coverage coverage, SimdTile tile, string blockN)
{
    private const string Parameters = "in SimdCall call, in SimdArguments arguments, in SimdItem item, Panel* panel";

    // Vectors of ints over a panel's rows: as many lanes as floats have, whatever the kernel computes in.
    public bool HasBounds => !coverage.Conditions.IsEmpty || !coverage.First.IsEmpty || !coverage.Last.IsEmpty;

    public bool HasMask => HasBounds || !coverage.Rest.IsEmpty;

    public bool HasRowLeaves => coverage.Leaves.Any(leaf => leaf.Axis == Dependence.Row);

    public bool HasKeyLeaves => coverage.Leaves.Any(leaf => leaf.Axis == Dependence.Column);

    public IEnumerable<string> Emit()
    {
        if (HasBounds)
            yield return Bounds();
        if (HasRowLeaves)
            yield return LeavesOfRows();
        if (HasKeyLeaves)
        {
            yield return LeavesOfKeys();
            yield return Join();
            yield return NextTile();
        }
        if (HasKeyLeaves || !coverage.Rest.IsEmpty)
            yield return IsEmpty();
        if (HasMask)
            yield return Kind();
    }

    /// <summary>What a panel keeps from tile to tile.</summary>
    public string PanelStruct()
    {
        string leaves =
            string.Concat(Leaves(Dependence.Row).Select(leaf => "\n    " + LeafFields(leaf)))
            + Faulty(Dependence.Row, "\n    public bool Faults;");
        string keyLeaves = HasKeyLeaves
            ? $$"""


                /// <summary>Least and greatest values over a tile's keys.</summary>
                private struct KeyLeaves
                {
                {{string.Join("\n", Leaves(Dependence.Column).Select(leaf => "    " + LeafFields(leaf)))}}{{Faulty(
                Dependence.Column,
                "\n    public bool Faults;"
            )}}
                }
                """
            : "";
        return $$"""
            /// <summary>A panel of rows: its buffers, and the keys that its rows may keep.</summary>
            private struct Panel
            {
                public {{tile.Real}}* Queries, Outputs, Maximum, NewMaximum, Sum, Fade;
                public int* FirstKeys, LastKeys;
                public int FirstRow, Rows, Padded, First, Last{{(HasBounds ? ", AllFirst, AllLast" : "")}}{{(
                tile.SplitsLast ? ", LastBefore" : ""
            )}};{{leaves}}
            }{{keyLeaves}}
            """;
    }

    // ---- Row bounds -------------------------------------------------------------------------------------------------------

    private string Bounds()
    {
        ExprScope scope = SimdScope.Create(spec, Axis.Rows);
        Value? guard = null;
        List<string> conditions = new();
        foreach (Expr condition in coverage.Conditions)
        {
            Value value = scope.Name(scope.Emit(condition, guard), "isKept");
            conditions.Add(scope.Lanes(value));
            guard = scope.Name(scope.And(guard, value), "isKept");
        }
        List<string> firsts = coverage.First.Select(bound => Bound(scope, bound, guard)).ToList();
        List<string> lasts = coverage.Last.Select(bound => Bound(scope, bound, guard)).ToList();
        string first = firsts.Aggregate(
            "Ints.Zero",
            (all, bound) => all == "Ints.Zero" ? $"V.Max({bound}, Ints.Zero)" : $"V.Max({all}, {bound})"
        );
        string last = lasts.Aggregate("V.Create(keyLength - 1)", (all, bound) => $"V.Min({all}, {bound})");
        string keep = string.Concat(
            conditions.Select(condition => $"\n        last = V.ConditionalSelect({condition}, last, V.Create(-1));")
        );
        string fault = scope.CanFault
            ? "\n    if (fault || Lanes.Any(faults))\n        outcome.Fault(item, panel->FirstRow, panel->Rows, 0, keyLength);"
            : "";
        return $$"""
            /// <summary>The first and last key that each row of a panel may keep, that any of them may, and that all of them do.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void Bounds({{Parameters}}, ref SimdOutcome outcome)
            {
            {{Indent(UniformFields, 1)}}
                Ints firsts = V.Create(int.MaxValue), lasts = V.Create(-1), latest = Ints.Zero, earliest = V.Create(int.MaxValue);{{(
                tile.SplitsLast ? "\n    Ints before = lasts;" : ""
            )}}
                bool fault = false;
                Ints faults = Ints.Zero;
                if (keyLength == 0)
                {
                    (panel->First, panel->Last) = (int.MaxValue, -1);
                    return;
                }{{Section(scope, Level.Uniform, 1)}}
                for (int row = 0; row < panel->Padded; row += {{tile.IntLanes}})
                {
            {{Indent(RowFields, 2)}}{{Section(scope, Level.Row, 2)}}{{(
                tile.SplitsLast ? "\n        before = lasts;" : ""
            )}}
                    Ints first = {{first}};
                    Ints last = {{last}};{{keep}}
                    first.Store(panel->FirstKeys + row);
                    last.Store(panel->LastKeys + row);
                    Ints some = V.LessThanOrEqual(first, last);
                    firsts = V.Min(firsts, V.ConditionalSelect(some, first, firsts));
                    lasts = V.Max(lasts, V.ConditionalSelect(some, last, lasts));
                    (latest, earliest) = (V.Max(latest, first), V.Min(earliest, last));
                }
                (panel->First, panel->Last) = (Lanes.Min(firsts), Lanes.Max(lasts));
                (panel->AllFirst, panel->AllLast) = (Lanes.Max(latest), Lanes.Min(earliest));{{(
                tile.SplitsLast ? "\n    panel->LastBefore = Lanes.Max(before);" : ""
            )}}{{fault}}
            }
            """;
    }

    // Bounds are ints in the lanes: a long is clamped, as no key lies beyond.
    private string Bound(ExprScope scope, Expr bound, Value? guard)
    {
        scope.CountsFaults = !coverage.Shapes.Contains(bound);
        Value value = scope.Emit(bound, guard);
        scope.CountsFaults = true;
        if (value.Type.IsInt)
            return scope.Lanes(scope.Name(value, "bound"));
        string lanes = scope.Lanes(scope.Name(value, "bound"));
        return $"Longs.Max(Longs.Min({lanes}, Longs.Create((long)int.MaxValue)), Longs.Create(-1L)).ToInts()";
    }

    private string Join()
    {
        IEnumerable<string> joined = Leaves(Dependence.Row)
            .SelectMany(leaf =>
                IsBool(leaf)
                    ? new[]
                    {
                        $"all->{leaf.Name}Any |= panel->{leaf.Name}Any;",
                        $"all->{leaf.Name}All &= panel->{leaf.Name}All;",
                    }
                    : new[]
                    {
                        $"all->{leaf.Name}Low = Math.Min(all->{leaf.Name}Low, panel->{leaf.Name}Low);",
                        $"all->{leaf.Name}High = Math.Max(all->{leaf.Name}High, panel->{leaf.Name}High);",
                    }
            )
            .Concat(new[] { Faulty(Dependence.Row, "all->Faults |= panel->Faults;") }.Where(line => line.Length > 0));
        return $$"""
            /// <summary>A panel's least and greatest values join those of the panels before it.</summary>
            private static void Join(Panel* all, Panel* panel)
            {
            {{Indent(string.Join("\n", joined), 1)}}
            }
            """;
    }

    private string NextTile()
    {
        string alike = string.Join(
            " & ",
            Leaves(Dependence.Column)
                .SelectMany(
                    leaf => IsBool(leaf) ? new[] { "Any", "All" } : new[] { "Low", "High" },
                    (leaf, part) => leaf.Name + part
                )
                .Concat(new[] { Faulty(Dependence.Column, "Faults") }.Where(field => field.Length > 0))
                .Select(field => $"a.{field} == b.{field}")
        );
        return $$"""
            /// <summary>
            /// The first tile from one on that some row may keep keys of, how many from it on are alike, and what is known of them;
            /// a number past the last tile where there is none.
            /// </summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static int NextTile({{Parameters.Replace(
                "panel",
                "all"
            )}}, int index, int last, int panels, ref SimdOutcome outcome, out int tiles, out KeyLeaves keyLeaves)
            {
                (tiles, keyLeaves) = (1, default);{{blockN}}
                for (; (long)index * BlockN <= last; index++)
                {
                    keyLeaves = LeavesOfTile(call, arguments, item, index);
                    if (IsEmpty(call, arguments, item, all, keyLeaves))
                    {
                        outcome.Empty += panels;
                        continue;
                    }
                    // Tiles alike are one to every row; together they save what each costs. Where they end depends on the keys alone, so
                    // what a row computes does not depend on the panels beside it.
                    while ((index + tiles) % (MostKeys / BlockN) != 0 && (index + (long)tiles) * BlockN <= last && AreAlike(keyLeaves, LeavesOfTile(call, arguments, item, index + tiles)))
                        tiles++;
                    return index;
                }
                return index;
            }

            private static KeyLeaves LeavesOfTile(in SimdCall call, in SimdArguments arguments, in SimdItem item, int index)
            {{{blockN}}
                return LeavesOfKeys(call, arguments, item, index * BlockN, Math.Min(BlockN, item.KeyLength - index * BlockN));
            }

            private static bool AreAlike(in KeyLeaves a, in KeyLeaves b) => {{alike}};
            """;
    }

    private string PassLeaves => HasKeyLeaves ? ", in KeyLeaves keyLeaves" : "";

    private ExprScope ScopeOfLeaves()
    {
        ExprScope scope = SimdScope.Create(spec, Axis.None);
        foreach (Leaf leaf in coverage.Leaves)
        {
            string target = leaf.Axis == Dependence.Row ? "panel->" : "keyLeaves.";
            ScalarType type = ExprModule.typeOf(leaf.Body);
            ScalarType bound = type.IsBool || type.IsFloat ? type : ScalarType.Long;
            foreach (
                (string part, string field) in IsBool(leaf)
                    ? new[] { ("any", "Any"), ("all", "All") }
                    : new[] { ("low", "Low"), ("high", "High") }
            )
                scope.Bind(
                    $"{leaf.Name}.{part}",
                    new($"{target}{leaf.Name}{field}", bound, Level.Uniform, false, true)
                );
        }
        return scope;
    }

    private string IsEmpty()
    {
        ExprScope scope = ScopeOfLeaves();
        string empty = scope.Emit(coverage.RestEmpty).Text;
        return $$"""
            /// <summary>Whether what is known of a panel's rows, or of all panels', and of a tile's keys leaves nothing to keep.</summary>
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            private static bool IsEmpty({{Parameters}}{{PassLeaves}})
            {
            {{Indent(UniformFields, 1)}}
                bool fault = false;{{Section(scope, Level.Uniform, 1)}}
                return {{(Unknown.Length > 0 ? $"!({Unknown}) && ({empty})" : empty)}};
            }
            """;
    }

    private string Kind()
    {
        string parameters = $"{Parameters}, int firstKey, int lastKey{PassLeaves}";
        string bounds = HasBounds
            ? $$"""

                Ints any = Ints.Zero, all = Ints.AllBitsSet;
                Ints from = V.Create(firstKey), to = V.Create(lastKey);
                for (int row = 0; row < panel->Padded; row += {{tile.IntLanes}})
                {
                    Ints first = V.Load(panel->FirstKeys + row), last = V.Load(panel->LastKeys + row);
                    any |= V.LessThanOrEqual(first, last) & V.LessThanOrEqual(first, to) & V.GreaterThanOrEqual(last, from);
                    all &= V.LessThanOrEqual(first, from) & V.GreaterThanOrEqual(last, to);
                }
                if (!Lanes.Any(any))
                    return TileKind.Empty;
                """
            : "";
        string covered = HasBounds ? "Lanes.All(all)" : "true";
        if (coverage.Rest.IsEmpty)
            return $$"""
                /// <summary>Whether the rows of a panel keep none, some or all of these keys.</summary>
                [MethodImpl(MethodImplOptions.AggressiveOptimization)]
                private static TileKind Kind({{parameters}})
                {{{Indent(bounds, 1)}}
                    return {{covered}} ? TileKind.Full : TileKind.Partial;
                }
                """;
        ExprScope scope = ScopeOfLeaves();
        string full = scope.Emit(coverage.RestFull).Text;
        return $$"""
            /// <summary>Whether the rows of a panel keep none, perhaps some, or all of these keys.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static TileKind Kind({{parameters}})
            {{{Indent(bounds, 1)}}
                if (IsEmpty(call, arguments, item, panel{{(HasKeyLeaves ? ", keyLeaves" : "")}}))
                    return TileKind.Empty;
            {{Indent(UniformFields, 1)}}
                bool fault = false;{{Section(scope, Level.Uniform, 1)}}
                return {{covered}} && ({{full}}){{(
                Unknown.Length > 0 ? $" && !({Unknown})" : ""
            )}} ? TileKind.Full : TileKind.Partial;
            }
            """;
    }
}
