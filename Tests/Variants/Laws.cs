using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Plain variants that the laws of attention are tested on.</summary>
public static partial class Laws
{
    /// <summary>No mask.</summary>
    [Attention(Types = Float16 | Float32 | Float64)]
    public static partial class Plain;

    /// <summary>Causal.</summary>
    [Attention(Types = Float32)]
    [Causal]
    public static partial class Causal;

    /// <summary>Causal, said as a window.</summary>
    [Attention(Types = Float32)]
    [SlidingWindow(-1, 0)]
    public static partial class WindowToZero;

    /// <summary>Causal, said in C#.</summary>
    [Attention(Types = Float32)]
    public static partial class CausalMod
    {
        [MaskMod]
        private static bool Keep(in Position at) => !(at.Key > at.QueryPosition);
    }

    /// <summary>Dropout alone, at three tile sizes.</summary>
    [Attention(Types = Float32 | Float64)]
    [Dropout]
    public static partial class Dropped;

    /// <inheritdoc cref="Dropped"/>
    [Attention(Types = Float32 | Float64)]
    [Dropout, BlockSize(16, 16)]
    public static partial class Dropped16;

    /// <inheritdoc cref="Dropped"/>
    [Attention(Types = Float32 | Float64)]
    [Dropout, BlockSize(32, 37)]
    public static partial class Dropped37;

    /// <summary>The tanh of scores: with one key it is the log-sum-exp.</summary>
    [Attention(1, Types = Float32)]
    public static partial class Squashed
    {
        [ScoreMod]
        private static float Squash(float score) => MathF.Tanh(score);
    }

    /// <summary>The exponential of scores.</summary>
    [Attention(1, Types = Float32)]
    public static partial class Grown
    {
        [ScoreMod]
        private static float Grow(float score) => MathF.Exp(score);
    }

    /// <summary>The logarithm of scores.</summary>
    [Attention(1, Types = Float32)]
    public static partial class Measured
    {
        [ScoreMod]
        private static float Measure(float score) => MathF.Log(score);
    }

    /// <summary>What each head keeps is told by a table of keys: heads that share keys differ.</summary>
    [Attention(Types = Float32 | Float16)]
    public static partial class KeysOfHeads
    {
        [MaskMod]
        private static bool Keep(in Position at, Table<int> groups) => groups[at.Key] > at.Head % 3;
    }

    /// <summary>Scores to a power.</summary>
    [Attention(1, Types = Float32)]
    public static partial class Raised
    {
        [ScoreMod]
        private static float Raise(float score, float exponent) => MathF.Pow(score, exponent);
    }

    /// <summary>Two to the power of scores.</summary>
    [Attention(1, Types = Float32)]
    public static partial class Doubled
    {
        [ScoreMod]
        private static float Double(float score) => float.Exp2(score);
    }

    /// <summary>The binary logarithm of scores.</summary>
    [Attention(1, Types = Float32)]
    public static partial class Halved
    {
        [ScoreMod]
        private static float Halve(float score) => MathF.Log2(score);
    }
}
