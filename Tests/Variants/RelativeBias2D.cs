using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A bias by the distance in rows and one by that in columns: two tables at once.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class RelativeBias2D
{
    [ScoreMod]
    private static float Bias(float score, in Position at, Table<float> byRow, Table<float> byColumn, int side) =>
        score
        + byRow[at.Query / side - at.Key / side + byRow.Length / 2]
        + byColumn[at.Query % side - at.Key % side + side - 1];
}
