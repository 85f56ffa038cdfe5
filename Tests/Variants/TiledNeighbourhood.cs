using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>The same where pixels are ordered tile by tile: helpers of another file undo the order.</summary>
[Attention(Types = Float32)]
public static partial class TiledNeighbourhood
{
    private const int Radius = 3;

    [MaskMod]
    private static bool Near(in Position at) =>
        Math.Abs(Grid.Column(at.Query) - Grid.Column(at.Key)) <= Radius
        && Math.Abs(Grid.Row(at.Query) - Grid.Row(at.Key)) <= Radius;
}
