using FlashGen;

namespace Quickstart;

/// A ready-made mask: causal, and each token sees itself and the 1023 before it.
[Attention(64, Types = ElementTypes.Float32)]
[Causal, SlidingWindow(1023)]
public static partial class LocalAttention;

/// Anything else is C#: the generator reads these methods and writes them into the kernels as vector code.
[Attention(64, Types = ElementTypes.Float32)]
public static partial class LocalAndGlobal
{
    /// Causal: the last 512 keys, and the first ones, which everybody sees.
    [MaskMod]
    static bool Sees(in Position at, int globals) =>
        at.Key <= at.QueryPosition && (at.Key < globals || at.QueryPosition - at.Key < 512);

    /// Distant keys count less, by a slope for each head.
    [ScoreMod]
    static float Fade(float score, in Position at, Table<float> slope) =>
        score - slope[at.Head] * MathF.Log(1f + MathF.Abs(at.QueryPosition - at.Key));
}

/// The tutorials' example: four tokens of four numbers, here two keys at a time.
[Attention(4, Types = ElementTypes.Float64)]
[BlockSize(4, 2)]
public static partial class Tutorial;
