using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>Least and greatest of the values of neighbouring threads.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PortableWarp
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The least value of a warp.</summary>
    /// <param name="value">The thread's value.</param>
    /// <param name="lanes">32 for a warp of them, all there together; 1, a constant, for the thread alone.</param>
    [MethodImpl(Inline)]
    public static int Min(int value, int lanes)
    {
        if (lanes > 1)
            value = TensorRange.Min(value);
        return value;
    }

    /// <summary>The greatest value of a warp.</summary>
    /// <inheritdoc cref="Min(int, int)"/>
    [MethodImpl(Inline)]
    public static int Max(int value, int lanes)
    {
        if (lanes > 1)
            value = TensorRange.Max(value);
        return value;
    }

    /// <inheritdoc cref="Min(int, int)"/>
    [MethodImpl(Inline)]
    public static long Min(long value, int lanes)
    {
        if (lanes > 1)
            for (int mask = 16; mask > 0; mask /= 2)
                value = Math.Min(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <inheritdoc cref="Max(int, int)"/>
    [MethodImpl(Inline)]
    public static long Max(long value, int lanes)
    {
        if (lanes > 1)
            for (int mask = 16; mask > 0; mask /= 2)
                value = Math.Max(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The least value of a warp; NaN where one is NaN.</summary>
    /// <inheritdoc cref="Min(int, int)"/>
    [MethodImpl(Inline)]
    public static float Min(float value, int lanes)
    {
        if (lanes > 1)
            for (int mask = 16; mask > 0; mask /= 2)
                value = PortableMath.Min(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The greatest value of a warp; NaN where one is NaN.</summary>
    /// <inheritdoc cref="Min(int, int)"/>
    [MethodImpl(Inline)]
    public static float Max(float value, int lanes)
    {
        if (lanes > 1)
            for (int mask = 16; mask > 0; mask /= 2)
                value = PortableMath.Max(value, Warp.ShuffleXor(value, mask));
        return value;
    }
}
