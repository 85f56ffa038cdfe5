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
    /// <summary>From row to row, in elements.</summary>
    public nint KeyStride,
        ValueStride;

    // Of queries and outputs: half of a second-level cache of a megabyte.
    private const int MostPanelBytes = 512 << 10;

    private TReal* keys,
        values;
    private T* storedKeys,
        storedValues;
    private int rows;
    private bool hasKeys,
        hasValues;

    private static bool IsComputedWith => typeof(T) == typeof(TReal);

    /// <summary>Bytes of scratch for the copy of a tile of so many keys; none where none is ever made.</summary>
    public static nint Bytes(in SimdCall call, int keys) =>
        IsDense(call) ? 0 : sizeof(TReal) * (nint)keys * (call.HeadDim + call.ValueDim);

    private static bool IsDense(in SimdCall call) =>
        IsComputedWith && call.KeyStrides.Row == call.HeadDim && call.ValueStrides.Row == call.ValueDim;

    /// <summary>
    /// Panels of an item: those of the plan, or twice as many where tiles are copied, for a copy is made once for all of them, as long as
    /// queries and outputs of so many stay in the second-level cache.
    /// </summary>
    public static int Panels(in SimdCall call, int planned, int panelRows) =>
        !IsDense(call) && sizeof(TReal) * 2L * planned * panelRows * (call.HeadDim + call.ValueDim) <= MostPanelBytes
            ? 2 * planned
            : planned;

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
        hasKeys = hasValues = IsComputedWith && !isShared || IsDense(call);
        if (hasKeys)
        {
            this.keys = (TReal*)storedKeys;
            values = (TReal*)storedValues;
            (KeyStride, ValueStride) = ((nint)call.KeyStrides.Row, (nint)call.ValueStrides.Row);
        }
        else
        {
            this.keys = copy;
            values = copy + (nint)keys * call.HeadDim;
            (KeyStride, ValueStride) = (call.HeadDim, call.ValueDim);
        }
    }

    /// <summary>The tile's keys from a row on; the first time they are copied, where there is to be a copy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TReal* KeysFrom(in SimdCall call, int row)
    {
        if (!hasKeys)
        {
            hasKeys = true;
            Copy(storedKeys, call.KeyStrides.Row, call.HeadDim, keys);
        }
        return keys + row * KeyStride;
    }

    /// <summary>Its values from a row on, copied as keys are: each copy is still in the first-level cache when it is first read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TReal* ValuesFrom(in SimdCall call, int row)
    {
        if (!hasValues)
        {
            hasValues = true;
            Copy(storedValues, call.ValueStrides.Row, call.ValueDim, values);
        }
        return values + row * ValueStride;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Copy(T* stored, long stride, int columns, TReal* copy)
    {
        if (typeof(TReal) == typeof(float))
            SimdElements.Widen(stored, stride, rows, columns, (float*)copy);
        else
            for (int row = 0; row < rows; row++)
                Unsafe.CopyBlockUnaligned(
                    copy + (nint)row * columns,
                    stored + row * stride,
                    (uint)(columns * sizeof(TReal))
                );
    }
}
