using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>
/// A tensor map (PTX ISA 5.5.8, "Tensor-map") as a kernel's parameter: 128 bytes that the copy engine reads. It goes by value, so
/// that a call needs no upload; a kernel takes its address and never its words.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorMap
{
    /// <summary>The words, as the driver encodes them.</summary>
    public ulong W0,
        W1,
        W2,
        W3,
        W4,
        W5,
        W6,
        W7,
        W8,
        W9,
        W10,
        W11,
        W12,
        W13,
        W14,
        W15;
}
