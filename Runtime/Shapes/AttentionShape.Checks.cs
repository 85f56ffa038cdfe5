using System.Globalization;

namespace FlashGen;

// What a shape may be. Every message names the argument, what it was and what is allowed.
public readonly partial struct AttentionShape
{
    /// <summary>
    /// Checks everything again, the entries of <see cref="KeyLengths"/> and <see cref="Offsets"/> included: their memory may have
    /// changed since the shape was made.
    /// </summary>
    /// <param name="layout">The layout whose default strides hold where none are given.</param>
    /// <exception cref="ArgumentException">Something is outside its range.</exception>
    public void Check(TensorLayout layout = TensorLayout.BatchHeadSequence)
    {
        CheckSizes(Batch, QueryHeads, KeyHeads, QueryLength, KeyLength, HeadDim, ValueDim);
        CheckStrides(layout);
        CheckOutputOverlap(outputStrides);
        CheckEntries(nameof(KeyLengths), keyLengths.Span, 0, KeyLength);
        CheckEntries(nameof(Offsets), offsets.Span, -LengthLimit, LengthLimit);
    }

    private static void CheckSizes(
        int batch,
        int queryHeads,
        int keyHeads,
        int queryLength,
        int keyLength,
        int headDim,
        int valueDim
    )
    {
        CheckRange(nameof(batch), batch, 0, int.MaxValue);
        CheckRange(nameof(queryHeads), queryHeads, 0, int.MaxValue);
        CheckRange(nameof(keyHeads), keyHeads, 0, int.MaxValue);
        CheckRange(nameof(queryLength), queryLength, 0, LengthLimit - 1);
        CheckRange(nameof(keyLength), keyLength, 0, LengthLimit - 1);
        CheckRange(nameof(headDim), headDim, 1, int.MaxValue);
        CheckRange(nameof(valueDim), valueDim, 0, int.MaxValue);
        if (queryHeads != 0 && (keyHeads == 0 || queryHeads % keyHeads != 0))
            throw new ArgumentException(
                Text($"queryHeads is {queryHeads} and keyHeads {keyHeads}; queryHeads must be a multiple of keyHeads."),
                nameof(queryHeads)
            );
        if ((long)batch * queryHeads > int.MaxValue)
            throw new ArgumentException(
                Text($"batch is {batch} and queryHeads {queryHeads}; their product must be below 2^31."),
                nameof(batch)
            );
        CheckElements("query or output", batch, queryHeads, queryLength, Math.Max(headDim, valueDim));
        CheckElements("key or value", batch, keyHeads, keyLength, Math.Max(headDim, valueDim));
    }

    // Empty axes count as 1, so that the strides of a tensor without gaps are right even where nothing will use them.
    private static void CheckElements(string tensor, int batch, int heads, int rows, int dim)
    {
        Int128 elements = (Int128)Math.Max(batch, 1) * Math.Max(heads, 1) * Math.Max(rows, 1) * dim;
        if (elements > long.MaxValue)
            throw new ArgumentException(
                Text(
                    $"{tensor} of batch {batch}, {heads} heads, {rows} rows and dimension {dim} is {elements} elements; allowed are up to 2^63 - 1."
                ),
                nameof(batch)
            );
    }

    private static void CheckRange(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(
                name,
                value,
                Text($"{name} is {value}; allowed are {least} to {most}.")
            );
    }

    private void CheckStrides(TensorLayout layout)
    {
        CheckedExtent(nameof(QueryStrides), QueryStridesIn(layout), QueryHeads, QueryLength, HeadDim);
        CheckedExtent(nameof(KeyStrides), KeyStridesIn(layout), KeyHeads, KeyLength, HeadDim);
        CheckedExtent(nameof(ValueStrides), ValueStridesIn(layout), KeyHeads, KeyLength, ValueDim);
        CheckedExtent(nameof(OutputStrides), OutputStridesIn(layout), QueryHeads, QueryLength, ValueDim);
    }

    private TensorStrides? CheckedExtent(string name, TensorStrides? strides, int heads, int rows, int dim)
    {
        if (strides is not { } s)
            return null;
        if (s.Batch < 0 || s.Head < 0 || s.Row < 0)
            throw new ArgumentOutOfRangeException(
                name,
                s,
                Text($"{name} is (batch {s.Batch}, head {s.Head}, row {s.Row}); each must be 0 or more.")
            );
        Int128 extent = Extent(s, heads, rows, dim);
        if (extent > long.MaxValue)
            throw new ArgumentOutOfRangeException(
                name,
                s,
                Text(
                    $"{name} is (batch {s.Batch}, head {s.Head}, row {s.Row}), so the tensor of {this} spans {extent} elements; allowed are up to 2^63 - 1."
                )
            );
        return strides;
    }

    // One past the last element. No product can leave 128 bits: sizes have 31 bits, strides 63.
    private Int128 Extent(TensorStrides strides, int heads, int rows, int dim) =>
        Batch == 0 || heads == 0 || rows == 0
            ? 0
            : ((Int128)(Batch - 1) * strides.Batch)
                + ((Int128)(heads - 1) * strides.Head)
                + ((Int128)(rows - 1) * strides.Row)
                + dim;

    // Two outputs at one address would make the result depend on the order of threads. Strides that nest are free of that; the few
    // that are free of it without nesting are refused too, for no layout in use has them.
    private void CheckOutputOverlap(TensorStrides? strides)
    {
        if (strides is not { } s || Batch == 0 || QueryHeads == 0 || QueryLength == 0)
            return;
        Span<(long Stride, int Size)> axes = [(s.Batch, Batch), (s.Head, QueryHeads), (s.Row, QueryLength)];
        axes.Sort((a, b) => a.Stride.CompareTo(b.Stride));
        Int128 covered = ValueDim;
        foreach ((long stride, int size) in axes)
        {
            if (size == 1)
                continue;
            if (stride < covered)
                throw new ArgumentException(
                    Text(
                        $"{nameof(OutputStrides)} is (batch {s.Batch}, head {s.Head}, row {s.Row}), so rows of the output of {this} overlap; a stride of {stride} must be at least {covered} here."
                    ),
                    nameof(OutputStrides)
                );
            covered += (Int128)stride * (size - 1);
        }
    }

    private void CheckEntries(string name, ReadOnlySpan<int> entries, int least, int most)
    {
        if (entries.Length != 0 && entries.Length != Batch)
            throw new ArgumentException(
                Text(
                    $"{name} has {entries.Length} entries; it must have one for each of {Batch} batch entries, or none at all."
                ),
                name
            );
        for (int batch = 0; batch < entries.Length; batch++)
            if (entries[batch] < least || entries[batch] > most)
                throw new ArgumentOutOfRangeException(
                    name,
                    entries[batch],
                    Text($"{name}[{batch}] is {entries[batch]}; allowed are {least} to {most}.")
                );
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
