namespace FlashGen.Tests.Variants;

/// <summary>Pixels numbered within tiles of 4 x 4, the tiles within rows of 32 pixels: helpers that call helpers.</summary>
internal static class Grid
{
    private const int Side = 4;
    private const int Across = 32 / Side;

    public static int Column(int pixel) => Tile(pixel) % Across * Side + Inside(pixel) % Side;

    public static int Row(int pixel) => Tile(pixel) / Across * Side + Inside(pixel) / Side;

    private static int Tile(int pixel) => pixel / (Side * Side);

    private static int Inside(int pixel) => pixel & (Side * Side - 1);
}
