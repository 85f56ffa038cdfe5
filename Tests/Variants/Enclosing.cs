using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Classes that hold variants, the inner one private to the outer.</summary>
public static partial class Enclosing
{
    /// <summary>A variant two levels deep.</summary>
    internal static partial class Middle
    {
        [Attention(Types = Float32)]
        [SlidingWindow(12, 5)]
        internal static partial class Inner
        {
            [ScoreMod]
            private static float Change(float score, in Position at) => score - Math.Min(at.Key, 9) * 0.0625f;
        }
    }
}
