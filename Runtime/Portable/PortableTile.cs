using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>What a mask leaves of a tile, and what kernels report of their tiles.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PortableTile
{
    /// <summary>Nothing is kept: the tile is passed over.</summary>
    public const int Empty = 0;

    /// <summary>Some pairs may be kept: the tile runs the mask.</summary>
    public const int Partial = 1;

    /// <summary>All is kept: the tile runs no mask.</summary>
    public const int Full = 2;

    /// <summary>A bound on keys as an int: no key lies beyond either end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Clamp(long bound) => (int)Math.Max(-1L, Math.Min(bound, int.MaxValue));

    /// <summary>Says that a reached table read or division had no answer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fault(ArrayView<int> word)
    {
        if (word.Length > 0)
            Atomic.Or(ref word[0], 1);
    }

    /// <summary>Adds a group's tiles to the counts.</summary>
    /// <param name="counts">Full, partial and empty tiles; or nothing.</param>
    /// <param name="full">The group's full tiles.</param>
    /// <param name="partial">The group's partial tiles.</param>
    /// <param name="tiles">All tiles of the group's rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Count(ArrayView<long> counts, int full, int partial, int tiles)
    {
        if (counts.Length == 0 || Group.IdxX > 0)
            return;
        Add(counts, full, partial, tiles);
    }

    /// <summary>Adds tiles to counts that there are.</summary>
    /// <inheritdoc cref="Count"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ArrayView<long> counts, int full, int partial, int tiles)
    {
        Atomic.Add(ref counts[0], full);
        Atomic.Add(ref counts[1], partial);
        Atomic.Add(ref counts[2], tiles - full - partial);
    }
}
