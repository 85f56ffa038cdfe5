namespace FlashGen;

/// <summary>Steps between neighbours of a tensor, in elements; the elements of one row are always adjacent.</summary>
/// <param name="Batch">From a batch entry to the next, 0 or more; 0 broadcasts an input.</param>
/// <param name="Head">From a head to the next, 0 or more; 0 broadcasts an input.</param>
/// <param name="Row">From a query row or key to the next, 0 or more; 0 broadcasts an input.</param>
public readonly record struct TensorStrides(long Batch, long Head, long Row)
{
    /// <summary>The strides of a tensor without gaps.</summary>
    /// <param name="layout">The order of its axes.</param>
    /// <param name="heads">Its heads.</param>
    /// <param name="rows">Its query rows or keys.</param>
    /// <param name="dim">The elements of a row.</param>
    public static TensorStrides Contiguous(TensorLayout layout, int heads, int rows, int dim) =>
        layout == TensorLayout.BatchHeadSequence
            ? new((long)heads * rows * dim, (long)rows * dim, dim)
            : new((long)rows * heads * dim, dim, (long)heads * dim);
}
