using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Four floats in registers. Kernels read shared memory in such pieces: one load for four numbers.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct Float4(float x, float y, float z, float w)
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The four numbers.</summary>
    public float X = x,
        Y = y,
        Z = z,
        W = w;

    /// <summary>sum + factor * value.</summary>
    [MethodImpl(Inline)]
    public static Float4 Add(Float4 sum, float factor, Float4 value) =>
        new(sum.X + factor * value.X, sum.Y + factor * value.Y, sum.Z + factor * value.Z, sum.W + factor * value.W);

    /// <summary>Each sum plus four steps of the dot product of its row with one column.</summary>
    [MethodImpl(Inline)]
    public static Float4 AddDots(Float4 sum, Float4 row0, Float4 row1, Float4 row2, Float4 row3, Float4 column) =>
        new(
            AddDot(sum.X, row0, column),
            AddDot(sum.Y, row1, column),
            AddDot(sum.Z, row2, column),
            AddDot(sum.W, row3, column)
        );

    /// <summary>The four numbers times a factor.</summary>
    [MethodImpl(Inline)]
    public static Float4 Scale(Float4 value, float factor) =>
        new(value.X * factor, value.Y * factor, value.Z * factor, value.W * factor);

    /// <summary>The four numbers times a factor; exactly 0 for a factor of 0, whatever they are.</summary>
    [MethodImpl(Inline)]
    public static Float4 Finish(Float4 value, float factor)
    {
        Float4 result = Scale(value, factor);
        if (factor == 0)
            result = default;
        return result;
    }

    [MethodImpl(Inline)]
    private static float AddDot(float sum, Float4 a, Float4 b)
    {
        sum += a.X * b.X;
        sum += a.Y * b.Y;
        sum += a.Z * b.Z;
        return sum + a.W * b.W;
    }
}
