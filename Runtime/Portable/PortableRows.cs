using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>The keys that a row keeps by its bounds: First to Last, none where Last is below First.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableBounds
{
    /// <summary>The first and last key.</summary>
    public int First,
        Last;

    /// <summary>No key at all; from key 0 on, so that where all rows start there the first one is no variable.</summary>
    public static PortableBounds None
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            PortableBounds bounds = default;
            bounds.Last = -1;
            return bounds;
        }
    }
}

/// <summary>A query row in the care of one thread: which keys it may keep, and its softmax so far.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableRow<TReal>
    where TReal : unmanaged
{
    /// <summary>The keys that the row keeps by its bounds: First to Last, none where Last is below First.</summary>
    public int First,
        Last;

    /// <summary>The greatest score so far, and the sum of exp(score - Maximum).</summary>
    public TReal Maximum,
        Sum;
}

/// <summary>The keys that the rows of a tile keep by their bounds, together.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableRange
{
    /// <summary>The number of ints that <see cref="Of"/> needs beside two for each row.</summary>
    public const int Words = 5;

    /// <summary>The first and last key that any row keeps; none where Last is below First.</summary>
    public int First,
        Last;

    /// <summary>The keys that every row keeps.</summary>
    public int FirstOfAll,
        LastOfAll;

    /// <summary>Whether a tile between First and Last may be kept by no row.</summary>
    public bool HasHoles;

    /// <summary>Whether every row keeps these keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Covers(int firstKey, int lastKey) => FirstOfAll <= firstKey && LastOfAll >= lastKey;

    /// <summary>Reduces the bounds of the group's rows; all threads of a group call it together.</summary>
    /// <param name="words">Shared memory of <see cref="Words"/> ints and two more for each row.</param>
    /// <param name="rows">The number of rows; thread i has row i.</param>
    /// <param name="first">The first key that this thread's row keeps.</param>
    /// <param name="last">The last key that this thread's row keeps.</param>
    /// <param name="tileKeys">Keys of a tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PortableRange Of(ArrayView<int> words, int rows, int first, int last, int tileKeys)
    {
        int row = Group.IdxX;
        if (row == 0)
        {
            words[0] = int.MaxValue;
            words[1] = -1;
            words[2] = -1;
            words[3] = int.MaxValue;
            words[4] = 0;
        }
        if (row < rows)
        {
            words[Words + 2 * row] = first;
            words[Words + 2 * row + 1] = last;
        }
        Group.Barrier();
        if (row < rows)
        {
            if (first <= last)
            {
                Atomic.Min(ref words[0], first);
                Atomic.Max(ref words[1], last);
                if (StartsRun(words, row, first, last, tileKeys))
                    Atomic.Add(ref words[4], 1);
            }
            Atomic.Max(ref words[2], first <= last ? first : int.MaxValue);
            Atomic.Min(ref words[3], first <= last ? last : -1);
        }
        Group.Barrier();
        PortableRange range = default;
        range.First = words[0];
        range.Last = words[1];
        range.FirstOfAll = words[2];
        range.LastOfAll = words[3];
        range.HasHoles = words[4] > 1;
        return range;
    }

    // Whether this row's tiles are no continuation of those of the row above. A single run of rows has no holes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool StartsRun(ArrayView<int> words, int row, int first, int last, int tileKeys)
    {
        if (row == 0)
            return true;
        int firstAbove = words[Words + 2 * row - 2];
        int lastAbove = words[Words + 2 * row - 1];
        return firstAbove > lastAbove
            || first / tileKeys > lastAbove / tileKeys + 1
            || firstAbove / tileKeys > last / tileKeys + 1;
    }
}
