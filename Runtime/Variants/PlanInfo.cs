namespace FlashGen;

/// <summary>A tile plan as data: what one kernel of a variant was generated for.</summary>
/// <param name="Target">The target.</param>
/// <param name="ElementType">The element type.</param>
/// <param name="HeadDim">The head dimension, or the bucket that holds it; 0 for any.</param>
/// <param name="ValueDim">The value dimension, or the bucket that holds it; 0 for any.</param>
/// <param name="ShapeClass">Which lengths it is for: short, long or decode.</param>
/// <param name="Canonical">The plan in its canonical text, as a tuning file writes it.</param>
/// <param name="RegistersPerThread">Registers of one thread, as the plan's budget has it.</param>
/// <param name="SharedBytes">Shared memory of one thread group in bytes; 0 on the CPU.</param>
public sealed record PlanInfo(
    Target Target,
    ElementType ElementType,
    int HeadDim,
    int ValueDim,
    string ShapeClass,
    string Canonical,
    int RegistersPerThread,
    int SharedBytes
)
{
    /// <summary>The keys up to which calls take the plan, where it is not for all lengths.</summary>
    public int MaxKeys { get; init; } = int.MaxValue;

    /// <summary>
    /// The rows up to which calls of more keys take it, too: queries times the heads that share their keys, of which eight share a tile; 0 where
    /// keys alone decide. Without a mask, calls beyond both take such a plan where it is estimated to be the faster one.
    /// </summary>
    public int MaxRows { get; init; }

    /// <summary>What chose the plan.</summary>
    public PlanSource Source { get; init; }

    /// <summary>Why this plan and not another, in words; empty where only the planner had one.</summary>
    public string Reason { get; init; } = "";
}

/// <summary>What chose a plan; each beats those before it.</summary>
public enum PlanSource
{
    /// <summary>The planner's model.</summary>
    Planner,

    /// <summary>A measurement, recorded in <c>flashgen.plans</c>.</summary>
    Tuned,

    /// <summary>The declaration's own <see cref="BlockSizeAttribute"/>.</summary>
    BlockSize,
}

/// <summary>Why a variant has no kernel for a target.</summary>
/// <param name="Target">The target.</param>
/// <param name="Reason">The reason, with its numbers.</param>
public sealed record TargetRefusal(Target Target, string Reason);
