using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>64-bit arithmetic on the way to an index, in masks and scores, and values of 64 bits compared.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class LongIndexes
{
    [MaskMod]
    private static bool Keep(in Position at, Table<long> moments)
    {
        long origin = 9000000000L * (at.Head + 1);
        long index = origin + at.Key - 9000000000L * (at.Head + 1);
        return moments[index] <= 5000000000L + at.QueryPosition * 100000000L;
    }

    [ScoreMod]
    private static float Change(float score, in Position at, Table<float> pairs) =>
        score + pairs[((long)at.Batch * at.QueryLength + at.Query) * 2 + (at.Key & 1)];
}
