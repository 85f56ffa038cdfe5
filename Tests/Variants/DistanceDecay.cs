using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Scores that fade with the distance of query and key: transcendental functions of lanes, and a long change for tensor cores.</summary>
[Attention(Types = Float32 | Float64 | Float16)]
public static partial class DistanceDecay
{
    [ScoreMod]
    private static float Fade(float score, in Position at, float rate)
    {
        float distance = MathF.Abs(at.QueryPosition - at.Key);
        return score * MathF.Exp(-rate * distance)
            - MathF.Log(1f + distance)
            + MathF.Tanh(score) * MathF.Sqrt(distance) * 0.125f;
    }
}
