using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Causal from the top left, heads after the sequence, in an internal class with a scale of its own.</summary>
[Attention(Types = Float16 | Float32 | Float64, Align = Alignment.TopLeft, Layout = TensorLayout.BatchSequenceHead)]
[Causal, Scale(-0.125f)]
internal static partial class SequenceFirst;
