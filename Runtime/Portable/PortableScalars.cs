using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>Operations of a mod in a kernel that C# has no operator for, or devices no equal (semantics 15 and 18).</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PortableScalars
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>
    /// The quotient, truncated; 0 for a divisor of 0, wrapped for the smallest number by -1. It is that of the magnitudes: ILGPU shifts
    /// where the divisor is a power of two, which rounds negative numbers down.
    /// </summary>
    [MethodImpl(Inline)]
    public static int Divide(int a, int b)
    {
        uint quotient = b == 0 ? 0 : Magnitude(a) / Magnitude(b == 0 ? 1 : b);
        return (a ^ b) < 0 ? -(int)quotient : (int)quotient;
    }

    /// <inheritdoc cref="Divide(int, int)"/>
    [MethodImpl(Inline)]
    public static uint Divide(uint a, uint b) => b == 0 ? 0 : a / b;

    /// <inheritdoc cref="Divide(int, int)"/>
    [MethodImpl(Inline)]
    public static long Divide(long a, long b)
    {
        ulong quotient = b == 0 ? 0 : Magnitude(a) / Magnitude(b == 0 ? 1 : b);
        return (a ^ b) < 0 ? -(long)quotient : (long)quotient;
    }

    /// <summary>What division leaves, with the sign of the dividend; 0 for a divisor of 0.</summary>
    [MethodImpl(Inline)]
    public static int Remainder(int a, int b)
    {
        uint rest = b == 0 ? 0 : Magnitude(a) % Magnitude(b == 0 ? 1 : b);
        return a < 0 ? -(int)rest : (int)rest;
    }

    /// <inheritdoc cref="Remainder(int, int)"/>
    [MethodImpl(Inline)]
    public static uint Remainder(uint a, uint b) => b == 0 ? 0 : a % b;

    /// <inheritdoc cref="Remainder(int, int)"/>
    [MethodImpl(Inline)]
    public static long Remainder(long a, long b)
    {
        ulong rest = b == 0 ? 0 : Magnitude(a) % Magnitude(b == 0 ? 1 : b);
        return a < 0 ? -(long)rest : (long)rest;
    }

    // Of the smallest number too, which has no positive one.
    [MethodImpl(Inline)]
    private static uint Magnitude(int value) => value < 0 ? 0 - (uint)value : (uint)value;

    [MethodImpl(Inline)]
    private static ulong Magnitude(long value) => value < 0 ? 0 - (ulong)value : (ulong)value;

    /// <summary>Whether an index lies outside a table.</summary>
    [MethodImpl(Inline)]
    public static bool Outside(long length, long index) => index < 0 | index >= length;

    /// <summary>An element of a table, the index clamped into it; an empty table reads 0.</summary>
    [MethodImpl(Inline)]
    public static T Read<T>(ArrayView<T> table, long index)
        where T : unmanaged
    {
        T result = default;
        if (table.Length > 0)
            result = table[Math.Max(0L, Math.Min(index, table.Length - 1))];
        return result;
    }

    /// <summary>As <see cref="Read{T}"/>, of a table of bools, which are bytes on devices.</summary>
    [MethodImpl(Inline)]
    public static bool ReadBool(ArrayView<byte> table, long index) => Read(table, index) != 0;

    /// <summary>
    /// As <see cref="Read{T}"/>, once for all rows of a tile: whether there is an element shows by the clamped index. Whether the table is
    /// empty, which no index has a say in, a device's compiler would keep from tile to tile.
    /// </summary>
    [MethodImpl(Inline)]
    public static T ReadOfAll<T>(ArrayView<T> table, long index)
        where T : unmanaged
    {
        long last = table.Length - 1,
            place = Math.Max(0L, Math.Min(index, last));
        T result = default;
        if (place <= last)
            result = table[place];
        return result;
    }

    /// <summary>As <see cref="ReadOfAll{T}"/>, of a table of bools.</summary>
    [MethodImpl(Inline)]
    public static bool ReadBoolOfAll(ArrayView<byte> table, long index) => ReadOfAll(table, index) != 0;

    /// <summary>The length of a table, as its mods see it.</summary>
    [MethodImpl(Inline)]
    public static int Length<T>(ArrayView<T> table)
        where T : unmanaged => (int)Math.Min(table.Length, int.MaxValue);

    /// <summary>A whole number as a float. ILGPU takes a bool that became 0 or 1 for the float's bits, so it must not see through.</summary>
    [MethodImpl(Inline)]
    public static float ToFloat(int x) => (x & ~1) | (x & 1);

    /// <inheritdoc cref="ToFloat(int)"/>
    [MethodImpl(Inline)]
    public static float ToFloat(uint x) => ToFloat((long)x);

    /// <inheritdoc cref="ToFloat(int)"/>
    [MethodImpl(Inline)]
    public static float ToFloat(long x) => (x & ~1L) | (x & 1L);

    /// <inheritdoc cref="ToFloat(int)"/>
    [MethodImpl(Inline)]
    public static double ToDouble(int x) => (x & ~1) | (x & 1);

    /// <inheritdoc cref="ToFloat(int)"/>
    [MethodImpl(Inline)]
    public static double ToDouble(uint x) => ToDouble((long)x);

    /// <inheritdoc cref="ToFloat(int)"/>
    [MethodImpl(Inline)]
    public static double ToDouble(long x) => (x & ~1L) | (x & 1L);

    /// <summary>A float without its fraction; the nearest int beyond the ends, 0 for NaN.</summary>
    [MethodImpl(Inline)]
    public static int ToInt(float x)
    {
        int result = x >= 2147483648f ? int.MaxValue : int.MinValue;
        if (x > -2147483648f & x < 2147483648f)
            result = (int)x;
        return float.IsNaN(x) ? 0 : result;
    }

    /// <summary>A float without its fraction; the nearest uint beyond the ends, 0 for NaN.</summary>
    [MethodImpl(Inline)]
    public static uint ToUInt(float x)
    {
        uint result = x >= 4294967296f ? uint.MaxValue : 0u;
        if (x > 0 & x < 4294967296f)
            result = (uint)(long)x;
        return result;
    }

    /// <summary>A float without its fraction; the nearest long beyond the ends, 0 for NaN.</summary>
    [MethodImpl(Inline)]
    public static long ToLong(float x)
    {
        long result = x >= 9223372036854775808f ? long.MaxValue : long.MinValue;
        if (x > -9223372036854775808f & x < 9223372036854775808f)
            result = (long)x;
        return float.IsNaN(x) ? 0 : result;
    }

    /// <summary>C#'s % on floats: exact, with the sign of the dividend.</summary>
    public static float Remainder(float a, float b)
    {
        uint sign = Interop.FloatAsInt(a) & 0x80000000;
        uint x = Interop.FloatAsInt(a) & 0x7FFFFFFF;
        uint y = Interop.FloatAsInt(b) & 0x7FFFFFFF;
        if (y == 0 || y > 0x7F800000 || x >= 0x7F800000)
            return float.NaN;
        if (x < y || x == 0)
            return a;
        // Long division of the mantissas, a bit at a time; each has its leading bit, which numbers below the normal ones lack.
        int exponentX = Math.Max((int)(x >> 23), 1),
            exponentY = Math.Max((int)(y >> 23), 1);
        uint rest = x < 0x800000 ? x : (x & 0x7FFFFF) | 0x800000;
        uint divisor = y < 0x800000 ? y : (y & 0x7FFFFF) | 0x800000;
        for (; rest < 0x800000; exponentX--)
            rest <<= 1;
        for (; divisor < 0x800000; exponentY--)
            divisor <<= 1;
        for (; exponentX > exponentY; exponentX--)
        {
            if (rest >= divisor)
                rest -= divisor;
            if (rest == 0)
                return Interop.IntAsFloat(sign);
            rest <<= 1;
        }
        if (rest >= divisor)
            rest -= divisor;
        if (rest == 0)
            return Interop.IntAsFloat(sign);
        for (; rest < 0x800000; exponentX--)
            rest <<= 1;
        uint bits = exponentX > 0 ? rest - 0x800000 + ((uint)exponentX << 23) : rest >> (1 - exponentX);
        return Interop.IntAsFloat(bits | sign);
    }
}
