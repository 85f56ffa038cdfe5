namespace FlashGen;

/// <summary>Steps between neighbours of a bias, in elements; 0 broadcasts an axis.</summary>
/// <param name="Batch">From a batch entry to the next, 0 or more.</param>
/// <param name="Head">From a query head to the next, 0 or more.</param>
/// <param name="Query">From a query row to the next, 0 or more.</param>
/// <param name="Key">From a key to the next, 0 or more.</param>
public readonly record struct BiasStrides(long Batch, long Head, long Query, long Key)
{
    /// <summary>The strides of a whole bias without gaps: (batch, queryHeads, queryLength, keyLength).</summary>
    /// <exception cref="ArgumentException">One head's bias times the heads is more than 2^63 - 1 elements.</exception>
    public static BiasStrides Contiguous(in AttentionShape shape)
    {
        long head = (long)shape.QueryLength * shape.KeyLength;
        Int128 batch = (Int128)head * shape.QueryHeads;
        return batch <= long.MaxValue
            ? new((long)batch, head, shape.KeyLength, 1)
            : throw new ArgumentException(
                $"A whole bias of the shape {shape} has {batch} elements in one batch entry; allowed are up to 2^63 - 1.",
                nameof(shape)
            );
    }
}
