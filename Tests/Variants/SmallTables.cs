using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Tables of bytes, bools, unsigned and long numbers in one mask.</summary>
[Attention(Types = Float16 | Float32 | Float64)]
public static partial class SmallTables
{
    [MaskMod]
    private static bool Keep(
        in Position at,
        Table<byte> kinds,
        Table<bool> padding,
        Table<uint> colours,
        Table<long> times
    ) =>
        !padding[at.Key]
        && (kinds[at.Key] > 200 || colours[at.Query] != colours[at.Query / 2] || times[at.Key] <= times[at.Key / 2]);
}
