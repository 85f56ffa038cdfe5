namespace FlashGen;

/// <summary>The type of one element of query, key, value and output.</summary>
public enum ElementType
{
    /// <summary>IEEE 754 binary16, <see cref="System.Half"/>; products and softmax are computed in float32.</summary>
    Float16,

    /// <summary>The upper half of a float32, <see cref="FlashGen.BFloat16"/>; products and softmax are computed in float32.</summary>
    BFloat16,

    /// <summary>IEEE 754 binary32, <see cref="float"/>.</summary>
    Float32,

    /// <summary>IEEE 754 binary64, <see cref="double"/>; everything but the C# of a mod is computed in float64.</summary>
    Float64,
}

/// <summary>A set of element types, as <see cref="AttentionAttribute.Types"/> declares it.</summary>
[Flags]
public enum ElementTypes
{
    /// <summary>No element type.</summary>
    None = 0,

    /// <summary><see cref="ElementType.Float16"/>.</summary>
    Float16 = 1,

    /// <summary><see cref="ElementType.BFloat16"/>.</summary>
    BFloat16 = 2,

    /// <summary><see cref="ElementType.Float32"/>.</summary>
    Float32 = 4,

    /// <summary><see cref="ElementType.Float64"/>.</summary>
    Float64 = 8,
}

/// <summary>What a kernel is generated for.</summary>
public enum Target
{
    /// <summary>C# with vectors of 512, 256 or 128 bits, on any CPU.</summary>
    Simd,

    /// <summary>Plain ILGPU C#, on any ILGPU accelerator.</summary>
    Portable,

    /// <summary>NVIDIA Ampere and later, tensor cores by <c>mma.sync</c>.</summary>
    Sm80,

    /// <summary>NVIDIA Hopper, tensor cores by <c>wgmma</c>.</summary>
    Sm90,
}

/// <summary>A set of targets.</summary>
[Flags]
public enum Targets
{
    /// <summary>No target.</summary>
    None = 0,

    /// <summary><see cref="Target.Simd"/>.</summary>
    Simd = 1,

    /// <summary><see cref="Target.Portable"/>.</summary>
    Portable = 2,

    /// <summary><see cref="Target.Sm80"/>.</summary>
    Sm80 = 4,

    /// <summary><see cref="Target.Sm90"/>.</summary>
    Sm90 = 8,

    /// <summary>Every target that the element types allow.</summary>
    All = 15,
}

/// <summary>Where the query rows stand among the keys: the default of the offset in position = row + offset.</summary>
public enum Alignment
{
    /// <summary>
    /// The last query row stands at the last key: offset = key length - query length. FlashAttention and FlashInfer do this.
    /// </summary>
    BottomRight,

    /// <summary>
    /// The first query row stands at the first key: offset = 0. torch's <c>is_causal</c> and ONNX without a cache do this.
    /// </summary>
    TopLeft,
}

/// <summary>The order of a tensor's axes in memory, outermost first; it sets default strides only.</summary>
public enum TensorLayout
{
    /// <summary>(batch, head, row, dim): torch's <c>scaled_dot_product_attention</c>.</summary>
    BatchHeadSequence,

    /// <summary>(batch, row, head, dim): FlashAttention's layout.</summary>
    BatchSequenceHead,
}
