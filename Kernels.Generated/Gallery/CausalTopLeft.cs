namespace FlashGen.Kernels;

/// <summary>
/// Causal with the first query at the first key: torch's <c>is_causal</c>, and ONNX's Attention without a cache. It differs from
/// <see cref="Causal"/> only where query and key lengths differ.
/// </summary>
[Attention(
    Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64,
    Align = Alignment.TopLeft
)]
[Causal]
public static partial class CausalTopLeft;
