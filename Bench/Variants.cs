namespace FlashGen.Bench;

/// Causal, and each token sees itself and the 511 before it.
[Attention(Types = ElementTypes.Float32)]
[Causal, SlidingWindow(511)]
static partial class Window512;

/// A cheap score change of a user's own, over the causal mask: far keys count less.
[Attention(Types = ElementTypes.Float32)]
[Causal]
static partial class Fading
{
    [ScoreMod]
    static float Fade(float score, in Position at, float rate) => score - rate * (at.QueryPosition - at.Key);
}
