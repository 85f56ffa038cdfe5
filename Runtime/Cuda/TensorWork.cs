using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>
/// How the work of a tensor-core call is shared out. A unit is the work of a group at a time: tiles of query rows against the keys of a
/// key head, or a part of those.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorWork
{
    /// <summary>The units of all groups together: first those that have all keys of their rows, then those that have a part of them.</summary>
    public int Units,
        Whole;

    /// <summary>
    /// Tiles of rows of a unit: 1, or 2, one from each end, which together have as many keys under a causal mask as every other pair.
    /// </summary>
    public int TilesOfUnit;

    /// <summary>Tiles of query rows of a head.</summary>
    public int QueryTiles;

    /// <summary>
    /// The logarithm of the query heads that share a tile, 0 to 3: they have one key head, whose keys are then read once for all. Row r of
    /// a tile is query r &gt;&gt; HeadBits of the head whose number ends in r's last HeadBits bits.
    /// </summary>
    public int HeadBits;

    /// <summary>Sets of heads that share tiles, of one key head and of a batch entry.</summary>
    public int SetsOfKeyHead,
        SetsOfBatch;

    /// <summary>Parts that keys are split into, each a unit after the whole ones, which leaves its results for <see cref="TensorMerge"/>.</summary>
    public int Parts;

    /// <summary>Rows that a tile has at most: from one tile's results of a part to the next one's.</summary>
    public int Rows;

    /// <summary>Tiles of rows whose results are parts', each of its own.</summary>
    public readonly int Slots => (Units - Whole) * TilesOfUnit;
}
