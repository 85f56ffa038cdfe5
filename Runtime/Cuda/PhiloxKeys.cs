using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>
/// The keys of Philox's ten rounds. They depend on the seed alone: as a kernel's parameters they are operands in constant memory, where
/// the key's step from round to round would be a third of a round's instructions.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PhiloxKeys
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private uint a0,
        a1,
        a2,
        a3,
        a4,
        a5,
        a6,
        a7,
        a8,
        a9;

    private uint b0,
        b1,
        b2,
        b3,
        b4,
        b5,
        b6,
        b7,
        b8,
        b9;

    /// <summary>The keys of a seed.</summary>
    public static PhiloxKeys Of(ulong seed)
    {
        uint A(uint round) => unchecked((uint)seed + round * 0x9E3779B9u);
        uint B(uint round) => unchecked((uint)(seed >> 32) + round * 0xBB67AE85u);
        return new()
        {
            a0 = A(0),
            a1 = A(1),
            a2 = A(2),
            a3 = A(3),
            a4 = A(4),
            a5 = A(5),
            a6 = A(6),
            a7 = A(7),
            a8 = A(8),
            a9 = A(9),
            b0 = B(0),
            b1 = B(1),
            b2 = B(2),
            b3 = B(3),
            b4 = B(4),
            b5 = B(5),
            b6 = B(6),
            b7 = B(7),
            b8 = B(8),
            b9 = B(9),
        };
    }

    /// <summary>The words of <see cref="Philox.Block"/> with these keys.</summary>
    [MethodImpl(Inline)]
    public readonly PhiloxWords Block(uint c0, uint c1, uint c2, uint c3)
    {
        Round(ref c0, ref c1, ref c2, ref c3, a0, b0);
        Round(ref c0, ref c1, ref c2, ref c3, a1, b1);
        Round(ref c0, ref c1, ref c2, ref c3, a2, b2);
        Round(ref c0, ref c1, ref c2, ref c3, a3, b3);
        Round(ref c0, ref c1, ref c2, ref c3, a4, b4);
        Round(ref c0, ref c1, ref c2, ref c3, a5, b5);
        Round(ref c0, ref c1, ref c2, ref c3, a6, b6);
        Round(ref c0, ref c1, ref c2, ref c3, a7, b7);
        Round(ref c0, ref c1, ref c2, ref c3, a8, b8);
        Round(ref c0, ref c1, ref c2, ref c3, a9, b9);
        return new(c0, c1, c2, c3);
    }

    [MethodImpl(Inline)]
    private static void Round(ref uint c0, ref uint c1, ref uint c2, ref uint c3, uint a, uint b)
    {
        ulong p0 = (ulong)0xD2511F53u * c0;
        ulong p1 = (ulong)0xCD9E8D57u * c2;
        c0 = (uint)(p1 >> 32) ^ c1 ^ a;
        c1 = (uint)p1;
        c2 = (uint)(p0 >> 32) ^ c3 ^ b;
        c3 = (uint)p0;
    }
}
