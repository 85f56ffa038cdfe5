namespace FlashGen.Kernels;

/// <summary>Causal with a penalty linear in the distance, a slope for each head: BLOOM and MPT.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, Alibi]
public static partial class Alibi;
