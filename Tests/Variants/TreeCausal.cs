using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Tokens of a tree see their ancestors (speculative decoding): one flag a pair, at a long index.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class TreeCausal
{
    [MaskMod]
    private static bool Ancestor(in Position at, Table<bool> ancestors) =>
        ancestors[(long)at.Query * at.KeyLength + at.Key];
}
