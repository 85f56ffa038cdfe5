using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Parameters and a method that C#'s keywords are named after, and names that a kernel uses itself.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class KeywordNames
{
    [MaskMod]
    private static bool @if(in Position at, Table<int> @params, int @class) =>
        @params[at.Key] != @class || at.Key == at.Query;

    [ScoreMod]
    private static float @checked(float @in, in Position at, float scores, Table<float> row, int j)
    {
        float lanes = @in * scores;
        float panel = row[at.Key];
        return lanes + panel * j;
    }
}
