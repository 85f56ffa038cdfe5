using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>A checked call on a device, in the form that generated kernels read.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableCall
{
    /// <summary>Strides in elements.</summary>
    public TensorStrides QueryStrides,
        KeyStrides,
        ValueStrides,
        OutputStrides;

    /// <summary>Sizes as in <see cref="AttentionShape"/>; KeyExtent is the key tensor's length.</summary>
    public int QueryHeads,
        GroupSize,
        QueryLength,
        KeyExtent,
        HeadDim,
        ValueDim;

    /// <summary>Every batch entry's key length and query offset, where <see cref="PortableTensors{TStored, TReal}.Lengths"/> is empty.</summary>
    public int KeyLength,
        Offset;

    /// <summary>Query tiles of a head, and parts that its value columns are computed in.</summary>
    public int QueryTiles,
        ValueParts;

    /// <summary>The first item of this launch.</summary>
    public long FirstItem;

    /// <summary>Dropout's threshold in steps of 1/65536; 0 keeps everything.</summary>
    public uint DropoutThreshold;

    /// <summary>Dropout's seed and offset.</summary>
    public ulong DropoutSeed;

    /// <inheritdoc cref="DropoutSeed"/>
    public uint DropoutOffset;

    /// <summary>Always 0, which a device's compiler cannot know: what goes through it is not merged with its neighbours.</summary>
    public int Zero;
}

/// <summary>The memory of a call on a device, and its scale.</summary>
/// <typeparam name="TStored">What the tensors' elements are stored as.</typeparam>
/// <typeparam name="TReal">float or double.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableTensors<TStored, TReal>
    where TStored : unmanaged
    where TReal : unmanaged
{
    /// <summary>The tensors.</summary>
    public ArrayView<TStored> Query,
        Key,
        Value,
        Output;

    /// <summary>Log-sum-exp, contiguous (batch, queryHeads, queryLength), or empty.</summary>
    public ArrayView<TReal> LogSumExp;

    /// <summary>The key lengths of all batch entries, then their offsets; empty when all are the same.</summary>
    public ArrayView<int> Lengths;

    /// <summary>One word, set when a reached table read or division has no answer; or empty.</summary>
    public ArrayView<int> Fault;

    /// <summary>The factor on query times key.</summary>
    public TReal Scale;

    /// <summary>Counts of full, partial and empty tiles, to be added to; or empty.</summary>
    public ArrayView<long> TileCounts;
}

/// <summary>The work of one thread group: some query rows of one head, and some columns of its values.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableItem
{
    /// <summary>Where the rows are.</summary>
    public int Batch,
        Head,
        KeyHead,
        FirstRow,
        Rows,
        FirstColumn;

    /// <summary>Where tensor cores split keys, the part of them and the place of its results among all parts'; -1 for all keys.</summary>
    public int Part,
        Slot;

    /// <summary>The batch entry's key length and query offset.</summary>
    public int KeyLength,
        Offset;

    /// <summary>The item of a group. The last rows of a head come first: under a causal mask they are the longest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PortableItem Of(in PortableCall call, ArrayView<int> lengths, int tileRows, int partColumns)
    {
        long index = call.FirstItem + Grid.IdxX;
        long part = index / call.QueryTiles;
        long head = part / call.ValueParts;
        PortableItem item = default;
        item.FirstRow = (call.QueryTiles - 1 - (int)(index % call.QueryTiles)) * tileRows;
        item.Rows = Math.Min(tileRows, call.QueryLength - item.FirstRow);
        item.FirstColumn = (int)(part % call.ValueParts) * partColumns;
        item.Batch = (int)(head / call.QueryHeads);
        item.Head = (int)(head % call.QueryHeads);
        item.KeyHead = item.Head / call.GroupSize;
        item.KeyLength = call.KeyLength;
        item.Offset = call.Offset;
        if (lengths.Length > 0)
        {
            item.KeyLength = lengths[item.Batch];
            item.Offset = lengths[lengths.Length / 2 + item.Batch];
        }
        return item;
    }
}
