using System;
using System.Collections.Generic;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>What the expressions of a CPU kernel find around them: names, fields of the position, arguments.</summary>
internal static class SimdScope
{
    // Names that the text around the expressions uses.
    private const string Reserved =
        "call arguments item panel outcome scores score row j s top keep changed lowest first last firstKey "
        + "lastKey keys from to any all batch head keyHead query queryPosition key queryLength keyLength "
        + "keyExtent queryHeads fault faults keyLeaves leaves lastRow firsts lasts V Lanes Longs Floats Ints "
        + "UInts Rows BlockN";

    /// <summary>The names that expressions must leave alone.</summary>
    public static HashSet<string> Names() => new(Reserved.Split(' '));

    /// <summary>A scope with the variant's arguments.</summary>
    /// <param name="names">Shared names, where two scopes write into one text.</param>
    /// <param name="wide">Floats are doubles.</param>
    public static ExprScope Create(AttentionSpec spec, Axis axis, HashSet<string>? names = null, bool wide = false) =>
        new(axis, new ScalarDialect(wide), ArgumentName, ArgumentUse.Trusted(spec), names ?? Names());

    /// <summary>Where a kernel finds a run-time argument.</summary>
    public static string ArgumentName(string name)
    {
        return "arguments."
            + (
                name.EndsWith(Emit.Names.LengthPart, StringComparison.Ordinal)
                    ? "lengthOf_" + name.Substring(0, name.Length - Emit.Names.LengthPart.Length)
                    : Emit.Names.Argument(name)
            );
    }

    /// <summary>The fields that do not vary within an item.</summary>
    public static string UniformFields =>
        """
            int batch = item.Batch, head = item.Head, keyHead = item.KeyHead;
            int queryLength = call.QueryLength, keyLength = item.KeyLength, keyExtent = call.KeyLength, queryHeads = call.QueryHeads;
            """;

    /// <summary>The row fields, rows in the lanes. Lanes beyond the last row repeat it, so that they reach nothing that no row reaches.</summary>
    public const string RowFields = """
        Ints query = V.Min(V.Create(panel->FirstRow + row) + Lanes.Numbers, V.Create(panel->FirstRow + panel->Rows - 1));
        Ints queryPosition = query + V.Create(item.Offset);
        """;

    /// <summary>The statements of a level, on lines of their own.</summary>
    public static string Section(ExprScope scope, Level level, int indent)
    {
        string statements = scope.Statements(level);
        return statements.Length == 0 ? "" : "\n" + Indent(statements, indent);
    }
}
