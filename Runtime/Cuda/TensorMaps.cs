namespace FlashGen.Support;

/// <summary>The tensor maps of a call: what the copy engine wants of query, key and value.</summary>
internal readonly unsafe ref struct TensorMaps
{
    // Bytes that addresses and strides are multiples of (PTX ISA, "Tensor size, dimensions and strides").
    private const int Unit = 16;

    private const long MaxStride = 1L << 40;

    private readonly AttentionShape shape;
    private readonly TensorLayout layout;
    private readonly PortableTensors<ushort, float> tensors;
    private readonly bool isBFloat16;

    public TensorMaps(
        in AttentionShape shape,
        TensorLayout layout,
        in PortableTensors<ushort, float> tensors,
        bool isBFloat16
    ) => (this.shape, this.layout, this.tensors, this.isBFloat16) = (shape, layout, tensors, isBFloat16);

    /// <summary>Whether the copy engine can follow a shape's strides, and pairs of outputs can be stored.</summary>
    public static bool Fit(in AttentionShape shape, TensorLayout layout)
    {
        TensorStrides output = shape.OutputStridesIn(layout);
        return Fits(shape.QueryStridesIn(layout), shape.Batch, shape.QueryHeads, shape.QueryLength)
            && Fits(shape.KeyStridesIn(layout), shape.Batch, shape.KeyHeads, shape.KeyLength)
            && Fits(shape.ValueStridesIn(layout), shape.Batch, shape.KeyHeads, shape.KeyLength)
            && (shape.Batch < 2 || output.Batch % 2 == 0)
            && (shape.QueryHeads < 2 || output.Head % 2 == 0)
            && (shape.QueryLength < 2 || output.Row % 2 == 0);
    }

    /// <summary>Whether a call's tensors start where the copy engine can.</summary>
    public static bool Fit(in PortableTensors<ushort, float> tensors) =>
        TensorEngine.Address(tensors.Query) % Unit == 0
        && TensorEngine.Address(tensors.Key) % Unit == 0
        && TensorEngine.Address(tensors.Value) % Unit == 0
        && TensorEngine.Address(tensors.Output) % sizeof(int) == 0;

    /// <summary>Adds the maps to a kernel's parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="work">How heads share tiles of rows, and how many tiles read the same keys.</param>
    public void Add(TensorParameters parameters, TensorKernel kernel, in TensorWork work)
    {
        // An empty tensor is never read; its map needs some address.
        long query = TensorEngine.Address(tensors.Query);
        long key = tensors.Key.Length == 0 ? query : TensorEngine.Address(tensors.Key);
        long value = tensors.Value.Length == 0 ? query : TensorEngine.Address(tensors.Value);
        TensorStrides strides = shape.QueryStridesIn(layout);
        (int, long) heads = (shape.GroupSize, strides.Head),
            rows = (shape.QueryLength, strides.Row);
        // The copy engine is slow where a tile's second dimension has one entry: heads have that place only where they share the tile.
        bool shares = work.HeadBits > 0;
        Add(
            parameters,
            query,
            shape.HeadDim,
            true,
            shares ? [64, 1 << work.HeadBits, kernel.BlockM >> work.HeadBits, 1, 1] : [64, kernel.BlockM, 1, 1, 1],
            shares ? heads : rows,
            shares ? rows : heads,
            (shape.KeyHeads, shape.GroupSize * strides.Head),
            (shape.Batch, strides.Batch)
        );
        // Where one tile of rows reads a head's keys, and no other finds them in the cache, lines are read as they are asked for: 256 bytes at
        // a time memory gives a tenth less.
        bool areShared = work.QueryTiles * work.SetsOfKeyHead > 1;
        Add(parameters, key, shape.KeyStridesIn(layout), shape.HeadDim, kernel.BlockN, areShared);
        Add(parameters, value, shape.ValueStridesIn(layout), shape.ValueDim, kernel.BlockN, areShared);
    }

    /// <summary>Leaves the maps' places in a kernel's parameters to zeros, for a kernel that uses none.</summary>
    public static void AddNone(TensorParameters parameters)
    {
        for (int i = 0; i < 3; i++)
            new Span<byte>(parameters.Next(128), 128).Clear();
    }

    private static bool Fits(TensorStrides strides, int batch, int heads, int rows) =>
        Fits(strides.Batch, batch) && Fits(strides.Head, heads) && Fits(strides.Row, rows);

    private static bool Fits(long stride, int size) =>
        size < 2 || (stride > 0 && stride * sizeof(ushort) % Unit == 0 && stride * sizeof(ushort) < MaxStride);

    private void Add(
        TensorParameters parameters,
        long address,
        TensorStrides strides,
        int columns,
        int boxRows,
        bool isShared
    ) =>
        Add(
            parameters,
            address,
            columns,
            isShared,
            [64, boxRows, 1, 1],
            (shape.KeyLength, strides.Row),
            (shape.KeyHeads, strides.Head),
            (shape.Batch, strides.Batch)
        );

    private void Add(
        TensorParameters parameters,
        long address,
        int columns,
        bool isShared,
        ReadOnlySpan<int> box,
        params ReadOnlySpan<(int Size, long Stride)> dimensions
    )
    {
        Span<ulong> sizes = stackalloc ulong[dimensions.Length + 1];
        Span<ulong> bytes = stackalloc ulong[dimensions.Length];
        sizes[0] = (ulong)columns;
        for (int i = 0; i < dimensions.Length; i++)
        {
            (int size, long stride) = dimensions[i];
            sizes[i + 1] = (ulong)Math.Max(1, size);
            // The stride of a dimension of one is not used, but must be one that could be.
            bytes[i] = size < 2 ? Unit : (ulong)stride * sizeof(ushort);
        }
        CudaDriver.EncodeMap(parameters.Next(128), isBFloat16, (nint)address, isShared, sizes, bytes, box);
    }
}
