using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>The score squared, and the sign kept.</summary>
[Attention(Types = Float16 | ElementTypes.BFloat16 | Float32 | Float64)]
public static partial class SquaredScore
{
    [ScoreMod]
    private static float Squared(float score) => score * MathF.Abs(score);
}
