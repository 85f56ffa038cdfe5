using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>
/// Which of 128 columns a mask keeps of one row, a bit for each that a thread has of an accumulator: two neighbours of every eight,
/// counted from the thread's first one (PTX ISA, "Matrix fragments for mma.m16n8k16"). Bit 2 q + e is column 8 q + e, e = 0 or 1.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorColumns
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The bits of the columns from the first to the last, which may lie outside of the 128; none where the first is past the last.</summary>
    [MethodImpl(Inline)]
    public static uint Of(int first, int last)
    {
        int before = Below(first),
            kept = Math.Max(Below(last + 1) - before, 0);
        return (uint)((1UL << kept) - 1) << before;
    }

    // How many of a thread's columns are below this one.
    [MethodImpl(Inline)]
    private static int Below(int column)
    {
        column = Math.Min(Math.Max(column, 0), 128);
        return (column >> 3) * 2 + Math.Min(column & 7, 2);
    }
}
