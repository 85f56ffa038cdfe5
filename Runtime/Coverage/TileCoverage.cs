namespace FlashGen;

/// <summary>How much of a tile of scores the mask keeps.</summary>
public enum TileCoverage
{
    /// <summary>No pair: kernels never load such a tile.</summary>
    Empty,

    /// <summary>Some pairs: kernels test each.</summary>
    Partial,

    /// <summary>Every pair that exists: kernels do not look at the mask.</summary>
    Full,
}
