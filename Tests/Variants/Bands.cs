using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Two rows look at the first keys, the next two at the last: between them lie tiles that no row keeps.</summary>
[Attention(Types = Float32)]
public static partial class Bands
{
    [MaskMod]
    private static bool Keep(in Position at)
    {
        bool isEarly = at.Query / 2 % 2 == 0;
        return at.Key >= (isEarly ? 0 : 70) && at.Key < (isEarly ? 20 : 1000);
    }
}
