using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Two masks and two score changes over the same table and scalar, in source order: they do not commute.</summary>
[Attention(Types = Float32)]
public static partial class SharedArguments
{
    [ScoreMod]
    private static float First(float score, in Position at, Table<int> groups, float factor) =>
        groups[at.Key] == 1 ? score * factor : score;

    [MaskMod]
    private static bool NotThree(in Position at, Table<int> groups) => groups[at.Key] != 3;

    [ScoreMod]
    private static float Second(float score, Table<int> groups, float factor, in Position at) =>
        score + factor * groups[at.Key];

    [MaskMod]
    private static bool NotFar(in Position at, Table<int> groups) => at.Key - at.QueryPosition < 30 * groups[at.Key];
}
