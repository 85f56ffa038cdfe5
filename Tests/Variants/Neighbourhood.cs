using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Pixels of an image within a radius in both directions (NATTEN): division and remainder by a run-time width.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class Neighbourhood
{
    [MaskMod]
    private static bool Near(in Position at, int width, int radius)
    {
        int rows = at.QueryPosition / width - at.Key / width;
        int columns = at.QueryPosition % width - at.Key % width;
        return Math.Abs(rows) <= radius && Math.Abs(columns) <= radius;
    }
}
