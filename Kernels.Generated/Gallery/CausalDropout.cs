namespace FlashGen.Kernels;

/// <summary>Causal with dropout of the softmax weights: GPT-2 in training (<c>attn_pdrop</c> 0.1).</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, Dropout]
public static partial class CausalDropout;
