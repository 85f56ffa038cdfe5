using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;
using static FlashGen.Generators.Emit.Simd.SimdScope;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>The leaves of the interval test: the least and the greatest of what a mask compares, over a panel's rows and a tile's keys.</summary>
internal sealed partial class SimdCoverageEmitter
{
    private IEnumerable<Leaf> Leaves(Dependence axis) => coverage.Leaves.Where(leaf => leaf.Axis == axis);

    /// <summary>
    /// Whether the leaves of an axis may read outside a table or divide by zero where C# would not reach it: what they say is nothing then, and
    /// the tile is computed pair by pair, which tells.
    /// </summary>
    public static bool CanFault(AttentionSpec spec, Coverage coverage, Dependence axis)
    {
        ExprScope scope = SimdScope.Create(spec, axis == Dependence.Row ? Axis.Rows : Axis.Keys);
        foreach (Leaf leaf in coverage.Leaves.Where(leaf => leaf.Axis == axis))
            scope.Emit(leaf.Body);
        return scope.CanFault;
    }

    private string Faulty(Dependence axis, string text) => CanFault(spec, coverage, axis) ? text : "";

    // What is known of a tile is nothing, as a condition.
    private string Unknown =>
        string.Join(
            " | ",
            new[]
            {
                Faulty(Dependence.Row, "panel->Faults"),
                HasKeyLeaves ? Faulty(Dependence.Column, "keyLeaves.Faults") : "",
            }.Where(part => part.Length > 0)
        );

    private static string LeafType(Leaf leaf) =>
        ExprModule.typeOf(leaf.Body).Tag switch
        {
            ScalarType.Tags.Bool => "bool",
            ScalarType.Tags.Float => "float",
            _ => "long",
        };

    private static bool IsBool(Leaf leaf) => ExprModule.typeOf(leaf.Body).IsBool;

    private static string LeafFields(Leaf leaf) =>
        IsBool(leaf)
            ? $"public bool {leaf.Name}Any, {leaf.Name}All;"
            : $"public {LeafType(leaf)} {leaf.Name}Low, {leaf.Name}High;";

    private string LeafLoop(Dependence axis, string fields, string count, string target, string variable)
    {
        ExprScope scope = SimdScope.Create(spec, axis == Dependence.Row ? Axis.Rows : Axis.Keys);
        Level level = axis == Dependence.Row ? Level.Row : Level.Column;
        List<string> start = new(),
            step = new(),
            end = new();
        foreach (Leaf leaf in Leaves(axis))
        {
            ScalarType type = ExprModule.typeOf(leaf.Body);
            string value = scope.Lanes(scope.Name(scope.Emit(leaf.Body), leaf.Name));
            string name = leaf.Name;
            if (type.IsBool)
            {
                start.Add($"Ints {name}Any = Ints.Zero, {name}All = Ints.AllBitsSet;");
                step.Add($"{name}Any |= {value};\n{name}All &= {value};");
                end.Add($"{target}{name}Any = Lanes.Any({name}Any);\n{target}{name}All = Lanes.All({name}All);");
                continue;
            }
            (string lanes, string low, string high, string math) = type.Tag switch
            {
                ScalarType.Tags.Int => ("Ints", "V.Create(int.MaxValue)", "V.Create(int.MinValue)", "V"),
                ScalarType.Tags.UInt => ("UInts", "V.Create(uint.MaxValue)", "V.Create(0u)", "V"),
                ScalarType.Tags.Long => (
                    "Longs",
                    "Longs.Create(long.MaxValue)",
                    "Longs.Create(long.MinValue)",
                    "Longs"
                ),
                _ => ("Floats", "V.Create(float.PositiveInfinity)", "V.Create(float.NegativeInfinity)", "V"),
            };
            string reduce = type.IsLong ? "Longs" : "Lanes";
            start.Add($"{lanes} {name}Low = {low}, {name}High = {high};");
            step.Add($"{name}Low = {math}.Min({name}Low, {value});\n{name}High = {math}.Max({name}High, {value});");
            end.Add($"{target}{name}Low = {reduce}.Min({name}Low);\n{target}{name}High = {reduce}.Max({name}High);");
        }
        if (scope.CanFault)
            end.Add($"{target}Faults = fault || Lanes.Any(faults);");
        return $$"""
            {{UniformFields}}
            bool fault = false;
            Ints faults = Ints.Zero;
            {{string.Join("\n", start)}}{{Section(scope, Level.Uniform, 0)}}
            for (int {{variable}} = 0; {{variable}} < {{count}}; {{variable}} += {{tile.IntLanes}})
            {
            {{Indent(fields, 1)}}{{Section(scope, level, 1)}}
            {{Indent(string.Join("\n", step), 1)}}
            }
            {{string.Join("\n", end)}}
            """;
    }

    private string LeavesOfRows() =>
        $$"""
            /// <summary>Least and greatest values over a panel's rows of what the mask compares.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void LeavesOfRows({{Parameters}})
            {
            {{Indent(LeafLoop(Dependence.Row, RowFields, "panel->Padded", "panel->", "row"), 1)}}
            }
            """;

    private string LeavesOfKeys() =>
        $$"""
            /// <summary>Least and greatest values over a tile's keys of what the mask compares.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static KeyLeaves LeavesOfKeys(in SimdCall call, in SimdArguments arguments, in SimdItem item, int firstKey, int keys)
            {
                KeyLeaves leaves;
            {{Indent(
                LeafLoop(
                    Dependence.Column,
                    "Ints key = V.Min(V.Create(firstKey + j) + Lanes.Numbers, V.Create(firstKey + keys - 1));",
                    "keys",
                    "leaves.",
                    "j"
                ),
                1
            )}}
                return leaves;
            }
            """;
}
