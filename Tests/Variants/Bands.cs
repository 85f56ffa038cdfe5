using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Blocks of 32 rows look at the first keys or at the last, by turns of two rows: between them, tiles that no row keeps.</summary>
[Attention(Types = Float32)]
public static partial class Bands
{
    [MaskMod]
    private static bool Keep(in Position at) => (at.Query / 2 % 2 == 0) ? at.Key < 20 : at.Key >= 70;
}
