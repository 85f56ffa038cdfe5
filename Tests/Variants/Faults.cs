using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Variants whose tables and divisors the tests choose wrongly on purpose.</summary>
public static partial class Faults
{
    /// <summary>A mask that reads by key.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    public static partial class MaskByKey
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<int> marks) => marks[at.Key] > 0;
    }

    /// <summary>A mask that reads by key up to a bound: what stands in the table's place beyond its end must not make a tile whole or empty.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    public static partial class GuardedByBound
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<int> marks, int end) => at.Key < end && marks[at.Key] > 0;
    }

    /// <summary>A mask that reads by query, for some pairs.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    public static partial class GuardedByKey
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<int> marks, int from) =>
            at.Key % 64 < from || marks[at.Query] > 0;
    }

    /// <summary>A mask that is a bound of a row's keys, which reads by query.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    public static partial class BoundByQuery
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<int> ends) => at.Key < ends[at.Query];
    }

    /// <summary>A causal mask that reads by position: rows before the first key read nothing.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    [Causal]
    public static partial class MaskByPosition
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<byte> marks) => marks[at.QueryPosition] != 9;
    }

    /// <summary>A score change that reads by pair, at a long index, of kept pairs only.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    [SlidingWindow(3, 3)]
    public static partial class ScoreByPair
    {
        [ScoreMod]
        private static float Change(float score, in Position at, Table<float> pairs) =>
            score + pairs[(long)at.Query * at.KeyLength + at.Key];
    }

    /// <summary>A score change that reads by the score itself.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    public static partial class ScoreByScore
    {
        [ScoreMod]
        private static float Change(float score, Table<float> steps) => score + steps[(int)MathF.Abs(score)];
    }

    /// <summary>A mask that divides by what a table and a scalar say.</summary>
    [Attention(8, Types = Float16 | Float32 | Float64)]
    public static partial class Divided
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<int> divisors, int guard) =>
            at.Key == guard || at.Query / divisors[at.Key] <= 100;
    }
}
