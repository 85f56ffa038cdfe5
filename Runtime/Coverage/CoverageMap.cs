namespace FlashGen;

/// <summary>
/// Which tiles of a variant's score matrix its mask keeps, for one batch entry and head. Every pair is asked, by the definitions of
/// <see cref="Reference"/> and the user's own compiled masks; the generator's coverage has no part in it.
/// </summary>
public sealed class CoverageMap
{
    private readonly long[,] kept;

    private CoverageMap(in AttentionShape shape, int blockM, int blockN, int batch, int head)
    {
        (BlockM, BlockN, Batch, Head) = (blockM, blockN, batch, head);
        (QueryLength, KeyLength) = (shape.QueryLength, shape.KeyLengthAt(batch));
        kept = new long[Tiles(QueryLength, blockM), Tiles(KeyLength, blockN)];
    }

    /// <summary>Query rows of a tile.</summary>
    public int BlockM { get; }

    /// <summary>Keys of a tile.</summary>
    public int BlockN { get; }

    /// <summary>The batch entry.</summary>
    public int Batch { get; }

    /// <summary>The query head.</summary>
    public int Head { get; }

    /// <summary>Query rows.</summary>
    public int QueryLength { get; }

    /// <summary>Keys that exist in this batch entry.</summary>
    public int KeyLength { get; }

    /// <summary>Tiles over the query rows; the last one may be cut off.</summary>
    public int QueryTiles => kept.GetLength(0);

    /// <summary>Tiles over the keys; the last one may be cut off.</summary>
    public int KeyTiles => kept.GetLength(1);

    /// <summary>Pairs of query and key that are kept.</summary>
    public long KeptPairs { get; private set; }

    /// <summary>What is kept of a tile.</summary>
    /// <param name="queryTile">Which tile of query rows, from 0.</param>
    /// <param name="keyTile">Which tile of keys, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tile.</exception>
    public TileCoverage this[int queryTile, int keyTile]
    {
        get
        {
            Within(nameof(queryTile), queryTile, 0, QueryTiles - 1);
            Within(nameof(keyTile), keyTile, 0, KeyTiles - 1);
            return Judge(queryTile, queryTile + 1, keyTile, keyTile + 1);
        }
    }

    /// <summary>What is kept of a rectangle of tiles taken as one, for pictures coarser than the tiles.</summary>
    /// <param name="queryTile">The first tile of query rows.</param>
    /// <param name="queryEnd">One past the last.</param>
    /// <param name="keyTile">The first tile of keys.</param>
    /// <param name="keyEnd">One past the last.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no such tiles.</exception>
    public TileCoverage Judge(int queryTile, int queryEnd, int keyTile, int keyEnd)
    {
        Within(nameof(queryTile), queryTile, 0, QueryTiles);
        Within(nameof(queryEnd), queryEnd, queryTile, QueryTiles);
        Within(nameof(keyTile), keyTile, 0, KeyTiles);
        Within(nameof(keyEnd), keyEnd, keyTile, KeyTiles);
        long pairs = Extent(queryTile, queryEnd, BlockM, QueryLength) * Extent(keyTile, keyEnd, BlockN, KeyLength);
        long count = 0;
        for (int m = queryTile; m < queryEnd; m++)
        for (int n = keyTile; n < keyEnd; n++)
            count += kept[m, n];
        return count == 0 ? TileCoverage.Empty
            : count == pairs ? TileCoverage.Full
            : TileCoverage.Partial;
    }

    /// <summary>How many tiles are covered so.</summary>
    public long Count(TileCoverage coverage)
    {
        long count = 0;
        for (int m = 0; m < QueryTiles; m++)
        for (int n = 0; n < KeyTiles; n++)
            count += this[m, n] == coverage ? 1 : 0;
        return count;
    }

    /// <summary>Asks the mask about every pair: queryLength * keyLength calls.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="shape">The sizes; head dimensions and strides do not matter.</param>
    /// <param name="arguments">The run-time arguments, all of them; null when there are none.</param>
    /// <param name="blockM">Query rows of a tile, 1 or more.</param>
    /// <param name="blockN">Keys of a tile, 1 or more.</param>
    /// <param name="batch">The batch entry.</param>
    /// <param name="head">The query head.</param>
    /// <exception cref="ArgumentException">An argument is missing or does not fit, or there is no such batch entry or head.</exception>
    /// <exception cref="TableReadException">A mask read outside a table.</exception>
    public static CoverageMap Of(
        AttentionVariant variant,
        in AttentionShape shape,
        ModArguments? arguments = null,
        int blockM = 64,
        int blockN = 64,
        int batch = 0,
        int head = 0
    )
    {
        ArgumentNullException.ThrowIfNull(variant);
        shape.Check(variant.Layout);
        Within(nameof(blockM), blockM, 1, int.MaxValue);
        Within(nameof(blockN), blockN, 1, int.MaxValue);
        Within(nameof(batch), batch, 0, shape.Batch - 1);
        Within(nameof(head), head, 0, shape.QueryHeads - 1);
        CoverageMap map = new(shape, blockM, blockN, batch, head);
        map.Fill(new Declaration(variant, shape, arguments ?? []), shape);
        return map;
    }

    private void Fill(Declaration declaration, in AttentionShape shape)
    {
        int offset = shape.OffsetAt(Batch, declaration.Align);
        int keyHead = Head / shape.GroupSize;
        for (int query = 0; query < QueryLength; query++)
        for (int key = 0; key < KeyLength; key++)
        {
            Position at = new(Batch, Head, keyHead, query, query + offset, key, QueryLength, KeyLength);
            if (!declaration.Keeps(at))
                continue;
            kept[query / BlockM, key / BlockN]++;
            KeptPairs++;
        }
    }

    private static int Tiles(int length, int block) => (int)(((long)length + block - 1) / block);

    private static long Extent(int tile, int end, int block, int length) =>
        Math.Min((long)end * block, length) - Math.Min((long)tile * block, length);

    private static void Within(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(
                name,
                value,
                FormattableString.Invariant(
                    most < least
                        ? (FormattableString)$"{name} is {value}; the shape has none."
                        : $"{name} is {value}; allowed are {least} to {most}."
                )
            );
    }
}
