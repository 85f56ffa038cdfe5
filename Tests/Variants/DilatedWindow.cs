using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Every third key of a causal window (LongNet): a remainder, and a local that both conditions read.</summary>
[Attention(Types = Float16 | Float32)]
public static partial class DilatedWindow
{
    [MaskMod]
    private static bool Keep(in Position at)
    {
        int distance = at.QueryPosition - at.Key;
        return distance >= 0 && distance < 96 && distance % 3 == 0;
    }
}
