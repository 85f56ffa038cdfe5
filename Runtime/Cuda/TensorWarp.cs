using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>Least and greatest of the values of a warp's threads, which are all there together.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorWarp
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The least value of a warp.</summary>
    /// <param name="value">The thread's value.</param>
    [MethodImpl(Inline)]
    public static int Min(int value) => TensorRange.Min(value);

    /// <summary>The greatest value of a warp.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static int Max(int value) => TensorRange.Max(value);

    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static long Min(long value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = Math.Min(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <inheritdoc cref="Max(int)"/>
    [MethodImpl(Inline)]
    public static long Max(long value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = Math.Max(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The least value of a warp; NaN where one is NaN.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static float Min(float value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = PortableMath.Min(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The greatest value of a warp; NaN where one is NaN.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static float Max(float value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = PortableMath.Max(value, Warp.ShuffleXor(value, mask));
        return value;
    }
}
