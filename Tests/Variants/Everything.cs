using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>All ready-made attributes that go together, and two mods on top.</summary>
[Attention(Types = Float16 | ElementTypes.BFloat16 | Float32 | Float64)]
[Causal, SlidingWindow(70), Document, Chunked(48), Scale, SoftCap(15f), Alibi, Bias, Sink, Dropout]
public static partial class Everything
{
    [MaskMod]
    private static bool Keep(in Position at, Table<byte> holes) => holes[at.Key] < 220;

    [ScoreMod]
    private static float Change(float score, in Position at, Table<float> gains) => score * gains[at.Head] + 0.25f;
}
