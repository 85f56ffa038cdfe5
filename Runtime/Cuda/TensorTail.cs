namespace FlashGen.Support;

/// <summary>
/// What the last rounds of units do: as many units as there are groups run at a time, and a last round that is nearly empty takes as long
/// as a full one. Its units' keys are split then, so that all groups have something of it (as Stream-K does for matrix products, where
/// parts are not equal: Osama et al., arXiv 2301.03598), and smaller tiles may be quicker than larger ones. Times are estimates, as measured on an H200.
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
        Times times = new(shape, kernel, work, groups);
        int full = units / groups;
        double least = times.OfWhole(units) / LeastGain;
        (int Whole, int Parts) best = (units, 1);
        for (int rounds = full; rounds >= Math.Max(0, full - 1); rounds--)
        {
            int whole = rounds * groups,
                split = units - whole;
            long rows = times.RowsOf(split);
            for (
                int parts = 2;
                parts <= Math.Min(MostParts, times.Tiles / LeastTiles) && rows * parts <= mostRows;
                parts++
            )
            {
                double time = times.OfWhole(whole) + times.OfParts(split, parts);
                if (split > 0 && time < least)
                    (best, least) = ((whole, parts), time);
            }
        }
        return best;
    }

    /// <summary>What a call takes, in microseconds from its first tile on.</summary>
    /// <param name="shape">The call's shape.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="work">How its work is shared out.</param>
    /// <param name="groups">The groups that the device runs at a time.</param>
    public static double Microseconds(in AttentionShape shape, TensorKernel kernel, in TensorWork work, int groups)
    {
        Times times = new(shape, kernel, work, groups);
        int split = (work.Units - work.Whole) / work.Parts;
        return (times.OfWhole(work.Whole) + (split == 0 ? 0 : times.OfParts(split, work.Parts))) * times.Tile;
    }

    /// <summary>As <see cref="Microseconds"/>, where each row keeps the keys up to its own: of units that are not split what the group has that has most.</summary>
    /// <param name="shape">The call's shape.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="work">How its work is shared out.</param>
    /// <param name="groups">The groups that the device runs at a time.</param>
    public static double CausalMicroseconds(
        in AttentionShape shape,
        TensorKernel kernel,
        in TensorWork work,
        int groups
    )
    {
        if (work.Whole < work.Units)
            return Microseconds(shape, kernel, work, groups);
        Span<double> ofPlaces = stackalloc double[TensorDistribution.Ceiling(work.QueryTiles, work.TilesOfUnit)],
            ofGroups = stackalloc double[groups];
        for (int place = 0; place < ofPlaces.Length; place++)
        {
            int mirrored = work.QueryTiles - 1 - place;
            ofPlaces[place] = OfTile(shape, kernel, work, mirrored);
            if (work.TilesOfUnit == 2 && place < mirrored)
                ofPlaces[place] += OfTile(shape, kernel, work, place);
        }
        ofGroups.Clear();
        for (int unit = 0, run = 0, ofRun = 0, round = 0, turn = 0; unit < work.Units; unit++)
        {
            // As TensorItem.Unit has it.
            int group =
                work.Descends == 0 ? ((turn - round) % groups + groups) % groups
                : round % 2 == 0 ? turn
                : groups - 1 - turn;
            ofGroups[group] += ofPlaces[work.Descends == 0 ? ofRun : run];
            if (++ofRun == work.Run)
                (run, ofRun) = (run + 1, 0);
            if (++turn == groups)
                (round, turn) = (round + 1, 0);
        }
        double most = 0;
        foreach (double its in ofGroups)
            most = Math.Max(most, its);
        return most * new Times(shape, kernel, work, groups).Tile;
    }

    // A tile of rows, in the time that a group takes for a tile of keys.
    private static double OfTile(in AttentionShape shape, TensorKernel kernel, in TensorWork work, int tile)
    {
        int end = Math.Min(shape.QueryLength, (tile + 1) * (kernel.BlockM >> work.HeadBits)),
            keys = Math.Clamp(end + shape.KeyLength - shape.QueryLength, 0, shape.KeyLength);
        return TensorDistribution.Ceiling(keys, kernel.BlockN) + Begin;
    }

    // All but Tile in the time that a group takes for a tile.
    private readonly struct Times
    {
        private readonly int rowsOfUnit,
            tilesOfUnit,
            groups;
        private readonly double begin;

        public Times(in AttentionShape shape, TensorKernel kernel, in TensorWork work, int groups)
        {
            (rowsOfUnit, tilesOfUnit, this.groups) = (work.TilesOfUnit * work.Rows, work.TilesOfUnit, groups);
            // A pair's tiles have half of the keys each, as a causal mask leaves them.
            Tiles = TensorDistribution.Ceiling(shape.KeyLength, kernel.BlockN);
            begin = Begin * tilesOfUnit;
            // Groups of a multiprocessor share what it does.
            double scores = (double)kernel.Groups * kernel.BlockM * kernel.BlockN;
            Tile = Math.Max(2 * scores * (shape.HeadDim + shape.ValueDim) / Operations, scores / Scores);
        }

        /// <summary>Microseconds of a tile.</summary>
        public double Tile { get; }

        /// <summary>Tiles of keys.</summary>
        public int Tiles { get; }

        public long RowsOf(int units) => (long)units * rowsOfUnit;

        public double OfWhole(int units) => TensorDistribution.Ceiling(units, groups) * (Tiles + begin);

        public double OfParts(int units, int parts)
        {
            double ofPart = TensorDistribution.Ceiling(Tiles, parts) + begin + Store * tilesOfUnit,
                merge = Merge + MergeRow * RowsOf(units) + MergePart * parts;
            return TensorDistribution.Ceiling(units * parts, groups) * ofPart + merge / Tile;
        }
    }
}
