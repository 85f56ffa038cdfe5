namespace FlashGen.Kernels;

/// <summary>Causal inside chunks of 8192 tokens: the local layers of Llama 4.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, Chunked(8192)]
public static partial class Chunked;
