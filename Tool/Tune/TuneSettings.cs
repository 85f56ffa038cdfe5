namespace FlashGen.Tool.Tune;

/// <summary>How a tuning goes about its work.</summary>
internal sealed record TuneSettings
{
    /// <summary>The assembly with the variants.</summary>
    public required string Assembly { get; init; }

    /// <summary>Where to run, as --device has it.</summary>
    public required string Device { get; init; }

    /// <summary>Threads on the CPU; 0 for all.</summary>
    public int Threads { get; init; }

    /// <summary>The widest vectors on the CPU.</summary>
    public required int VectorBits { get; init; }

    /// <summary>Candidates of a kernel and class that are tried, of those that the model likes best.</summary>
    public required int Candidates { get; init; }

    /// <summary>Whether kernels keep the planner's register tiles: no texts beyond those that there are.</summary>
    public bool KeepsTexts { get; init; }

    /// <summary>How long one candidate may take to be built and checked, or to run once.</summary>
    public required TimeSpan Limit { get; init; }

    /// <summary>When no further kernel is begun.</summary>
    public required DateTime Deadline { get; init; }

    /// <summary>The words that a worker is started with.</summary>
    public IEnumerable<string> WorkerArguments =>
        [Assembly, "--device", Device, "--threads", FormattableString.Invariant($"{Threads}")];
}
