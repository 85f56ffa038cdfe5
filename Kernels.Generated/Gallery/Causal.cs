namespace FlashGen.Kernels;

/// <summary>
/// Every token sees itself and those before it: GPT-2, Llama, Qwen and most language models. With fewer queries than keys the
/// last query stands at the last key, as FlashAttention has it.
/// </summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal]
public static partial class Causal;
