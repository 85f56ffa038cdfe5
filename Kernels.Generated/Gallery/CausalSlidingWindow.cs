namespace FlashGen.Kernels;

/// <summary>Every token sees itself and the 4095 before it: Mistral 7B v0.1 (sliding window 4096, its own key counted).</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, SlidingWindow(4095)]
public static partial class CausalSlidingWindow;
