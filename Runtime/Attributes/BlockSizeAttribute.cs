namespace FlashGen;

/// <summary>Overrides the planner's tile: query rows and keys of one tile. Repeat it for different targets.</summary>
/// <param name="m">Query rows of a tile, 1 or more.</param>
/// <param name="n">Keys of a tile, 1 or more.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class BlockSizeAttribute(int m, int n) : Attribute
{
    /// <summary>Query rows of a tile.</summary>
    public int M { get; } = m;

    /// <summary>Keys of a tile.</summary>
    public int N { get; } = n;

    /// <summary>
    /// The targets that this tile is for; the default is all. A tile for all targets is cut down where a device holds less than the CPU
    /// does; a tile for one target that cannot hold it is refused.
    /// </summary>
    public Targets Target { get; set; } = Targets.All;

    /// <summary>
    /// Warps that share the rows of a tile; 0 leaves it to the planner. A warp has 16 rows on Sm90 and 16 or 32 on Sm80; other numbers are
    /// refused. Portable takes the numbers that its rows a thread, 4 or 8, allow. The CPU has none.
    /// </summary>
    public int Warps { get; set; }

    /// <summary>Key and value tiles in flight; 0 leaves it to the planner. 1, 2 or 4 on Sm90 and 2 on Sm80; other targets have none.</summary>
    public int Stages { get; set; }
}
