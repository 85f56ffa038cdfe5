namespace FlashGen.Kernels;

/// <summary>Causal with scores bounded to 50 by tanh: Gemma 2 (<c>attn_logit_softcapping</c>).</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, SoftCap(50)]
public static partial class SoftCap;
