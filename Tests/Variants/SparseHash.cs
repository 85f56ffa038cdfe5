using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A random sparse pattern by a hash of the pair: unsigned and signed numbers that wrap.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class SparseHash
{
    [MaskMod]
    private static bool Keep(in Position at)
    {
        uint mixed = (uint)at.Key * 2654435761u ^ (uint)at.Query * 40503u;
        int wrapped = at.Key * 715827883 + (at.Head << 29);
        return (mixed >> 28) < 6u || (wrapped ^ at.Query) < -1200000000;
    }
}
