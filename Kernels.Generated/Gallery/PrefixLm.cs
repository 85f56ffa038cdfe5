namespace FlashGen.Kernels;

/// <summary>The prefix is seen by all, the rest is causal: PaliGemma, whose image and prompt are the prefix.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[PrefixLm]
public static partial class PrefixLm;
