using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Division, remainder and shifts of negative numbers: C# truncates, and keeps the sign in a shift.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class NegativeDivision
{
    [MaskMod]
    private static bool Keep(in Position at, int divisor)
    {
        int distance = at.Key - at.QueryPosition;
        return distance / 7 >= -6 && distance % 5 != -2 && distance / divisor != 3 && (distance >> 3) % 4 != -1;
    }

    [ScoreMod]
    private static float Change(float score, in Position at, int divisor) =>
        score + (at.Key - at.QueryPosition) % divisor * 0.03125f;
}
