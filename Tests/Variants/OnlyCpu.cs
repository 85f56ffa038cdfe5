using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>A variant for the CPU alone.</summary>
[Attention(8, Types = Float32, Targets = Targets.Simd)]
public static partial class OnlyCpu;
