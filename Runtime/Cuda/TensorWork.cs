using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>
/// How the work of a tensor-core call is shared out. A unit is the work of a group at a time: tiles of query rows against the keys of a
/// key head, or a part of those.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorWork
{
    /// <summary>The units of all groups together.</summary>
    public int Units;

    /// <summary>The first units, which have all keys of their rows; those behind them have a part each.</summary>
    public int Whole;

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

    /// <summary>Parts that a split unit's keys make, whose results <see cref="TensorLastPart"/> or <see cref="TensorMerge"/> puts together; 1 where none is split.</summary>
    public int Parts;

    /// <summary>The most rows that a tile of the call has: so many each slot has room for.</summary>
    public int Rows;

    /// <summary>What kernels divide by: <see cref="Parts"/>, <see cref="Run"/>, <see cref="SetsOfBatch"/>, <see cref="SetsOfKeyHead"/>, and the call's groups.</summary>
    public TensorDivisor ByParts,
        ByRun,
        BySetsOfBatch,
        BySetsOfKeyHead,
        ByGroups;

    /// <summary>
    /// 1 where units go down the tiles of all sets, those with the most keys first, and groups turn round from round to round, so that those with
    /// more have less the next time; 0 where a set's units follow one another.
    /// </summary>
    public int Descends;

    /// <summary>Units that follow one another: of a set if none is split, or, where they descend, of one tile of each set.</summary>
    public int Run;

    /// <summary>Slots for results of parts: one for each tile of rows and part.</summary>
    public readonly int Slots => (Units - Whole) * TilesOfUnit;

    /// <summary>The work, with what kernels divide by.</summary>
    /// <param name="sets">Its sets of heads.</param>
    /// <param name="groups">The groups that it is launched with.</param>
    internal readonly TensorWork For(int sets, int groups)
    {
        // An empty call divides nothing.
        static TensorDivisor By(int number) => TensorDivisor.Of(Math.Max(1, number));
        TensorWork work = this;
        work.ByParts = By(Parts);
        work.Run = Descends != 0 ? sets : TensorDistribution.Ceiling(QueryTiles, TilesOfUnit);
        work.ByRun = By(work.Run);
        work.BySetsOfBatch = By(SetsOfBatch);
        work.BySetsOfKeyHead = By(SetsOfKeyHead);
        work.ByGroups = By(groups);
        return work;
    }
}
