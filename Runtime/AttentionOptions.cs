namespace FlashGen;

/// <summary>How a call on the CPU runs; never what it computes.</summary>
public sealed class AttentionOptions
{
    private readonly int threads;

    /// <summary>All cores, no cancellation, no progress.</summary>
    public static AttentionOptions Default { get; } = new();

    /// <summary>Threads to use; 0 means as many as there are cores. The result does not depend on it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int Threads
    {
        get => threads;
        init =>
            threads =
                value >= 0
                    ? value
                    : throw new ArgumentOutOfRangeException(
                        nameof(Threads),
                        value,
                        $"Threads is {value}; allowed are 0 (all cores) and more."
                    );
    }

    /// <summary>
    /// The widest vectors to use, in bits: kernels are generated for 512, 256 and 128, and the widest runs that the machine has and this
    /// allows. Results differ between widths in their rounding.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is none of the three.</exception>
    public int MaxVectorBits
    {
        get;
        init =>
            field = value is 128 or 256 or 512
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(MaxVectorBits),
                    value,
                    $"MaxVectorBits is {value}; allowed are 512, 256 and 128."
                );
    } = 512;

    /// <summary>Stops the call between tiles of work; output and log-sum-exp are then undefined.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Told the share of work done, rising from above 0 to 1.</summary>
    public IProgress<double>? Progress { get; init; }

    /// <summary>Counts the tiles computed, where it is wanted.</summary>
    public TileCounter? Tiles { get; init; }
}
