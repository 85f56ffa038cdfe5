namespace FlashGen;

/// <summary>
/// Declares an attention variant: the generator adds <c>Variant</c>, <c>Forward</c> and <c>Load</c> to the static partial class
/// that carries it. Repeat it where head and value dimensions differ pairwise; one without a number means every head dimension up to 256.
/// </summary>
/// <param name="headDims">The head dimensions of query and key, each 1 to 1024; none means any up to 256.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class AttentionAttribute(params int[] headDims) : Attribute
{
    /// <summary>The head dimensions declared; empty means any up to 256.</summary>
    public int[] HeadDims { get; } = headDims;

    /// <summary>The dimension of value and output, for every head dimension of this attribute; 0 means the same as the head dimension.</summary>
    public int ValueDim { get; set; }

    /// <summary>The element types to generate; the default is float32 and float16.</summary>
    public ElementTypes Types { get; set; } = ElementTypes.Float32 | ElementTypes.Float16;

    /// <summary>Where query rows stand among the keys when the shape gives no offsets.</summary>
    public Alignment Align { get; set; }

    /// <summary>The axis order behind the default strides.</summary>
    public TensorLayout Layout { get; set; }

    /// <summary>The targets to generate; the default is every one that the types allow.</summary>
    public Targets Targets { get; set; } = Targets.All;
}
