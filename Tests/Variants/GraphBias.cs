using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Hops between nodes pick a bias, a weight an edge adds (Graphormer): a table read at what a table says.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class GraphBias
{
    [ScoreMod]
    private static float Spatial(float score, in Position at, Table<byte> hops, Table<float> byHops) =>
        score + byHops[hops[at.Query * at.KeyLength + at.Key]];

    [ScoreMod]
    private static float Edge(float score, in Position at, Table<float> edges) =>
        score * (1f + edges[(long)at.Query * at.KeyLength + at.Key]);
}
