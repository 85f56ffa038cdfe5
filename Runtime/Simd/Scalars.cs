using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Operations of a mod that C# has no operator for, one element at a time (semantics 15 and 18).</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class Scalars
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The quotient, truncated; 0 for a divisor of 0, wrapped for the smallest number by -1.</summary>
    [MethodImpl(Inline)]
    public static int Divide(int a, int b) =>
        b == 0 ? 0
        : b == -1 ? unchecked(-a)
        : a / b;

    /// <inheritdoc cref="Divide(int, int)"/>
    [MethodImpl(Inline)]
    public static uint Divide(uint a, uint b) => b == 0 ? 0 : a / b;

    /// <inheritdoc cref="Divide(int, int)"/>
    [MethodImpl(Inline)]
    public static long Divide(long a, long b) =>
        b == 0 ? 0
        : b == -1 ? unchecked(-a)
        : a / b;

    /// <summary>What division leaves, with the sign of the dividend; 0 for a divisor of 0.</summary>
    [MethodImpl(Inline)]
    public static int Remainder(int a, int b) => b is 0 or -1 ? 0 : a % b;

    /// <inheritdoc cref="Remainder(int, int)"/>
    [MethodImpl(Inline)]
    public static uint Remainder(uint a, uint b) => b == 0 ? 0 : a % b;

    /// <inheritdoc cref="Remainder(int, int)"/>
    [MethodImpl(Inline)]
    public static long Remainder(long a, long b) => b is 0 or -1 ? 0 : a % b;

    /// <summary>C#'s % on floats.</summary>
    public static float Remainder(float a, float b) => a % b;

    /// <summary>Two to the power of x.</summary>
    public static float Exp2(float x) => float.Exp2(x);

    /// <inheritdoc cref="Exp2(float)"/>
    public static double Exp2(double x) => double.Exp2(x);

    /// <summary>Whether an index lies outside a table.</summary>
    [MethodImpl(Inline)]
    public static bool Outside(int length, long index) => (ulong)index >= (ulong)length;

    /// <summary>An element of a table, the index clamped into it; an empty table reads 0.</summary>
    [MethodImpl(Inline)]
    public static T Read<T>(T* table, int length, long index)
        where T : unmanaged => length == 0 ? default : table[Math.Clamp(index, 0, length - 1)];

    /// <inheritdoc cref="Read{T}"/>
    [MethodImpl(Inline)]
    public static int Read(byte* table, int length, long index) => Read<byte>(table, length, index);
}
