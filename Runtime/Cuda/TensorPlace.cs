using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Where a tile of query rows is in a tensor-core call, and which of its keys are meant.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorPlace
{
    /// <summary>The batch entry, the key head, the first of its query heads that share the tile, the first query and how many there are.</summary>
    public int Batch,
        KeyHead,
        FirstHead,
        FirstRow,
        Rows;

    /// <inheritdoc cref="PortableItem.Part"/>
    public int Part,
        Slot;

    /// <summary>The head that a row of the tile is of, counted from its key head's first.</summary>
    /// <param name="work">The call's work.</param>
    /// <param name="row">The row of the tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int HeadOf(in TensorWork work, int row) => FirstHead + (row & ((1 << work.HeadBits) - 1));

    /// <summary>Whether there is such a row: its query may be past the tile's last, or its head past the group's.</summary>
    /// <param name="work">The call's work.</param>
    /// <param name="row">The row of the tile.</param>
    /// <param name="groupSize">Query heads of a key head.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Has(in TensorWork work, int row, int groupSize) =>
        row >> work.HeadBits < Rows & HeadOf(work, row) < groupSize;

    /// <summary>The place of a unit's tile. The last rows of a head come first: under a causal mask they are the longest.</summary>
    /// <param name="work">The call's work.</param>
    /// <param name="unit">The unit.</param>
    /// <param name="isSecond">Whether it is the second of a unit's two tiles, which the middle one of a head does not have.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    /// <param name="queryLength">Queries of a head.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TensorPlace Of(in TensorWork work, uint unit, bool isSecond, int tileRows, int queryLength)
    {
        // Behind the whole units each is a part of the keys, those of the same rows one after another.
        bool isPart = unit >= (uint)work.Whole;
        uint split = unit - (uint)work.Whole,
            ofParts = split / (uint)work.Parts,
            tile = isPart ? (uint)work.Whole + ofParts : unit,
            ofSet = (uint)(work.QueryTiles + work.TilesOfUnit - 1) >> (work.TilesOfUnit - 1),
            set = tile / ofSet;
        int place = (int)(tile - set * ofSet),
            mirrored = work.QueryTiles - 1 - place,
            queries = tileRows >> work.HeadBits;
        uint batch = set / (uint)work.SetsOfBatch,
            setOfBatch = set - batch * (uint)work.SetsOfBatch,
            keyHead = setOfBatch / (uint)work.SetsOfKeyHead;
        TensorPlace result = default;
        result.Batch = (int)batch;
        result.KeyHead = (int)keyHead;
        result.FirstHead = (int)(setOfBatch - keyHead * (uint)work.SetsOfKeyHead) << work.HeadBits;
        result.FirstRow = (isSecond ? place : mirrored) * queries;
        result.Rows = isSecond & place >= mirrored ? 0 : Math.Min(queries, queryLength - result.FirstRow);
        result.Part = isPart ? (int)(split - ofParts * (uint)work.Parts) : -1;
        result.Slot = isPart ? (int)split * work.TilesOfUnit + (isSecond ? 1 : 0) : -1;
        return result;
    }
}
