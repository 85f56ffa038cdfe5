using System.ComponentModel;
using ILGPU;

namespace FlashGen.Support;

/// <summary>The memory and the factors of a call, inside a tensor-core kernel.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorMemory
{
    /// <summary>Addresses of the tensors' first elements, of 16 bits each.</summary>
    public long Query,
        Key,
        Value,
        Output;

    /// <summary>How the call's work is shared out.</summary>
    public TensorWork Work;

    /// <summary>
    /// The address of the parts' results, float32: (slot, row of the tile), as many columns as the kernel has, then the row's log-sum-exp
    /// (<see cref="TensorMerge.RowFloats"/>). 0 where keys are not split.
    /// </summary>
    public long Parts;

    /// <summary>
    /// The address of the counters by which groups know that a tile's parts are all there (<see cref="TensorLastPart"/>), an int a tile, 0
    /// before the kernel and behind it. 0 where another kernel puts them together.
    /// </summary>
    public long Arrivals;

    /// <summary>The address of log-sum-exp, contiguous (batch, queryHeads, queryLength), or 0.</summary>
    public long LogSumExp;

    /// <inheritdoc cref="PortableTensors{TStored, TReal}.Lengths"/>
    public ArrayView<int> Lengths;

    /// <inheritdoc cref="PortableTensors{TStored, TReal}.Fault"/>
    public ArrayView<int> Fault;

    /// <inheritdoc cref="PortableTensors{TStored, TReal}.TileCounts"/>
    public ArrayView<long> TileCounts;

    /// <summary>The factor on query times key.</summary>
    public float Scale;

    /// <summary>
    /// The factor from scores to exponents of 2 in the softmax: Scale * log2(e), or log2(e) where scores are multiplied by Scale first.
    /// </summary>
    public float ExponentScale;

    /// <summary>The factor on outputs: that of dropout on what it keeps, else 1.</summary>
    public float OutputScale;

    /// <summary>Whether outputs' rows are whole sixteens of columns that start at multiples of eight bytes: not 0 where they are.</summary>
    public int IsWide;

    /// <summary>Whether scores are multiplied by Scale before the softmax: 0 where the softmax does it.</summary>
    public int IsScaledFirst;
}
