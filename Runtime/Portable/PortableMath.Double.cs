using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

// Doubles: the arithmetic of Float64, and powers of floats, whose exponent a float cannot hold exactly enough.
public static partial class PortableMath
{
    private const double Log2EWide = 1.4426950408889634;
    private const double Ln2HighWide = 0.693147180369123816490;
    private const double Ln2LowWide = 1.90821492927058770002e-10;
    private const double RounderWide = 6755399441055744.0;

    /// <summary>e to a power that is 0 or less: exactly 1 at 0, exactly 0 below -700, NaN for NaN.</summary>
    [MethodImpl(Inline)]
    public static double ExpDown(double x)
    {
        double result = ExpWide(x);
        return x < -700 ? 0 : result;
    }

    /// <summary>The natural logarithm of a positive, finite, normal number; NaN for NaN.</summary>
    public static double Log(double x)
    {
        ulong bits = Interop.FloatAsInt(x);
        long exponent = (long)(bits - 0x3FE6A09E667F3BCD) >> 52;
        double m = Interop.IntAsFloat(bits - ((ulong)exponent << 52));
        // ln m = 2 artanh((m - 1) / (m + 1)), a fast series for m between the root of 1/2 and the root of 2.
        double s = (m - 1) / (m + 1);
        double z = s * s;
        double y = 2.0 / 23 * z + 2.0 / 21;
        y = y * z + 2.0 / 19;
        y = y * z + 2.0 / 17;
        y = y * z + 2.0 / 15;
        y = y * z + 2.0 / 13;
        y = y * z + 2.0 / 11;
        y = y * z + 2.0 / 9;
        y = y * z + 2.0 / 7;
        y = y * z + 2.0 / 5;
        y = y * z + 2.0 / 3;
        double whole = exponent;
        double result = whole * Ln2LowWide + y * z * s + (s + s) + whole * Ln2HighWide;
        return double.IsNaN(x) ? x : result;
    }

    /// <summary>As <see cref="Math.Tanh"/>.</summary>
    public static double Tanh(double x)
    {
        double size = Math.Abs(x);
        if (double.IsNaN(x))
            return x;
        // Near 0 the difference of powers loses digits: there the continued fraction of Lambert.
        double z = x * x;
        double near = x / (1 + z / (3 + z / (5 + z / (7 + z / (9 + z / (11 + z / (13 + z / 15)))))));
        double power = ExpWide(Math.Max(-2 * size, -80));
        double far = (1 - power) / (1 + power);
        return size < 0.5 ? near
            : x < 0 ? -far
            : far;
    }

    /// <summary>As <see cref="MathF.Pow"/>.</summary>
    public static float Pow(float x, float y)
    {
        if (y == 0 || x == 1)
            return 1;
        if (float.IsNaN(x) || float.IsNaN(y))
            return float.NaN;
        float size = MathF.Abs(x),
            sizeY = MathF.Abs(y);
        bool isWhole = sizeY >= 8388608f || Truncate(sizeY) == sizeY;
        bool isOdd = isWhole && sizeY < 16777216f && ((int)sizeY & 1) != 0;
        bool isNegative = Interop.FloatAsInt(x) >> 31 != 0;
        float result;
        if (isNegative && !isWhole && size != 0 && size < float.PositiveInfinity)
            result = float.NaN;
        else if (size == 0)
            result = y > 0 ? 0 : float.PositiveInfinity;
        else if (size == 1)
            result = 1;
        else if (!(sizeY < float.PositiveInfinity))
            result = size > 1 == y > 0 ? float.PositiveInfinity : 0;
        else if (!(size < float.PositiveInfinity))
            result = y > 0 ? float.PositiveInfinity : 0;
        else
            result = (float)ExpWide(Math.Max(-200, Math.Min(200, Log((double)size) * y)));
        return isNegative && isOdd ? -result : result;
    }

    // e^x of |x| <= 700; NaN for NaN, and anything beyond.
    [MethodImpl(Inline)]
    private static double ExpWide(double x)
    {
        double rounded = x * Log2EWide + RounderWide;
        double n = rounded - RounderWide;
        double r = x - n * Ln2HighWide;
        r -= n * Ln2LowWide;
        double p = 1.0 / 6227020800 * r + 1.0 / 479001600;
        p = p * r + 1.0 / 39916800;
        p = p * r + 1.0 / 3628800;
        p = p * r + 1.0 / 362880;
        p = p * r + 1.0 / 40320;
        p = p * r + 1.0 / 5040;
        p = p * r + 1.0 / 720;
        p = p * r + 1.0 / 120;
        p = p * r + 1.0 / 24;
        p = p * r + 1.0 / 6;
        p = p * r + 0.5;
        p = p * r + 1;
        p = p * r + 1;
        return p * Interop.IntAsFloat((Interop.FloatAsInt(rounded) << 52) + 0x3FF0000000000000);
    }
}
