using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A mask of one bit a pair, 32 in a word: shifts by what a lane says.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class PackedBits
{
    [MaskMod]
    private static bool Bit(in Position at, Table<uint> bits, int words) =>
        (bits[at.Query * words + (at.Key >> 5)] >> at.Key & 1u) != 0u;
}
