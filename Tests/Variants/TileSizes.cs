using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>One declaration at several tile sizes: the answer must not depend on them.</summary>
public static partial class TileSizes
{
    /// <summary>The planner's own tile.</summary>
    [Attention(Types = Float32 | Float64)]
    [SlidingWindow(33, 20), Alibi, Dropout]
    public static partial class Planned;

    /// <summary>Short tiles.</summary>
    [Attention(Types = Float32 | Float64)]
    [SlidingWindow(33, 20), Alibi, Dropout]
    [BlockSize(16, 8)]
    public static partial class Short;

    /// <summary>A size that no vector width divides.</summary>
    [Attention(Types = Float32 | Float64)]
    [SlidingWindow(33, 20), Alibi, Dropout]
    [BlockSize(48, 27)]
    public static partial class Odd;

    /// <summary>One key at a time.</summary>
    [Attention(Types = Float32 | Float64)]
    [SlidingWindow(33, 20), Alibi, Dropout]
    [BlockSize(1, 1)]
    public static partial class Single;

    /// <summary>Few keys a tile on tensor cores, and the most of them on their way.</summary>
    [Attention(64, 96, Types = Float16 | Float32)]
    [SlidingWindow(33, 20), Alibi, Dropout]
    [BlockSize(128, 32, Target = Targets.Sm90, Stages = 4), BlockSize(128, 32, Target = Targets.Sm80, Warps = 8)]
    public static partial class Deep;

    /// <summary>The fewest rows on tensor cores, one tile of keys after the other, queries in registers where they may be.</summary>
    [Attention(64, 96, Types = Float16 | Float32)]
    [SlidingWindow(33, 20)]
    [BlockSize(64, 48, Target = Targets.Sm90, Stages = 1), BlockSize(64, 48, Target = Targets.Sm80, Warps = 2)]
    public static partial class Shallow;
}
