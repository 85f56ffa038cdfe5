using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Reads that only conditions keep inside their tables, and divisions that they keep from zero.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class GuardedReads
{
    [MaskMod]
    private static bool Keep(in Position at, Table<int> limits)
    {
        int place = at.QueryPosition - 5;
        return place < 0 || place >= limits.Length || (limits[place] != 0 && at.Key % limits[place] < 3);
    }

    [ScoreMod]
    private static float Change(float score, in Position at, Table<int> limits, Table<float> weights) =>
        at.Key < weights.Length && (at.Key >= limits.Length || limits[at.Key] > 0) ? score * weights[at.Key] : score;
}
