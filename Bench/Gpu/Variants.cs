namespace FlashGen.Bench.Gpu;

/// <summary>Each query sees its own and the 1023 keys before.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal, SlidingWindow(1023)]
public static partial class Window1024;

/// <summary>A user's own score change: scores fade with the distance.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal]
public static partial class DistanceFade
{
    [ScoreMod]
    private static float Fade(float score, in Position at) =>
        score * (1 - 0.001f * MathF.Abs(at.QueryPosition - at.Key));
}

/// <summary>Documents, causal inside each.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal, Document]
public static partial class CausalDocuments;

/// <summary>Gemma 2's soft cap in a window of 1024.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal, SlidingWindow(1023), SoftCap(50)]
public static partial class SoftCapWindow;

/// <summary>A soft cap by the device's approximate tanh.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal, SoftCap(50, Approximate = true)]
public static partial class RoughSoftCap;

/// <summary>The same in a window of 1024.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal, SlidingWindow(1023), SoftCap(50, Approximate = true)]
public static partial class RoughSoftCapWindow;

/// <summary>No mask, on Ampere's kernels whatever the device.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16, Targets = Targets.Portable | Targets.Sm80)]
public static partial class AmpereFull;

/// <summary>Causal, on Ampere's kernels.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16, Targets = Targets.Portable | Targets.Sm80)]
[Causal]
public static partial class AmpereCausal;

/// <summary>A mask that needs a look at every tile, on Ampere's kernels.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16, Targets = Targets.Portable | Targets.Sm80)]
[Causal, Document]
public static partial class AmpereDocuments;

/// <summary>Score changes, a sink and dropout, on Ampere's kernels.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16, Targets = Targets.Portable | Targets.Sm80)]
[Causal, Alibi, Sink, Dropout]
public static partial class AmpereDropout;
