namespace FlashGen.Support;

/// <summary>Shares a call's work out over a device: which rows and keys make a unit, and how many groups there are.</summary>
internal static class TensorDistribution
{
    // Threads four apart in a warp have rows of eight heads at most.
    private const int MostHeadBits = 3;

    // A part of fewer tiles of keys costs more to begin and to merge than it saves.
    private const int LeastTilesOfPart = 4;

    /// <summary>The work of a call.</summary>
    /// <param name="shape">The call's shape.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="isHopper">Whether groups go on from unit to unit, and the copy engine gathers the rows of several heads.</param>
    /// <param name="processors">The device's multiprocessors.</param>
    /// <param name="mostParts">The most parts of keys that there is memory for, 1 or more.</param>
    /// <returns>The work, and the groups to launch.</returns>
    public static (TensorWork Work, int Groups) Of(
        in AttentionShape shape,
        TensorKernel kernel,
        bool isHopper,
        int processors,
        int mostParts
    )
    {
        TensorWork work = default;
        work.HeadBits = HeadBits(shape, kernel.BlockM, isHopper);
        work.SetsOfKeyHead = Ceiling(shape.GroupSize, 1 << work.HeadBits);
        work.SetsOfBatch = work.SetsOfKeyHead * shape.KeyHeads;
        work.QueryTiles = Ceiling(shape.QueryLength, kernel.BlockM >> work.HeadBits);
        work.TilesOfUnit = 1;
        work.Rows = shape.Batch * shape.QueryHeads * shape.QueryLength;
        int tiles = shape.Batch * work.SetsOfBatch * work.QueryTiles;
        work.Parts = Math.Min(mostParts, Parts(shape, kernel, isHopper, processors, tiles));
        work.Units = tiles * work.Parts;
        // Ampere's kernel has a group for each tile of rows: several of them run on a multiprocessor.
        if (!isHopper)
            return (work, work.Units);
        // Pairs where there is enough for all multiprocessors; a group goes on to its next unit, whose queries and keys come while it
        // ends this one.
        int pairs = shape.Batch * work.SetsOfBatch * Ceiling(work.QueryTiles, 2);
        if (work.Parts == 1 && pairs >= processors)
            (work.TilesOfUnit, work.Units) = (2, pairs);
        return (work, Math.Min(work.Units, processors));
    }

    /// <summary>The parts that a call's keys want to be split into: where there are fewer tiles of rows than multiprocessors.</summary>
    public static int Parts(in AttentionShape shape, TensorKernel kernel, bool isHopper, int processors)
    {
        int bits = HeadBits(shape, kernel.BlockM, isHopper);
        int sets = Ceiling(shape.GroupSize, 1 << bits) * shape.KeyHeads;
        return Parts(
            shape,
            kernel,
            isHopper,
            processors,
            shape.Batch * sets * Ceiling(shape.QueryLength, kernel.BlockM >> bits)
        );
    }

    private static int Parts(in AttentionShape shape, TensorKernel kernel, bool isHopper, int processors, int tiles)
    {
        int groups = isHopper ? processors : 2 * processors;
        int most = Math.Min(TensorMerge.MostParts, shape.KeyLength / kernel.BlockN / LeastTilesOfPart);
        return tiles == 0 ? 1 : Math.Max(1, Math.Min(groups / tiles, most));
    }

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

    private static int Ceiling(int a, int b) => (a + b - 1) / b;
}
