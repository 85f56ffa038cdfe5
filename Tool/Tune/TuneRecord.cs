using FlashGen.Tool.Tune.Report;

namespace FlashGen.Tool.Tune;

/// <summary>What came of a candidate.</summary>
internal enum TuneOutcome
{
    /// <summary>It agrees with the reference and was timed.</summary>
    Ok,

    /// <summary>Its plan does not fit the target, or no kernel can be written for it.</summary>
    Refused,

    /// <summary>Its result is not the reference's.</summary>
    Wrong,

    /// <summary>It did not compile or load, or threw.</summary>
    Failed,

    /// <summary>It did not come to an end in time.</summary>
    TimedOut,

    /// <summary>It ran out of memory.</summary>
    OutOfMemory,
}

/// <summary>One candidate for one kernel and class of shapes, as it was measured: a line of the journal, a point of the report.</summary>
internal sealed record TuneRecord
{
    /// <summary>The variant's full name.</summary>
    public required string Variant { get; init; }

    /// <summary>The hash of its spec.</summary>
    public required string SpecHash { get; init; }

    /// <summary>The FlashGen that measured.</summary>
    public required string Version { get; init; }

    /// <summary>The device, in words.</summary>
    public required string Device { get; init; }

    /// <summary>The class of the device, as the plans file has it: avx512, sm_90.</summary>
    public required string DeviceClass { get; init; }

    /// <summary>The target of the kernel.</summary>
    public required Target Target { get; init; }

    /// <summary>The element type.</summary>
    public required ElementType Type { get; init; }

    /// <summary>The head dimension of the plan, which a variant for any dimension has too.</summary>
    public required int HeadDim { get; init; }

    /// <summary>The value dimension of the plan.</summary>
    public required int ValueDim { get; init; }

    /// <summary>The class of shapes: short, long or decode.</summary>
    public required string ShapeClass { get; init; }

    /// <summary>The shape that was timed, in words.</summary>
    public string Shape { get; init; } = "";

    /// <summary>The plan in canonical text.</summary>
    public required string Plan { get; init; }

    /// <summary>Whether this is the planner's own plan.</summary>
    public bool IsDefault { get; init; }

    /// <summary>What came of it.</summary>
    public required TuneOutcome Outcome { get; init; }

    /// <summary>Median milliseconds of a call; 0 where it was not timed.</summary>
    public double Milliseconds { get; init; }

    /// <summary>Median milliseconds of the planner's own plan in the same rounds; 0 where it was not timed.</summary>
    public double DefaultMilliseconds { get; init; }

    /// <summary>Rounds behind the medians; candidates that were given up early have few.</summary>
    public int Rounds { get; init; }

    /// <summary>The share of these rounds in which it was faster than the planner's own plan.</summary>
    public double Won { get; init; }

    /// <summary>Why it was not timed, in words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Floating-point operations of the call: 4 for each kept pair and dimension, as far as the mask is known.</summary>
    public double Flops { get; init; }

    /// <summary>Bytes of query, key, value and output.</summary>
    public double Bytes { get; init; }
}

/// <summary>Where records were measured, for a report's heading and roofline.</summary>
/// <param name="Device">The device, in words.</param>
/// <param name="DeviceClass">Its class.</param>
/// <param name="Version">The FlashGen that measured.</param>
/// <param name="Roofs">What it can do at most; null where that is not known.</param>
internal sealed record TuneMachine(string Device, string DeviceClass, string Version, MachineRoofs? Roofs);
