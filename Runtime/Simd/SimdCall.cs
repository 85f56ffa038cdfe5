using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>A checked call on the CPU, in the form that the generated kernels read: pointers, strides in elements, lengths.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct SimdCall
{
    private const int ShortKeys = 1024;

    /// <summary>First elements of the tensors; they stay where they are during the call.</summary>
    public void* Query,
        Key,
        Value,
        Output;

    /// <summary>First log-sum-exp, contiguous (batch, queryHeads, queryLength), or null when it is not wanted.</summary>
    public void* LogSumExp;

    /// <summary>Strides in elements.</summary>
    public TensorStrides QueryStrides,
        KeyStrides,
        ValueStrides,
        OutputStrides;

    /// <summary>Sizes as in <see cref="AttentionShape"/>.</summary>
    public int Batch,
        QueryHeads,
        KeyHeads,
        GroupSize,
        QueryLength,
        KeyLength,
        HeadDim,
        ValueDim;

    /// <summary>Actual key lengths and query offsets of the batch entries.</summary>
    public int* KeyLengths,
        Offsets;

    /// <summary>The factor on query times key.</summary>
    public double Scale;

    /// <summary>Logits of the sink, one for each query head, or null.</summary>
    public float* Sink;

    /// <summary>Dropout's threshold in steps of 1/65536; 0 keeps everything.</summary>
    public uint DropoutThreshold;

    /// <summary>The factor on kept entries.</summary>
    public double DropoutScale;

    /// <summary>Dropout's seed and offset.</summary>
    public ulong DropoutSeed;

    /// <inheritdoc cref="DropoutSeed"/>
    public uint DropoutOffset;

    /// <summary>A few queries: a class of shapes that may have a plan of its own.</summary>
    public readonly bool IsDecode => QueryLength <= SimdRows.MostQueries;

    /// <summary>More queries, and few keys: likewise.</summary>
    public readonly bool IsShort => !IsDecode && KeyLength <= ShortKeys;

    /// <summary>The first row of a head of the query tensor.</summary>
    public readonly T* QueryRow<T>(in SimdItem item)
        where T : unmanaged =>
        (T*)Query + item.Batch * QueryStrides.Batch + item.Head * QueryStrides.Head + item.FirstRow * QueryStrides.Row;

    /// <summary>The first row of a head of the key tensor.</summary>
    public readonly T* KeyRow<T>(in SimdItem item)
        where T : unmanaged => (T*)Key + item.Batch * KeyStrides.Batch + item.KeyHead * KeyStrides.Head;

    /// <summary>The first row of a head of the value tensor.</summary>
    public readonly T* ValueRow<T>(in SimdItem item)
        where T : unmanaged => (T*)Value + item.Batch * ValueStrides.Batch + item.KeyHead * ValueStrides.Head;

    /// <summary>The item's first row of the output tensor.</summary>
    public readonly T* OutputRow<T>(in SimdItem item)
        where T : unmanaged =>
        (T*)Output
        + item.Batch * OutputStrides.Batch
        + item.Head * OutputStrides.Head
        + item.FirstRow * OutputStrides.Row;

    /// <summary>The item's first log-sum-exp, or null.</summary>
    public readonly T* LogSumExpRow<T>(in SimdItem item)
        where T : unmanaged =>
        LogSumExp == null
            ? null
            : (T*)LogSumExp + ((long)item.Batch * QueryHeads + item.Head) * QueryLength + item.FirstRow;
}

/// <summary>One piece of work: some query rows of one head.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct SimdItem
{
    /// <summary>Where the rows are.</summary>
    public int Batch,
        Head,
        KeyHead,
        FirstRow,
        Rows;

    /// <summary>The batch entry's key length and query offset.</summary>
    public int KeyLength,
        Offset;

    /// <summary>Where the query rows begin that the thread takes next, as far as can be told: in elements from the tensor's first.</summary>
    public long NextQueries;
}

/// <summary>What a kernel did: tiles by kind, and the first tile in which a reached table read had no answer.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct SimdOutcome
{
    /// <summary>Tiles computed without a mask, with one, and passed over.</summary>
    public long Full,
        Partial,
        Empty;

    /// <summary>Whether a reached read fell outside its table, or a reached integer division was by zero.</summary>
    public bool Faulted;

    /// <summary>The tile of the fault.</summary>
    public SimdItem FaultItem;

    /// <inheritdoc cref="FaultItem"/>
    public int FaultFirstRow,
        FaultRows,
        FaultFirstKey,
        FaultKeys;

    /// <summary>Keeps the first fault.</summary>
    public void Fault(in SimdItem item, int firstRow, int rows, int firstKey, int keys)
    {
        if (Faulted)
            return;
        (Faulted, FaultItem) = (true, item);
        (FaultFirstRow, FaultRows, FaultFirstKey, FaultKeys) = (firstRow, rows, firstKey, keys);
    }
}

/// <summary>A generated kernel for one vector width.</summary>
/// <typeparam name="TArguments">The run-time arguments of the variant's mods.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe interface ISimdKernel<TArguments>
    where TArguments : unmanaged
{
    /// <summary>Query rows of a panel.</summary>
    static abstract int PanelRows { get; }

    /// <summary>Panels of a call's largest item.</summary>
    static abstract int Panels(in SimdCall call);

    /// <summary>Bytes of scratch that an item of so many panels needs.</summary>
    static abstract nint ScratchBytes(in SimdCall call, int panels);

    /// <summary>Computes the item's rows of the output.</summary>
    static abstract void Run(
        in SimdCall call,
        in TArguments arguments,
        in SimdItem item,
        byte* scratch,
        ref SimdOutcome outcome
    );

    /// <summary>Whether there is a kernel for a few rows at a time.</summary>
    static abstract bool HasRows { get; }

    /// <summary>Bytes of scratch that <see cref="RunRows"/> needs.</summary>
    static abstract nint RowScratchBytes(in SimdCall call);

    /// <summary>Computes all rows of a key head against some of its keys, as partial results.</summary>
    static abstract void RunRows(
        in SimdCall call,
        in TArguments arguments,
        in SimdSplit split,
        byte* scratch,
        SimdPartial* partials,
        ref SimdOutcome outcome
    );
}

/// <summary>What some rows keep of a tile.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public enum SimdTileKind
{
    /// <summary>No key.</summary>
    Empty,

    /// <summary>Perhaps some keys.</summary>
    Partial,

    /// <summary>Every key.</summary>
    Full,
}

/// <summary>A generated kernel that also computes a few rows at a time; <see cref="SimdRowLoop"/> is the loop around it.</summary>
/// <typeparam name="TArguments">The run-time arguments of the variant's mods.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe interface ISimdRowKernel<TArguments> : ISimdKernel<TArguments>
    where TArguments : unmanaged
{
    /// <summary>Keys of a tile.</summary>
    static abstract int TileKeys(in SimdCall call);

    /// <summary>Bytes of what <see cref="Leaves"/> writes.</summary>
    static abstract int LeavesBytes { get; }

    /// <summary>Whether what is known of a tile's keys differs from head to head.</summary>
    static abstract bool HasHeadLeaves { get; }

    /// <summary>The factor on queries.</summary>
    static abstract float Factor(in SimdCall call);

    /// <summary>Finds the keys that a row may keep.</summary>
    static abstract void OpenRow(
        in SimdCall call,
        in TArguments arguments,
        in SimdItem item,
        SimdPartial* row,
        ref SimdOutcome outcome
    );

    /// <summary>Least and greatest values, over a tile's keys, of what the mask compares.</summary>
    static abstract void Leaves(
        in SimdCall call,
        in TArguments arguments,
        in SimdItem item,
        int firstKey,
        int keys,
        byte* leaves
    );

    /// <summary>What a row keeps of a tile, between its bounds.</summary>
    static abstract SimdTileKind Kind(in SimdCall call, in TArguments arguments, in SimdItem item, byte* leaves);

    /// <summary>Changes and masks a row's scores; false where a mod was at fault.</summary>
    static abstract bool Change(
        in SimdCall call,
        in TArguments arguments,
        in SimdItem item,
        SimdTileKind kind,
        int firstKey,
        int keys,
        float* scores
    );

    /// <summary>Scores of some rows against some keys.</summary>
    static abstract void Scores(
        float* keys,
        nint stride,
        int count,
        float* queries,
        int headDim,
        int rows,
        float* scores,
        nint scoreStride
    );

    /// <summary>Turns a row's scores into probabilities; returns by what its outputs shrink.</summary>
    static abstract float Softmax(float* scores, int count, SimdPartial* row);

    /// <summary>Adds the weighted values of some rows to their outputs, which lie one behind the other.</summary>
    static abstract void Values(
        float* values,
        nint stride,
        int count,
        float* probabilities,
        nint scoreStride,
        float* fades,
        int rows,
        float* outputs,
        int valueDim
    );
}
