using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A soft cap whose tanh may be off by 2^-11.</summary>
[Attention(Types = Float16 | ElementTypes.BFloat16 | Float32)]
[Causal, SoftCap(20f, Approximate = true)]
public static partial class RoughCap;
