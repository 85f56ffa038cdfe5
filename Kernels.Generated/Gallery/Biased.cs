namespace FlashGen.Kernels;

/// <summary>
/// A bias added to every score, broadcast by its strides: Swin's relative positions, AlphaFold's pair bias, torch's float
/// <c>attn_mask</c>.
/// </summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Bias]
public static partial class Biased;
