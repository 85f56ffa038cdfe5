using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>
/// A tile of keys and values as the micro-kernels read it: where it lies, or a copy. 16-bit elements are widened; rows with gaps
/// between them are moved together, for rows at the same distance share few sets of the first-level cache.
/// </summary>
/// <typeparam name="T">The stored element.</typeparam>
/// <typeparam name="TReal">The kernel's arithmetic: float or double.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct SimdKeyTile<T, TReal>
    where T : unmanaged
    where TReal : unmanaged
{
    /// <summary>The first row of the tile's keys and values, once the tile is loaded.</summary>
    public TReal* Keys,
        Values;

    /// <summary>From row to row, in elements.</summary>
    public nint KeyStride,
        ValueStride;

    private T* storedKeys,
        storedValues;
    private int rows;
    private bool isLoaded;

    private static bool IsComputedWith => typeof(T) == typeof(TReal);

    /// <summary>Bytes of scratch for the copy of a tile of so many keys; none where none is ever made.</summary>
    public static nint Bytes(in SimdCall call, int keys) =>
        IsDense(call) ? 0 : sizeof(TReal) * (nint)keys * (call.HeadDim + call.ValueDim);

    private static bool IsDense(in SimdCall call) =>
        IsComputedWith && call.KeyStrides.Row == call.HeadDim && call.ValueStrides.Row == call.ValueDim;

    /// <summary>
    /// Names the rows of the tile; nothing is read yet. Rows with gaps are moved together only where several panels share them. The copy
    /// goes into scratch of <see cref="Bytes"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Locate(in SimdCall call, in SimdItem item, int start, int keys, bool isShared, TReal* copy)
    {
        storedKeys = call.KeyRow<T>(item) + start * call.KeyStrides.Row;
        storedValues = call.ValueRow<T>(item) + start * call.ValueStrides.Row;
        rows = keys;
        isLoaded = IsComputedWith && !isShared || IsDense(call);
        if (isLoaded)
        {
            Keys = (TReal*)storedKeys;
            Values = (TReal*)storedValues;
            (KeyStride, ValueStride) = ((nint)call.KeyStrides.Row, (nint)call.ValueStrides.Row);
        }
        else
        {
            Keys = copy;
            Values = copy + (nint)keys * call.HeadDim;
            (KeyStride, ValueStride) = (call.HeadDim, call.ValueDim);
        }
    }

    /// <summary>Makes the copy, where there is to be one and it is not made yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Load(in SimdCall call)
    {
        if (!isLoaded)
            Copy(call);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Copy(in SimdCall call)
    {
        isLoaded = true;
        if (typeof(TReal) == typeof(float))
        {
            SimdElements.Widen(storedKeys, call.KeyStrides.Row, rows, call.HeadDim, (float*)Keys);
            SimdElements.Widen(storedValues, call.ValueStrides.Row, rows, call.ValueDim, (float*)Values);
            return;
        }
        for (int row = 0; row < rows; row++)
        {
            T* key = storedKeys + row * call.KeyStrides.Row,
                value = storedValues + row * call.ValueStrides.Row;
            Unsafe.CopyBlockUnaligned(Keys + row * KeyStride, key, (uint)(call.HeadDim * sizeof(T)));
            Unsafe.CopyBlockUnaligned(Values + row * ValueStride, value, (uint)(call.ValueDim * sizeof(T)));
        }
    }
}
