using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Several continuations of one prompt: all see the prefix, and each itself (causal); the tables start at the prefix.</summary>
[Attention(Types = Float32)]
[Causal]
public static partial class SharedPrefix
{
    [MaskMod]
    private static bool Continuation(in Position at, int shared, Table<int> continuation) =>
        at.Key < shared
        || (at.QueryPosition >= shared && continuation[at.QueryPosition - shared] == continuation[at.Key - shared]);
}
