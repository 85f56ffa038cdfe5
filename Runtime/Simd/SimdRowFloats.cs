using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Keys or values of a head as floats: where they lie, or a few at a time widened into what stays in the first-level cache.</summary>
/// <typeparam name="T">The stored element: Half, BFloat16 or float.</typeparam>
/// <param name="rows">The first row.</param>
/// <param name="stride">Elements from row to row.</param>
/// <param name="columns">Elements of a row.</param>
/// <param name="widened">Scratch of <see cref="Bytes"/>.</param>
internal readonly unsafe struct SimdRowFloats<T>(T* rows, long stride, int columns, float* widened)
    where T : unmanaged
{
    // Rows that are widened at a time.
    private const int AtOnce = 16;

    private static bool IsStored => typeof(T) == typeof(float);

    /// <summary>Bytes of scratch for keys and for values, in turn.</summary>
    public static nint Bytes(in SimdCall call) =>
        IsStored ? 0 : sizeof(float) * (nint)AtOnce * Math.Max(call.HeadDim, call.ValueDim);

    /// <summary>Floats from row to row.</summary>
    public nint Stride => IsStored ? (nint)stride : columns;

    /// <summary>Rows from one on: all before the end where they lie, or the first of them.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="end">The row after the last.</param>
    /// <param name="count">How many there are; the next call overwrites them.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* From(int first, int end, out int count)
    {
        count = end - first;
        T* own = rows + first * stride;
        if (IsStored)
            return (float*)own;
        count = Math.Min(count, AtOnce);
        SimdElements.Widen(own, stride, count, columns, widened);
        return widened;
    }
}
