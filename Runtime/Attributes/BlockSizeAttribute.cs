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

    /// <summary>Warps of a thread group; 0 leaves it to the planner. GPU targets only.</summary>
    public int Warps { get; set; }

    /// <summary>Key and value tiles in flight; 0 leaves it to the planner. GPU targets only.</summary>
    public int Stages { get; set; }
}
