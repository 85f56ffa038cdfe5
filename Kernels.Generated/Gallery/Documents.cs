namespace FlashGen.Kernels;

/// <summary>Every token sees its own document of a packed sequence: NaViT and Qwen2-VL's image encoder, where a document is an image.</summary>
[Attention(Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
[Document]
public static partial class Documents;
