using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Four doubles in registers. Kernels read shared memory in such pieces: two loads for four numbers.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct Double4(double x, double y, double z, double w)
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The four numbers.</summary>
    public double X = x,
        Y = y,
        Z = z,
        W = w;

    /// <summary>sum + factor * value.</summary>
    [MethodImpl(Inline)]
    public static Double4 Add(Double4 sum, double factor, Double4 value) =>
        new(sum.X + factor * value.X, sum.Y + factor * value.Y, sum.Z + factor * value.Z, sum.W + factor * value.W);

    /// <summary>Each sum plus four steps of the dot product of its row with one column.</summary>
    [MethodImpl(Inline)]
    public static Double4 AddDots(
        Double4 sum,
        Double4 row0,
        Double4 row1,
        Double4 row2,
        Double4 row3,
        Double4 column
    ) =>
        new(
            AddDot(sum.X, row0, column),
            AddDot(sum.Y, row1, column),
            AddDot(sum.Z, row2, column),
            AddDot(sum.W, row3, column)
        );

    /// <summary>The four numbers times a factor.</summary>
    [MethodImpl(Inline)]
    public static Double4 Scale(Double4 value, double factor) =>
        new(value.X * factor, value.Y * factor, value.Z * factor, value.W * factor);

    /// <summary>The four numbers times a factor; exactly 0 for a factor of 0, whatever they are.</summary>
    [MethodImpl(Inline)]
    public static Double4 Finish(Double4 value, double factor)
    {
        Double4 result = Scale(value, factor);
        if (factor == 0)
            result = default;
        return result;
    }

    [MethodImpl(Inline)]
    private static double AddDot(double sum, Double4 a, Double4 b)
    {
        sum += a.X * b.X;
        sum += a.Y * b.Y;
        sum += a.Z * b.Z;
        return sum + a.W * b.W;
    }
}
