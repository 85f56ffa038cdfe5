using System.Globalization;
using System.Runtime.CompilerServices;

namespace FlashGen;

/// <summary>
/// bfloat16: sign, 8 bits of exponent and 7 of mantissa, the upper half of a float32. A storage format: arithmetic goes through float.
/// </summary>
/// <remarks>Rounding from float is to nearest, ties to even; NaN stays NaN and becomes quiet. torch's <c>bfloat16</c>.</remarks>
public readonly struct BFloat16 : IEquatable<BFloat16>, IComparable<BFloat16>, IFormattable
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    /// <summary>The number whose bits these are.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bits: sign, 8 of exponent, 7 of mantissa.</summary>
    public ushort Bits => bits;

    /// <summary>The largest finite number, about 3.39e38.</summary>
    public static BFloat16 MaxValue => new(0x7F7F);

    /// <summary>The smallest finite number, about -3.39e38.</summary>
    public static BFloat16 MinValue => new(0xFF7F);

    /// <summary>Positive infinity.</summary>
    public static BFloat16 PositiveInfinity => new(0x7F80);

    /// <summary>Negative infinity.</summary>
    public static BFloat16 NegativeInfinity => new(0xFF80);

    /// <summary>A quiet NaN.</summary>
    public static BFloat16 NaN => new(0x7FC0);

    /// <summary>Whether the value is NaN.</summary>
    public static bool IsNaN(BFloat16 value) => (value.bits & 0x7FFF) > 0x7F80;

    /// <summary>The nearest bfloat16, ties to even; beyond the largest by half a step or more it is infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        uint raw = BitConverter.SingleToUInt32Bits(value);
        // Rounding a NaN like a number could carry it into infinity, or clear the bits that make it one.
        if ((raw & 0x7FFFFFFF) > 0x7F800000)
            return new((ushort)((raw >> 16) | 0x0040));
        uint even = (raw >> 16) & 1;
        return new((ushort)((raw + 0x7FFF + even) >> 16));
    }

    /// <summary>The same number as a float: exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.bits << 16);

    /// <summary>Equal as numbers: NaN differs from itself, and -0 equals 0.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == (float)right;

    /// <summary>Different as numbers.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => (float)left != (float)right;

    /// <summary>As <see cref="float.Equals(float)"/>: like ==, but NaN equals NaN.</summary>
    public bool Equals(BFloat16 other) => ((float)this).Equals((float)other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <summary>As <see cref="float.CompareTo(float)"/>: NaN comes before every number.</summary>
    public int CompareTo(BFloat16 other) => ((float)this).CompareTo((float)other);

    /// <summary>The number as a float is written, in the current culture.</summary>
    public override string ToString() => ((float)this).ToString(CultureInfo.CurrentCulture);

    /// <summary>The number as a float is written.</summary>
    public string ToString(string? format, IFormatProvider? formatProvider) =>
        ((float)this).ToString(format, formatProvider);
}
