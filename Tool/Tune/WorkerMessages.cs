using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlashGen.Tool.Tune;

/// <summary>What the tool asks of its worker, one JSON object a line.</summary>
/// <param name="Op">expect, prepare, time or forget.</param>
/// <param name="Ids">The candidates it is about.</param>
/// <param name="Plan">To prepare: the plan; empty for the planner's own.</param>
/// <param name="Kernel">To expect or prepare: what they are candidates for.</param>
/// <param name="Plans">To expect: the plans that will be prepared.</param>
internal sealed record WorkerRequest(
    string Op,
    int[] Ids,
    string Plan = "",
    TuneKernel? Kernel = null,
    string[]? Plans = null
);

/// <summary>What a worker answers: first what it runs on; then, of each candidate that it was asked about, what came of it.</summary>
internal sealed record WorkerReply
{
    /// <summary>The candidate; -1 where it is about none.</summary>
    public int Id { get; init; } = -1;

    /// <summary>What came of preparing it.</summary>
    public TuneOutcome Outcome { get; init; }

    /// <summary>Why, in words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>A sample.</summary>
    public double Milliseconds { get; init; }

    /// <summary>The device, in words; empty in other replies than the first.</summary>
    public string Device { get; init; } = "";

    /// <summary>The device's class; empty on the CPU, whose vectors say it.</summary>
    public string DeviceClass { get; init; } = "";

    /// <summary>The device cannot be opened, or the assembly not be read: the message.</summary>
    public string Error { get; init; } = "";
}

/// <summary>A kernel of a variant and a class of shapes: what plans are chosen for.</summary>
/// <param name="Variant">The variant's full name.</param>
/// <param name="Target">The target.</param>
/// <param name="Type">The element type.</param>
/// <param name="HeadDim">The head dimension of its plan.</param>
/// <param name="ValueDim">The value dimension of its plan.</param>
/// <param name="ShapeClass">short, long or decode.</param>
internal sealed record TuneKernel(
    string Variant,
    Target Target,
    ElementType Type,
    int HeadDim,
    int ValueDim,
    string ShapeClass
);

/// <summary>Messages as lines.</summary>
internal static class WorkerLine
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static string Write<T>(T message) => JsonSerializer.Serialize(message, Json);

    public static T Read<T>(string line) =>
        JsonSerializer.Deserialize<T>(line, Json) ?? throw new JsonException("There is no message.");
}
