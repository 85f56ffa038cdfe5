using System.Text.Json.Serialization;

namespace FlashGen.Bench.Cpu;

/// <summary>One line of the table: a case on so many threads, beside one peer or limit.</summary>
/// <param name="OursMs">Our time.</param>
/// <param name="PeerMs">The peer's time, or the time that meets the limit exactly; null where the peer did not run.</param>
/// <param name="Ratio">Higher is better: the peer's over ours. Null where the peer did not run.</param>
/// <param name="MedianRatio">The middle of the ratios of single rounds.</param>
/// <param name="PeakFraction">
/// Share of the measured roof: of multiply-adds, or of bytes read where the case is bound by memory.
/// </param>
/// <param name="AtLeast">The ratio that is wanted; null for information.</param>
/// <param name="IsPeer">Whether another library ran, rather than a limit or another kernel of ours.</param>
/// <param name="IsNoisy">Whether the machine was never calm, so that nothing is judged by it.</param>
/// <param name="Note">What else is to be said.</param>
sealed record CpuResult(
    [property: JsonPropertyName("case")] string Case,
    [property: JsonPropertyName("threads")] int Threads,
    [property: JsonPropertyName("ours_ms")] double OursMs,
    [property: JsonPropertyName("peer")] string Peer,
    [property: JsonPropertyName("peer_ms")] double? PeerMs,
    [property: JsonPropertyName("ratio")] double? Ratio,
    [property: JsonPropertyName("peak_fraction")] double? PeakFraction,
    [property: JsonPropertyName("at_least")] double? AtLeast = null,
    [property: JsonPropertyName("median_ratio")] double? MedianRatio = null,
    [property: JsonPropertyName("is_peer")] bool IsPeer = false,
    [property: JsonPropertyName("noisy")] bool IsNoisy = false,
    [property: JsonPropertyName("note")] string Note = ""
)
{
    /// <summary>
    /// Whether the wanted ratio is reached; null where none is wanted, or the machine was too busy to say. A peer that did not run is
    /// never beaten.
    /// </summary>
    [JsonPropertyName("met")]
    public bool? IsMet => AtLeast is not double least || IsNoisy ? null : Ratio >= least;
}
