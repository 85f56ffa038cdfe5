using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A mask that compares floats which one fused multiply-add would flip, with square roots, floors and saturating casts.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class ExactFloats
{
    [MaskMod]
    private static bool Keep(in Position at, float third)
    {
        float product = at.Key * third + at.Key * -third;
        float line = at.Key * 0.1f + at.QueryPosition * 0.3f;
        bool isEven = ((int)MathF.Floor(MathF.Sqrt(MathF.Abs(line))) & 1) == 0;
        return product == 0f && (isEven || (int)(line * 1e9f) == int.MaxValue);
    }
}
