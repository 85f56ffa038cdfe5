using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Values narrower and wider than keys (DeepSeek's latent attention), for two pairs of dimensions, with a sink.</summary>
[Attention(96, ValueDim = 64, Types = Float16 | ElementTypes.BFloat16 | Float32 | Float64)]
[Attention(40, ValueDim = 111, Types = Float16 | ElementTypes.BFloat16 | Float32 | Float64)]
[Causal, Sink]
public static partial class NarrowValues;
