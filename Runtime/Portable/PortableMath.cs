using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>
/// Float functions of kernels, by formula, the same on every device: ILGPU alone has few, and those of devices are rough. Within a few
/// units of the last place of <see cref="MathF"/>; special values as there. Formulas: Cephes (Moshier), single precision.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class PortableMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
    private const float Log2E = 1.44269504f;
    private const float Ln2 = 0.693147181f;

    // ln 2 in two parts; a small whole number times the first is exact.
    private const float Ln2High = 0.693145752f;
    private const float Ln2Low = 1.42860677e-6f;

    // Adding 1.5 * 2^23 rounds to the nearest whole number and leaves it in the last bits.
    private const float Rounder = 12582912f;

    /// <summary>The number with its bits crossed with 0, which keeps a device from merging a product with the sum that follows.</summary>
    /// <param name="value">A product.</param>
    /// <param name="zero">0, unknown to the device's compiler.</param>
    [MethodImpl(Inline)]
    public static float Separate(float value, int zero) => Interop.IntAsFloat(Interop.FloatAsInt(value) ^ (uint)zero);

    /// <summary>The lesser, as <see cref="MathF.Min"/>: NaN wins, -0 is below 0.</summary>
    [MethodImpl(Inline)]
    public static float Min(float a, float b)
    {
        float least = a < b ? a : b;
        if (a == b)
            least = Interop.IntAsFloat(Interop.FloatAsInt(a) | (Interop.FloatAsInt(b) & 0x80000000));
        return float.IsNaN(a) ? a : least;
    }

    /// <summary>The greater, as <see cref="MathF.Max"/>: NaN wins, 0 is above -0.</summary>
    [MethodImpl(Inline)]
    public static float Max(float a, float b)
    {
        float most = a > b ? a : b;
        if (a == b)
            most = Interop.IntAsFloat(Interop.FloatAsInt(a) & (Interop.FloatAsInt(b) | 0x7FFFFFFF));
        return float.IsNaN(a) ? a : most;
    }

    /// <summary>As <see cref="MathF.Truncate"/>.</summary>
    [MethodImpl(Inline)]
    public static float Truncate(float x) => x < 0 ? MathF.Ceiling(x) : MathF.Floor(x);

    /// <summary>As <see cref="MathF.Round(float)"/>: to the nearest whole number, ties to even.</summary>
    [MethodImpl(Inline)]
    public static float Round(float x)
    {
        float size = MathF.Abs(x);
        float rounded = size < 8388608f ? size + 8388608f - 8388608f : size;
        return CopySign(rounded, x);
    }

    /// <summary>
    /// e to a power that is 0 or less, for probabilities: exactly 1 at 0, exactly 0 below -87, NaN for NaN.
    /// </summary>
    [MethodImpl(Inline)]
    public static float ExpDown(float x)
    {
        float rounded = x * Log2E + Rounder;
        float n = rounded - Rounder;
        float r = x - n * Ln2High;
        r -= n * Ln2Low;
        float power = Interop.IntAsFloat((Interop.FloatAsInt(rounded) << 23) + 0x3F800000u);
        return x < -87f ? 0f : ExpOfRest(r) * power;
    }

    /// <summary>As <see cref="MathF.Exp"/>.</summary>
    [MethodImpl(Inline)]
    public static float Exp(float x)
    {
        float rounded = x * Log2E + Rounder;
        float n = rounded - Rounder;
        float r = x - n * Ln2High;
        r -= n * Ln2Low;
        float result = TimesPower(ExpOfRest(r), Interop.FloatAsInt(rounded));
        return x > 88.7228394f ? float.PositiveInfinity
            : x < -104f ? 0f
            : result;
    }

    /// <summary>As <c>float.Exp2</c>.</summary>
    [MethodImpl(Inline)]
    public static float Exp2(float x)
    {
        float rounded = x + Rounder;
        float result = TimesPower(ExpOfRest((x - (rounded - Rounder)) * Ln2), Interop.FloatAsInt(rounded));
        return x >= 128f ? float.PositiveInfinity
            : x < -151f ? 0f
            : result;
    }

    /// <summary>As <see cref="MathF.Log(float)"/>.</summary>
    [MethodImpl(Inline)]
    public static float Log(float x)
    {
        float exponent = 0;
        float part = LogOfPart(x, ref exponent);
        return SpecialLog(x, part + exponent * Ln2Low + exponent * Ln2High);
    }

    /// <summary>As <see cref="MathF.Log2"/>.</summary>
    [MethodImpl(Inline)]
    public static float Log2(float x)
    {
        float exponent = 0;
        float part = LogOfPart(x, ref exponent);
        return SpecialLog(x, part * Log2E + exponent);
    }

    /// <summary>As <see cref="MathF.Log10(float)"/>.</summary>
    [MethodImpl(Inline)]
    public static float Log10(float x) => Log(x) * 0.434294482f;

    /// <summary>As <see cref="MathF.Sinh"/>.</summary>
    [MethodImpl(Inline)]
    public static float Sinh(float x)
    {
        float size = MathF.Abs(x);
        float z = x * x;
        float near = ((2.03721912945e-4f * z + 8.33028376239e-3f) * z + 1.66667160211e-1f) * z * x + x;
        // Half of the power first, so that what is finite stays so.
        float half = Exp(0.5f * size);
        float far = 0.5f * half * half - 0.5f / half / half;
        return size < 1f ? near : CopySign(far, x);
    }

    /// <summary>As <see cref="MathF.Cosh"/>.</summary>
    [MethodImpl(Inline)]
    public static float Cosh(float x)
    {
        float half = Exp(0.5f * MathF.Abs(x));
        return 0.5f * half * half + 0.5f / half / half;
    }

    /// <summary>As <see cref="MathF.Tanh"/>.</summary>
    [MethodImpl(Inline)]
    public static float Tanh(float x)
    {
        float size = MathF.Abs(x);
        float z = x * x;
        float near = -5.70498872745e-3f * z + 2.06390887954e-2f;
        near = near * z - 5.37397155531e-2f;
        near = near * z + 1.33314422036e-1f;
        near = near * z - 3.33332819422e-1f;
        near = near * z * x + x;
        float far = CopySign(1f - 2f / (Exp(size + size) + 1f), x);
        float result = size < 0.625f ? near : far;
        return x == 0 ? x : result;
    }

    /// <summary>As <see cref="MathF.Cbrt"/>.</summary>
    [MethodImpl(Inline)]
    public static float Cbrt(float x)
    {
        float size = MathF.Abs(x);
        if (size == 0 || !(size < float.PositiveInfinity))
            return x;
        // Below the normal numbers the first guess, a third of the exponent, would be none.
        bool isTiny = size < 1.17549435e-38f;
        if (isTiny)
            size *= 16777216f;
        float y = Interop.IntAsFloat(Interop.FloatAsInt(size) / 3 + 709921077u);
        for (int step = 0; step < 3; step++)
        {
            float ratio = size / y / y / y;
            y *= (1f + 2f * ratio) / (2f + ratio);
        }
        return CopySign(isTiny ? y * 0.00390625f : y, x);
    }

    /// <summary>The size of one number with the sign of another.</summary>
    [MethodImpl(Inline)]
    private static float CopySign(float size, float sign) =>
        Interop.IntAsFloat((Interop.FloatAsInt(size) & 0x7FFFFFFF) | (Interop.FloatAsInt(sign) & 0x80000000));

    // e^r of |r| <= ln 2 / 2, to 1 unit of the last place.
    [MethodImpl(Inline)]
    private static float ExpOfRest(float r)
    {
        float p = 1.37805939e-3f * r + 8.37312452e-3f;
        p = p * r + 4.16695364e-2f;
        p = p * r + 1.66664720e-1f;
        p = p * r + 4.99999851e-1f;
        p = p * r + 1f;
        return p * r + 1f;
    }

    // The number times 2^n, n in the last bits of what Rounder was added to. Two steps, for one alone cannot reach the smallest numbers.
    [MethodImpl(Inline)]
    private static float TimesPower(float value, uint rounded)
    {
        int n = (int)(rounded & 0x7FFFFF) - 0x400000;
        int half = n >> 1;
        return value * Interop.IntAsFloat((uint)(half + 127) << 23) * Interop.IntAsFloat((uint)(n - half + 127) << 23);
    }

    // The logarithm of x / 2^exponent, which lies between the root of 1/2 and the root of 2.
    [MethodImpl(Inline)]
    private static float LogOfPart(float x, ref float exponent)
    {
        bool isTiny = x < 1.17549435e-38f;
        uint bits = Interop.FloatAsInt(isTiny ? x * 8388608f : x);
        // Counted from the root of 1/2, 0x3F3504F3.
        int steps = (int)(bits - 0x3F3504F3) >> 23;
        int whole = isTiny ? steps - 23 : steps;
        exponent = whole;
        float m = Interop.IntAsFloat(bits - ((uint)steps << 23)) - 1f;
        float z = m * m;
        float y = 7.0376836292e-2f * m - 1.1514610310e-1f;
        y = y * m + 1.1676998740e-1f;
        y = y * m - 1.2420140846e-1f;
        y = y * m + 1.4249322787e-1f;
        y = y * m - 1.6668057665e-1f;
        y = y * m + 2.0000714765e-1f;
        y = y * m - 2.4999993993e-1f;
        y = y * m + 3.3333331174e-1f;
        return m * z * y - 0.5f * z + m;
    }

    [MethodImpl(Inline)]
    private static float SpecialLog(float x, float result) =>
        x > 0 ? (x < float.PositiveInfinity ? result : x)
        : x == 0 ? float.NegativeInfinity
        : float.NaN;
}
