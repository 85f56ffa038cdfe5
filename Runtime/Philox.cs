using System.Runtime.CompilerServices;

namespace FlashGen;

/// <summary>
/// Philox4x32-10, a counter-based random generator: four words of counter and two of key give four random words, without any state
/// (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Plain integer code, usable in ILGPU kernels.
/// </summary>
public static class Philox
{
    /// <summary>Four random words.</summary>
    /// <param name="c0">Counter, word 0.</param>
    /// <param name="c1">Counter, word 1.</param>
    /// <param name="c2">Counter, word 2.</param>
    /// <param name="c3">Counter, word 3.</param>
    /// <param name="k0">Key, word 0.</param>
    /// <param name="k1">Key, word 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = (ulong)0xD2511F53u * c0;
            ulong p1 = (ulong)0xCD9E8D57u * c2;
            c0 = (uint)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint)p1;
            c2 = (uint)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint)p0;
            k0 = unchecked(k0 + 0x9E3779B9u);
            k1 = unchecked(k1 + 0xBB67AE85u);
        }
        return new PhiloxWords(c0, c1, c2, c3);
    }

    /// <summary>
    /// The words behind dropout of eight keys: of a block of 32 keys those with the same key % 8 / 2. Word w, half h (low first) is the
    /// draw of key block * 32 + w * 8 + lane * 2 + h: what one lane of a tensor-core accumulator holds.
    /// </summary>
    /// <param name="seed">The dropout's seed.</param>
    /// <param name="offset">The dropout's offset.</param>
    /// <param name="batchHead">batch * queryHeads + head.</param>
    /// <param name="query">The query row.</param>
    /// <param name="keyGroup">key / 32 * 4 + key % 8 / 2.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxWords DropoutWords(ulong seed, uint offset, uint batchHead, uint query, uint keyGroup) =>
        Block(keyGroup, query, batchHead, offset, (uint)seed, (uint)(seed >> 32));

    /// <summary>The 16-bit draw of one pair; the pair's weight is kept when it is at least <see cref="Dropout.Threshold"/>.</summary>
    /// <param name="seed">The dropout's seed.</param>
    /// <param name="offset">The dropout's offset.</param>
    /// <param name="batchHead">batch * queryHeads + head.</param>
    /// <param name="query">The query row.</param>
    /// <param name="key">The key.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Draw(ulong seed, uint offset, uint batchHead, uint query, uint key)
    {
        PhiloxWords words = DropoutWords(seed, offset, batchHead, query, (key / 32 * 4) + (key % 8 / 2));
        uint index = key % 32 / 8;
        uint word =
            index == 0 ? words.X0
            : index == 1 ? words.X1
            : index == 2 ? words.X2
            : words.X3;
        return (ushort)(key % 2 == 0 ? word : word >> 16);
    }
}

/// <summary>The four words that one call of <see cref="Philox"/> gives.</summary>
/// <param name="x0">Word 0.</param>
/// <param name="x1">Word 1.</param>
/// <param name="x2">Word 2.</param>
/// <param name="x3">Word 3.</param>
public readonly struct PhiloxWords(uint x0, uint x1, uint x2, uint x3)
{
    /// <summary>Word 0.</summary>
    public readonly uint X0 = x0;

    /// <summary>Word 1.</summary>
    public readonly uint X1 = x1;

    /// <summary>Word 2.</summary>
    public readonly uint X2 = x2;

    /// <summary>Word 3.</summary>
    public readonly uint X3 = x3;
}
