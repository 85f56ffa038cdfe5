using System.Globalization;
using System.Text;

namespace FlashGen;

/// <summary>A coverage map as a picture: SVG, one square a tile, queries downwards and keys to the right.</summary>
public static class CoverageSvg
{
    private const int Cell = 10;
    private const int Margin = 20;
    private const int Caption = 60;

    // Dark to light, so that the picture reads without its colours too.
    private const string FullColour = "#1f5a99";
    private const string PartialColour = "#8fbbe8";
    private const string EmptyColour = "#f2f2f2";

    /// <summary>The text of an SVG file; the same map gives the same text.</summary>
    /// <param name="map">The map.</param>
    /// <param name="title">What the picture shows, such as the variant's name.</param>
    public static string Write(CoverageMap map, string title)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(title);
        int width = Math.Max((map.KeyTiles * Cell) + (2 * Margin), 520);
        int height = (map.QueryTiles * Cell) + (2 * Margin) + Caption;
        StringBuilder text = new();
        Line(
            $"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">"""
        );
        Line($"""<rect width="{width}" height="{height}" fill="white"/>""");
        Line($"""<text x="{Margin}" y="30" font-size="16">{Escaped(title)}</text>""");
        Line($"""<text x="{Margin}" y="50" font-size="11">{Escaped(Legend(map))}</text>""");
        Line($"""<g transform="translate({Margin} {Margin + Caption - 10})">""");
        Line($"""<rect width="{map.KeyTiles * Cell}" height="{map.QueryTiles * Cell}" fill="{EmptyColour}"/>""");
        for (int m = 0; m < map.QueryTiles; m++)
        for (int n = 0; n < map.KeyTiles; )
        {
            // Neighbours of one colour are one rectangle: the file stays small.
            int end = n + 1;
            while (end < map.KeyTiles && map[m, end] == map[m, n])
                end++;
            if (map[m, n] != TileCoverage.Empty)
                Line(
                    $"""<rect x="{n * Cell}" y="{m * Cell}" width="{(end - n) * Cell}" height="{Cell}" fill="{(map[m, n] == TileCoverage.Full ? FullColour : PartialColour)}"/>"""
                );
            n = end;
        }
        Grid();
        Line($"</g>");
        Line($"</svg>");
        return text.ToString();

        void Grid()
        {
            for (int m = 0; m <= map.QueryTiles; m++)
                Line($"""<path d="M0 {m * Cell}H{map.KeyTiles * Cell}" stroke="white" stroke-width="1"/>""");
            for (int n = 0; n <= map.KeyTiles; n++)
                Line($"""<path d="M{n * Cell} 0V{map.QueryTiles * Cell}" stroke="white" stroke-width="1"/>""");
        }

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Legend(CoverageMap map) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{map.QueryLength} queries (down) x {map.KeyLength} keys (right), tiles of {map.BlockM} x {map.BlockN}: {map.Count(TileCoverage.Full)} full (dark), {map.Count(TileCoverage.Partial)} partial, {map.Count(TileCoverage.Empty)} empty"
        );

    private static string Escaped(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
}
