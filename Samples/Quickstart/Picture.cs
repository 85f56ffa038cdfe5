using FlashGen;
using StbImageWriteSharp;

namespace Quickstart;

static class Picture
{
    /// One square a tile: dark is full (no mask is run), light is partial, the rest is never computed.
    public static void WritePng(CoverageMap map, string path)
    {
        const int Cell = 8;
        int width = map.KeyTiles * Cell;
        int height = map.QueryTiles * Cell;
        byte[] pixels = new byte[width * height * 3];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
        {
            (byte, byte, byte) colour = map[y / Cell, x / Cell] switch
            {
                TileCoverage.Full => (0x1f, 0x5a, 0x99),
                TileCoverage.Partial => (0x8f, 0xbb, 0xe8),
                _ => (0xf2, 0xf2, 0xf2),
            };
            int at = (y * width + x) * 3;
            (pixels[at], pixels[at + 1], pixels[at + 2]) = colour;
        }
        using FileStream file = File.Create(path);
        new ImageWriter().WritePng(pixels, width, height, ColorComponents.RedGreenBlue, file);
    }
}
