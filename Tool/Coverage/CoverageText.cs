using System.Globalization;
using System.Text;

namespace FlashGen.Tool.Coverage;

/// <summary>A coverage map drawn in characters: queries downwards, keys to the right, two characters a cell.</summary>
internal static class CoverageText
{
    private const int MostCells = 48;

    /// <summary>Draws a map; where it has more tiles than fit, a cell stands for several.</summary>
    public static void Write(Terminal terminal, CoverageMap map)
    {
        TextWriter writer = terminal.Writer;
        writer.WriteLine(
            Text(
                $"Coverage of {map.QueryLength} queries (down) x {map.KeyLength} keys (right), batch entry {map.Batch}, head {map.Head}, by its mask, in tiles of {map.BlockM} x {map.BlockN}"
            )
        );
        int most = Math.Clamp((terminal.Output.Profile.Width - 4) / 2, 8, MostCells);
        int groupM = Group(map.QueryTiles, most);
        int groupN = Group(map.KeyTiles, most);
        if (groupM > 1 || groupN > 1)
            writer.WriteLine(Text($"(a cell is {groupM} x {groupN} tiles)"));
        for (int m = 0; m < map.QueryTiles; m += groupM)
        {
            StringBuilder line = new("  ");
            for (int n = 0; n < map.KeyTiles; n += groupN)
                line.Append(
                    Cell(map.Judge(m, Math.Min(m + groupM, map.QueryTiles), n, Math.Min(n + groupN, map.KeyTiles)))
                );
            writer.WriteLine(line);
        }
        long tiles = (long)map.QueryTiles * map.KeyTiles;
        long empty = map.Count(TileCoverage.Empty);
        double share = tiles == 0 ? 0 : 100.0 * (tiles - empty) / tiles;
        writer.WriteLine(
            Text(
                $"  {Cell(TileCoverage.Full)} full {map.Count(TileCoverage.Full)}   {Cell(TileCoverage.Partial)} partial {map.Count(TileCoverage.Partial)}   {Cell(TileCoverage.Empty)} empty {empty}   computed {tiles - empty} of {tiles} tiles ({share:f1} %), kept {map.KeptPairs} of {(long)map.QueryLength * map.KeyLength} pairs"
            )
        );
    }

    private static int Group(int tiles, int most) => Math.Max(1, (tiles + most - 1) / most);

    private static string Cell(TileCoverage coverage) =>
        coverage switch
        {
            TileCoverage.Full => "██",
            TileCoverage.Partial => "▒▒",
            _ => "· ",
        };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
