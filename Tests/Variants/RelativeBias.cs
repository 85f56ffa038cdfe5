using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A learned bias by distance, for a head, as far as the table goes (T5, Swin): a guarded read.</summary>
[Attention(Types = Float16 | Float32 | Float64)]
public static partial class RelativeBias
{
    [ScoreMod]
    private static float Bias(float score, in Position at, Table<float> distances, int reach)
    {
        int place = at.Key - at.QueryPosition + reach;
        return place >= 0 && place <= 2 * reach ? score + distances[at.Head * (2 * reach + 1) + place] : score;
    }
}
