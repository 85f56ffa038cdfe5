namespace FlashGen.Kernels;

/// <summary>Causal over a window of 128 keys, its own counted, with a learned sink for each head: the local layers of gpt-oss.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Causal, SlidingWindow(127), Sink]
public static partial class Sink;
