namespace FlashGen.Kernels;

/// <summary>Every token sees every token: BERT, ViT, Whisper's encoder, and the image models.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
public static partial class Full;
