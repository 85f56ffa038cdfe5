namespace FlashGen.Kernels;

/// <summary>Every token sees 64 neighbours on each side and itself: the local layers of ModernBERT (local attention 128).</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[SlidingWindow(64, 64)]
public static partial class SlidingWindow;
