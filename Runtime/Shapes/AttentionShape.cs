namespace FlashGen;

/// <summary>
/// The sizes of one attention call. Query is (batch, queryHeads, queryLength, headDim), key (batch, keyHeads, keyLength, headDim),
/// value (batch, keyHeads, keyLength, valueDim), output (batch, queryHeads, queryLength, valueDim) and log-sum-exp
/// (batch, queryHeads, queryLength). Any size but a dimension may be 0; the result is then empty, or zero where there are no keys.
/// </summary>
public readonly partial struct AttentionShape
{
    /// <summary>Lengths lie below this and offsets between minus this and this, so that positions fit an int: 2^30.</summary>
    public const int LengthLimit = 1 << 30;

    private readonly TensorStrides? queryStrides;
    private readonly TensorStrides? keyStrides;
    private readonly TensorStrides? valueStrides;
    private readonly TensorStrides? outputStrides;
    private readonly ReadOnlyMemory<int> keyLengths;
    private readonly ReadOnlyMemory<int> offsets;

    /// <summary>A shape with default strides, every key there, and offsets by the variant's alignment.</summary>
    /// <param name="batch">Batch entries, 0 or more; batch * queryHeads below 2^31.</param>
    /// <param name="queryHeads">Query heads, 0 or more, a multiple of <paramref name="keyHeads"/>.</param>
    /// <param name="keyHeads">Key and value heads, 0 or more; query head h uses key head h / (queryHeads / keyHeads).</param>
    /// <param name="queryLength">Query rows, 0 to 2^30 - 1.</param>
    /// <param name="keyLength">Keys, 0 to 2^30 - 1.</param>
    /// <param name="headDim">Elements of a query or key, 1 or more.</param>
    /// <param name="valueDim">Elements of a value or output; 0 means <paramref name="headDim"/>.</param>
    /// <exception cref="ArgumentException">A size is outside its range, or a tensor would pass 2^63 - 1 elements.</exception>
    public AttentionShape(
        int batch,
        int queryHeads,
        int keyHeads,
        int queryLength,
        int keyLength,
        int headDim,
        int valueDim = 0
    )
    {
        CheckSizes(batch, queryHeads, keyHeads, queryLength, keyLength, headDim, valueDim);
        (Batch, QueryHeads, KeyHeads) = (batch, queryHeads, keyHeads);
        (QueryLength, KeyLength) = (queryLength, keyLength);
        (HeadDim, ValueDim) = (headDim, valueDim == 0 ? headDim : valueDim);
        CheckStrides(TensorLayout.BatchHeadSequence);
    }

    /// <summary>Batch entries.</summary>
    public int Batch { get; }

    /// <summary>Query heads.</summary>
    public int QueryHeads { get; }

    /// <summary>Key and value heads.</summary>
    public int KeyHeads { get; }

    /// <summary>Query heads that share one key head; 1 where there are no heads.</summary>
    public int GroupSize => QueryHeads == 0 ? 1 : QueryHeads / KeyHeads;

    /// <summary>Query rows.</summary>
    public int QueryLength { get; }

    /// <summary>Keys of the tensor; <see cref="KeyLengthAt"/> says how many exist in a batch entry.</summary>
    public int KeyLength { get; }

    /// <summary>Elements of a query or key.</summary>
    public int HeadDim { get; }

    /// <summary>Elements of a value or output.</summary>
    public int ValueDim { get; }

    /// <summary>Strides of query in elements; null means no gaps, in the variant's layout.</summary>
    /// <exception cref="ArgumentException">One is negative, or the tensor passes 2^63 - 1 elements.</exception>
    public TensorStrides? QueryStrides
    {
        get => queryStrides;
        init => queryStrides = CheckedExtent(nameof(QueryStrides), value, QueryHeads, QueryLength, HeadDim);
    }

    /// <summary>Strides of key in elements; null means no gaps, in the variant's layout.</summary>
    /// <exception cref="ArgumentException">One is negative, or the tensor passes 2^63 - 1 elements.</exception>
    public TensorStrides? KeyStrides
    {
        get => keyStrides;
        init => keyStrides = CheckedExtent(nameof(KeyStrides), value, KeyHeads, KeyLength, HeadDim);
    }

    /// <summary>Strides of value in elements; null means no gaps, in the variant's layout.</summary>
    /// <exception cref="ArgumentException">One is negative, or the tensor passes 2^63 - 1 elements.</exception>
    public TensorStrides? ValueStrides
    {
        get => valueStrides;
        init => valueStrides = CheckedExtent(nameof(ValueStrides), value, KeyHeads, KeyLength, ValueDim);
    }

    /// <summary>
    /// Strides of output in elements; null means no gaps, in the variant's layout. Rows must not overlap: sorted by stride, each axis
    /// longer than 1 must step over all that the axes below it cover.
    /// </summary>
    /// <exception cref="ArgumentException">One is negative, rows overlap, or the tensor passes 2^63 - 1 elements.</exception>
    public TensorStrides? OutputStrides
    {
        get => outputStrides;
        init
        {
            outputStrides = CheckedExtent(nameof(OutputStrides), value, QueryHeads, QueryLength, ValueDim);
            CheckOutputOverlap(value);
        }
    }

    /// <summary>
    /// Keys that exist in each batch entry, (batch), each 0 to <see cref="KeyLength"/>; empty means all. Keys beyond are never read.
    /// </summary>
    /// <exception cref="ArgumentException">The length is neither 0 nor batch, or an entry is outside its range.</exception>
    public ReadOnlyMemory<int> KeyLengths
    {
        get => keyLengths;
        init
        {
            CheckEntries(nameof(KeyLengths), value.Span, 0, KeyLength);
            keyLengths = value;
        }
    }

    /// <summary>
    /// The offset of each batch entry, (batch), in position = query row + offset, each within +-2^30; empty means by alignment.
    /// </summary>
    /// <exception cref="ArgumentException">The length is neither 0 nor batch, or an entry is outside its range.</exception>
    public ReadOnlyMemory<int> Offsets
    {
        get => offsets;
        init
        {
            CheckEntries(nameof(Offsets), value.Span, -LengthLimit, LengthLimit);
            offsets = value;
        }
    }

    /// <summary>Keys that exist in a batch entry.</summary>
    public int KeyLengthAt(int batch) => keyLengths.IsEmpty ? KeyLength : keyLengths.Span[batch];

    /// <summary>The offset of a batch entry: position = query row + offset.</summary>
    /// <param name="batch">The batch entry.</param>
    /// <param name="align">The variant's alignment, used where the shape gives no offsets.</param>
    public int OffsetAt(int batch, Alignment align) =>
        !offsets.IsEmpty ? offsets.Span[batch]
        : align == Alignment.BottomRight ? KeyLengthAt(batch) - QueryLength
        : 0;

    /// <summary>Strides of query: those given, or those of the layout.</summary>
    public TensorStrides QueryStridesIn(TensorLayout layout) =>
        queryStrides ?? TensorStrides.Contiguous(layout, QueryHeads, QueryLength, HeadDim);

    /// <summary>Strides of key: those given, or those of the layout.</summary>
    public TensorStrides KeyStridesIn(TensorLayout layout) =>
        keyStrides ?? TensorStrides.Contiguous(layout, KeyHeads, KeyLength, HeadDim);

    /// <summary>Strides of value: those given, or those of the layout.</summary>
    public TensorStrides ValueStridesIn(TensorLayout layout) =>
        valueStrides ?? TensorStrides.Contiguous(layout, KeyHeads, KeyLength, ValueDim);

    /// <summary>Strides of output: those given, or those of the layout.</summary>
    public TensorStrides OutputStridesIn(TensorLayout layout) =>
        outputStrides ?? TensorStrides.Contiguous(layout, QueryHeads, QueryLength, ValueDim);

    /// <summary>Elements that query must have: up to its last one; 0 when it is empty.</summary>
    public long QueryElements(TensorLayout layout) =>
        (long)Extent(QueryStridesIn(layout), QueryHeads, QueryLength, HeadDim);

    /// <summary>Elements that key must have: up to its last one; 0 when it is empty.</summary>
    public long KeyElements(TensorLayout layout) => (long)Extent(KeyStridesIn(layout), KeyHeads, KeyLength, HeadDim);

    /// <summary>Elements that value must have: up to its last one; 0 when it is empty.</summary>
    public long ValueElements(TensorLayout layout) =>
        (long)Extent(ValueStridesIn(layout), KeyHeads, KeyLength, ValueDim);

    /// <summary>Elements that output must have: up to its last one; 0 when it is empty.</summary>
    public long OutputElements(TensorLayout layout) =>
        (long)Extent(OutputStridesIn(layout), QueryHeads, QueryLength, ValueDim);

    /// <summary>Elements of log-sum-exp, (batch, queryHeads, queryLength) without gaps.</summary>
    public long LogSumExpElements => (long)Batch * QueryHeads * QueryLength;

    /// <summary>The sizes, as in "batch 2, heads 8 over 2, queries 128, keys 256, head dimension 64".</summary>
    public override string ToString() =>
        $"batch {Batch}, heads {QueryHeads} over {KeyHeads}, queries {QueryLength}, keys {KeyLength}, head dimension {HeadDim}"
        + (ValueDim == HeadDim ? "" : $", value dimension {ValueDim}");
}
