using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>Coverage in words, for the head of an emitted kernel.</summary>
internal static class CoverageText
{
    public static string Describe(Coverage coverage, string margin)
    {
        if (CoverageModule.keepsAll(coverage))
            return margin + "Every key within the lengths is kept: all tiles are full.";
        List<string> lines = new();
        if (!coverage.Conditions.IsEmpty || !coverage.First.IsEmpty || !coverage.Last.IsEmpty)
            lines.Add("A row keeps the keys between bounds of its own; the bounds of its rows tell what a tile is.");
        if (!coverage.Rest.IsEmpty)
            lines.Add(
                coverage.Leaves.IsEmpty
                    ? "Other conditions are tested element by element."
                    : "Other conditions are first tested on the least and greatest values of a tile's rows and keys."
            );
        lines.Add("Empty tiles are passed over, full ones run no mask.");
        return string.Join("\n", lines.Select(line => margin + line));
    }
}
