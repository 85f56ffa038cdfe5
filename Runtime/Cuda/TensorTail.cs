namespace FlashGen.Support;

/// <summary>
/// What the last rounds of units do: as many units as there are groups run at a time, and a last round that is nearly empty takes as long
/// as a full one. Its units' keys are split then, so that all groups have something of it (as Stream-K does for matrix products, where
/// parts are not equal: Osama et al., arXiv 2301.03598). Times are estimates, in tiles of keys, as measured on an H200.
/// </summary>
internal static class TensorTail
{
    // Tiles that a group could compute while it begins a tile of rows and ends it, and while it stores a part's float32 instead.
    private const double Begin = 2.4,
        Store = 2;

    // What a multiprocessor does in a microsecond: operations of products, and scores of a softmax, whichever takes longer.
    private const double Operations = 6.3e6,
        Scores = 17.8e3;

    // Microseconds of a merge: from the last part to its start and its end, for a row, and for a part.
    private const double Merge = 5,
        MergeRow = 0.6e-3,
        MergePart = 0.5;

    // Parts of a unit, and tiles of keys of a part.
    private const int MostParts = 16,
        LeastTiles = 2;

    // Less is not worth the memory.
    private const double LeastGain = 1.03;

    /// <summary>The units that are not split, and the parts of the others: 1 where none are.</summary>
    /// <param name="shape">The call's shape.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="work">Tiles of a unit and rows of a tile.</param>
    /// <param name="units">The units, if none are split.</param>
    /// <param name="groups">The groups that the device runs at a time.</param>
    /// <param name="mostRows">The most rows of parts' results that there is memory for.</param>
    public static (int Whole, int Parts) Split(
        in AttentionShape shape,
        TensorKernel kernel,
        in TensorWork work,
        int units,
        int groups,
        long mostRows
    )
    {
        int rowsOfUnit = work.TilesOfUnit * work.Rows;
        // A pair's tiles have half of the keys each, as a causal mask leaves them.
        int tiles = TensorDistribution.Ceiling(shape.KeyLength, kernel.BlockN);
        double begin = Begin * work.TilesOfUnit,
            // Groups of a multiprocessor share what it does.
            scores = (double)kernel.Groups * kernel.BlockM * kernel.BlockN,
            tile = Math.Max(2 * scores * (shape.HeadDim + shape.ValueDim) / Operations, scores / Scores);
        int full = units / groups;
        double least = TensorDistribution.Ceiling(units, groups) * (tiles + begin) / LeastGain;
        (int Whole, int Parts) best = (units, 1);
        for (int rounds = full; rounds >= Math.Max(0, full - 1); rounds--)
        {
            int whole = rounds * groups,
                split = units - whole;
            long rows = (long)split * rowsOfUnit;
            for (int parts = 2; parts <= Math.Min(MostParts, tiles / LeastTiles) && rows * parts <= mostRows; parts++)
            {
                int roundsOfParts = TensorDistribution.Ceiling(split * parts, groups);
                double merge = Merge + MergeRow * rows + MergePart * parts,
                    ofPart = TensorDistribution.Ceiling(tiles, parts) + begin + Store * work.TilesOfUnit,
                    time = rounds * (tiles + begin) + roundsOfParts * ofPart + merge / tile;
                if (split > 0 && time < least)
                    (best, least) = ((whole, parts), time);
            }
        }
        return best;
    }
}
