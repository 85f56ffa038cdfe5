using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>
/// The keys of Philox's ten rounds, and the rounds in PTX. Keys depend on the seed alone: as the kernel's parameter dropoutKeys they are
/// operands in constant memory, where their step from round to round would be a third of a round's instructions.
/// </summary>
/// <param name="seed">The generator's key, its low word first.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PhiloxKeys(ulong seed)
{
    /// <summary>A round's two words.</summary>
    public readonly ulong Round0 = Of(seed, 0),
        Round1 = Of(seed, 1),
        Round2 = Of(seed, 2),
        Round3 = Of(seed, 3),
        Round4 = Of(seed, 4),
        Round5 = Of(seed, 5),
        Round6 = Of(seed, 6),
        Round7 = Of(seed, 7),
        Round8 = Of(seed, 8),
        Round9 = Of(seed, 9);

    /// <summary>PTX that declares the registers of <see cref="Rounds"/> and takes the keys from the kernel's parameter.</summary>
    public const string Registers = """
        .reg .b32 keyA<10>, keyB<10>, word<4>, low0, high0, low1, high1;
        .reg .b64 wide0, wide1;
        ld.param.v2.b32 {keyA0, keyB0}, [dropoutKeys+0]; ld.param.v2.b32 {keyA1, keyB1}, [dropoutKeys+8];
        ld.param.v2.b32 {keyA2, keyB2}, [dropoutKeys+16]; ld.param.v2.b32 {keyA3, keyB3}, [dropoutKeys+24];
        ld.param.v2.b32 {keyA4, keyB4}, [dropoutKeys+32]; ld.param.v2.b32 {keyA5, keyB5}, [dropoutKeys+40];
        ld.param.v2.b32 {keyA6, keyB6}, [dropoutKeys+48]; ld.param.v2.b32 {keyA7, keyB7}, [dropoutKeys+56];
        ld.param.v2.b32 {keyA8, keyB8}, [dropoutKeys+64]; ld.param.v2.b32 {keyA9, keyB9}, [dropoutKeys+72];
        """;

    /// <summary>PTX of the ten rounds: registers word0 to word3, a counter, become the words of <see cref="Philox.Block"/>.</summary>
    public const string Rounds = $$"""
        // Philox4x32-10
        {{Products}} lop3.b32 word0, high1, word1, keyA0, 0x96; lop3.b32 word2, high0, word3, keyB0, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA1, 0x96; lop3.b32 word2, high0, word3, keyB1, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA2, 0x96; lop3.b32 word2, high0, word3, keyB2, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA3, 0x96; lop3.b32 word2, high0, word3, keyB3, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA4, 0x96; lop3.b32 word2, high0, word3, keyB4, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA5, 0x96; lop3.b32 word2, high0, word3, keyB5, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA6, 0x96; lop3.b32 word2, high0, word3, keyB6, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA7, 0x96; lop3.b32 word2, high0, word3, keyB7, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA8, 0x96; lop3.b32 word2, high0, word3, keyB8, 0x96; {{Low}}
        {{Products}} lop3.b32 word0, high1, word1, keyA9, 0x96; lop3.b32 word2, high0, word3, keyB9, 0x96; {{Low}}
        """;

    private const string Products =
        "mul.wide.u32 wide0, word0, 0xD2511F53; mul.wide.u32 wide1, word2, 0xCD9E8D57; mov.b64 {low0, high0}, wide0; mov.b64 {low1, high1}, wide1;";

    private const string Low = "mov.b32 word1, low1; mov.b32 word3, low0;";

    private static ulong Of(ulong seed, uint round)
    {
        uint low = unchecked((uint)seed + round * 0x9E3779B9u),
            high = unchecked((uint)(seed >> 32) + round * 0xBB67AE85u);
        return low | (ulong)high << 32;
    }
}
