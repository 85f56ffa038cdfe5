namespace FlashGen.Support;

/// <summary>Shares a call's work out over a device: which rows and keys make a unit, and how many groups there are.</summary>
internal static class TensorDistribution
{
    // Threads four apart in a warp have rows of eight heads at most.
    private const int MostHeadBits = 3;

    // A part of one tile of keys costs more to begin and to merge than it saves.
    private const int LeastTilesOfPart = 2;

    // Of rounds that descend there are few, or pairs are as even. All heads' keys are read at a time, and should stay in the second-level cache.
    private const int MostRounds = 16;
    private const double DescendingLoss = 1.04;
    private const long MostKeyBytes = 32 << 20;

    /// <summary>The work of a call.</summary>
    /// <param name="shape">The call's shape.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="reach">Which keys the variant's rows keep.</param>
    /// <param name="isHopper">Whether groups go on from unit to unit, and the copy engine gathers the rows of several heads.</param>
    /// <param name="processors">The device's multiprocessors.</param>
    /// <param name="mostRows">The most rows of parts' results that there is memory for.</param>
    /// <returns>The work, and the groups to launch.</returns>
    public static (TensorWork Work, int Groups) Of(
        in AttentionShape shape,
        TensorKernel kernel,
        KeyReach reach,
        bool isHopper,
        int processors,
        long mostRows
    )
    {
        TensorWork work = default;
        work.HeadBits = HeadBits(shape, kernel.BlockM, isHopper);
        work.SetsOfKeyHead = Ceiling(shape.GroupSize, 1 << work.HeadBits);
        work.SetsOfBatch = work.SetsOfKeyHead * shape.KeyHeads;
        int queries = kernel.BlockM >> work.HeadBits;
        work.QueryTiles = Ceiling(shape.QueryLength, queries);
        work.Rows = Math.Min(shape.QueryLength, queries) << work.HeadBits;
        int sets = shape.Batch * work.SetsOfBatch,
            tiles = sets * work.QueryTiles,
            pairs = sets * Ceiling(work.QueryTiles, 2),
            // Ampere's kernel has a group for each unit: several of them run on a multiprocessor.
            groups = (isHopper ? kernel.Groups : 2) * processors;
        // Pairs where there is enough for all multiprocessors and tiles differ; a group goes on to its next unit, whose queries and keys
        // come while it ends this one.
        bool isPaired = isHopper && reach != KeyReach.All && pairs >= groups;
        work.TilesOfUnit = isPaired ? 2 : 1;
        int units = isPaired ? pairs : tiles;
        (work.Whole, work.Parts) =
            tiles <= groups / 2 ? (0, Math.Min(groups / Math.Max(1, tiles), MostParts(shape, kernel)))
            : isHopper && reach != KeyReach.Some ? TensorTail.Split(shape, kernel, work, units, groups, mostRows)
            : (units, 1);
        if (work.Whole == 0)
            work.Parts = (int)Math.Min(work.Parts, mostRows / Math.Max(1, (long)units * work.Rows));
        if (work.Parts <= 1)
            (work.Whole, work.Parts) = (units, 1);
        work.Units = work.Whole + (units - work.Whole) * work.Parts;
        if (isHopper && reach == KeyReach.FromFirst && tiles > groups && KeyBytes(shape) <= MostKeyBytes)
            work = Descending(shape, kernel, work.For(sets, groups), sets, groups);
        int launched = isHopper ? Math.Min(work.Units, groups) : work.Units;
        return (work.For(sets, launched), launched);
    }

    // Tiles one by one, those with the most keys first, where that is estimated to be done earlier: a few pairs beyond a round take as long as
    // a round of them.
    private static TensorWork Descending(
        in AttentionShape shape,
        TensorKernel kernel,
        in TensorWork work,
        int sets,
        int groups
    )
    {
        int tiles = sets * work.QueryTiles;
        if (tiles > MostRounds * groups)
            return work;
        TensorWork descending = work;
        (descending.TilesOfUnit, descending.Parts, descending.Descends) = (1, 1, 1);
        descending.Whole = descending.Units = tiles;
        descending = descending.For(sets, groups);
        return
            TensorTail.CausalMicroseconds(shape, kernel, descending, groups) * DescendingLoss
            < TensorTail.CausalMicroseconds(shape, kernel, work, groups)
            ? descending
            : work;
    }

    // Keys and values of all heads together.
    private static long KeyBytes(in AttentionShape shape) =>
        sizeof(ushort) * (long)shape.Batch * shape.KeyHeads * shape.KeyLength * (shape.HeadDim + shape.ValueDim);

    /// <summary>Rows that share keys and may share tiles.</summary>
    public static long SharingRows(in AttentionShape shape) =>
        (long)shape.QueryLength * Math.Min(shape.GroupSize, 1 << MostHeadBits);

    private static int MostParts(in AttentionShape shape, TensorKernel kernel) =>
        Math.Clamp(shape.KeyLength / kernel.BlockN / LeastTilesOfPart, 1, TensorMerge.MostParts);

    // Heads share tiles where that makes fewer of them. Ampere's kernel takes a tile's rows at one stride, so that each head must have one
    // query.
    private static int HeadBits(in AttentionShape shape, int blockM, bool isHopper)
    {
        int best = 0;
        long fewest = long.MaxValue;
        for (int bits = 0; bits <= (isHopper || shape.QueryLength == 1 ? MostHeadBits : 0); bits++)
        {
            long tiles = (long)Ceiling(shape.GroupSize, 1 << bits) * Ceiling(shape.QueryLength, blockM >> bits);
            if (tiles < fewest)
                (best, fewest) = (bits, tiles);
        }
        return best;
    }

    /// <summary>a over b, rounded up.</summary>
    public static int Ceiling(int a, int b) => (a + b - 1) / b;
}
