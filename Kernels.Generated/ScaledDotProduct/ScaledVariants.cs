namespace FlashGen.Kernels;

// What the gallery does not say: a scale given at run time, and dropout. One variant a mask serves both, for a dropout of 0 draws
// nothing. They are for the front door alone, which runs on the CPU.

/// <summary>Every pair.</summary>
[Attention(
    Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64,
    Targets = Targets.Simd
)]
[Scale, Dropout]
internal static partial class ScaledFull;

/// <summary>torch's <c>is_causal</c>: the first query stands at the first key.</summary>
[Attention(
    Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64,
    Targets = Targets.Simd,
    Align = Alignment.TopLeft
)]
[Causal, Scale, Dropout]
internal static partial class ScaledCausal;

/// <summary>torch's float <c>attn_mask</c>.</summary>
[Attention(
    Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64,
    Targets = Targets.Simd
)]
[Bias, Scale, Dropout]
internal static partial class ScaledBiased;

/// <summary>torch's bool <c>attn_mask</c>.</summary>
[Attention(
    Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64,
    Targets = Targets.Simd
)]
[Scale, Dropout]
internal static partial class ScaledMasked
{
    [MaskMod]
    static bool Keeps(
        in Position at,
        Table<bool> keep,
        long batchStride,
        long headStride,
        long queryStride,
        long keyStride
    ) => keep[(at.Batch * batchStride) + (at.Head * headStride) + (at.Query * queryStride) + (at.Key * keyStride)];
}
