using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Helpers in helpers in helpers, of several files, whose locals and parameters share names.</summary>
[Attention(Types = Float32)]
public static partial class NestedHelpers
{
    [MaskMod]
    private static bool Keep(in Position at, Table<int> levels)
    {
        int x = Outer(at.Key, at.QueryPosition);
        return x <= Outer(at.QueryPosition, at.Key) + Levels.Of(levels, at.Key) * 8;
    }

    private static int Outer(int x, int y)
    {
        int z = Inner(y, x);
        return z - Inner(x, z);
    }

    private static int Inner(int x, int y)
    {
        int z = Math.Max(x, y) - Levels.Half(x);
        return z;
    }
}
