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
    /// <param name="mayDescend">A constant: whether units may descend at all; those that are split never do.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TensorPlace Of(
        in TensorWork work,
        int unit,
        bool isSecond,
        int tileRows,
        int queryLength,
        bool mayDescend
    )
    {
        // Behind the whole units each is a part of the keys, those of the same rows one after another.
        bool isPart = unit >= work.Whole;
        int split = unit - work.Whole,
            ofParts = work.ByParts.Into(split),
            tile = isPart ? work.Whole + ofParts : unit,
            run = work.ByRun.Into(tile),
            ofRun = tile - run * work.Run,
            set = mayDescend & work.Descends != 0 ? ofRun : run,
            place = mayDescend & work.Descends != 0 ? run : ofRun,
            mirrored = work.QueryTiles - 1 - place,
            queries = tileRows >> work.HeadBits,
            batch = work.BySetsOfBatch.Into(set),
            setOfBatch = set - batch * work.SetsOfBatch,
            keyHead = work.BySetsOfKeyHead.Into(setOfBatch);
        TensorPlace result = default;
        result.Batch = batch;
        result.KeyHead = keyHead;
        result.FirstHead = (setOfBatch - keyHead * work.SetsOfKeyHead) << work.HeadBits;
        result.FirstRow = (isSecond ? place : mirrored) * queries;
        result.Rows = isSecond & place >= mirrored ? 0 : Math.Min(queries, queryLength - result.FirstRow);
        result.Part = isPart ? split - ofParts * work.Parts : -1;
        result.Slot = isPart ? split * work.TilesOfUnit + (isSecond ? 1 : 0) : -1;
        return result;
    }
}
