using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Some tokens see all and are seen by all, the others a window (Longformer): a disjunction with run-time bounds.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class GlobalAndSliding
{
    [MaskMod]
    private static bool Keep(in Position at, int global, int window) =>
        at.Key < global || at.Query < global || Math.Abs(at.QueryPosition - at.Key) <= window;
}
