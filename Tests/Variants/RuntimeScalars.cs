using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>One scalar of each type, in two mods that share two of them.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class RuntimeScalars
{
    [MaskMod]
    private static bool Keep(in Position at, int window, bool causal, long start, uint stride) =>
        (!causal || at.Key <= at.QueryPosition)
        && at.QueryPosition - at.Key <= window
        && at.Key + start >= 3000000000L
        && (uint)at.Key % stride != stride - 1u;

    [ScoreMod]
    private static float Change(float score, in Position at, float slope, bool causal, int window) =>
        causal ? score + slope * (at.Key - at.QueryPosition) : score * slope + window * 0.01f;
}
