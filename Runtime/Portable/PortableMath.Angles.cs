using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

// Functions of angles.
public static partial class PortableMath
{
    private const float Pi = 3.14159265f;
    private const float HalfPi = 1.57079633f;
    private const float QuarterPi = 0.785398163f;

    /// <summary>As <see cref="MathF.Sin"/>.</summary>
    public static float Sin(float x)
    {
        int quarter = 0;
        float r = Reduce(x, ref quarter);
        float part = (quarter & 1) == 0 ? SinOfRest(r) : CosOfRest(r);
        float result = (quarter & 2) == 0 ? part : -part;
        return x == 0 ? x : result;
    }

    /// <summary>As <see cref="MathF.Cos"/>.</summary>
    public static float Cos(float x)
    {
        int quarter = 0;
        float r = Reduce(x, ref quarter);
        float part = (quarter & 1) == 0 ? CosOfRest(r) : SinOfRest(r);
        return (quarter + 1 & 2) == 0 ? part : -part;
    }

    /// <summary>As <see cref="MathF.Tan"/>.</summary>
    public static float Tan(float x)
    {
        int quarter = 0;
        float r = Reduce(x, ref quarter);
        float z = r * r;
        float y = 9.38540185543e-3f * z + 3.11992232697e-3f;
        y = y * z + 2.44301354525e-2f;
        y = y * z + 5.34112807005e-2f;
        y = y * z + 1.33387994085e-1f;
        y = y * z + 3.33331568548e-1f;
        y = y * z * r + r;
        return (quarter & 1) == 0 ? y : -1f / y;
    }

    /// <summary>As <see cref="MathF.Asin"/>.</summary>
    public static float Asin(float x)
    {
        float size = MathF.Abs(x);
        bool isFar = size > 0.5f;
        float z = isFar ? 0.5f * (1f - size) : size * size;
        float root = isFar ? MathF.Sqrt(z) : size;
        float y = AsinOfRest(z) * z * root + root;
        return CopySignOrNaN(isFar ? HalfPi - (y + y) : y, x);
    }

    /// <summary>As <see cref="MathF.Acos"/>.</summary>
    public static float Acos(float x)
    {
        float size = MathF.Abs(x);
        if (size <= 0.5f)
            return HalfPi - (AsinOfRest(x * x) * x * x * x + x);
        float z = 0.5f * (1f - size);
        float root = MathF.Sqrt(z);
        float y = AsinOfRest(z) * z * root + root;
        return x < 0 ? Pi - (y + y) : y + y;
    }

    /// <summary>As <see cref="MathF.Atan"/>.</summary>
    public static float Atan(float x) => CopySignOrNaN(AtanOfSize(MathF.Abs(x)), x);

    /// <summary>As <see cref="MathF.Atan2"/>.</summary>
    public static float Atan2(float y, float x)
    {
        float sizeY = MathF.Abs(y),
            sizeX = MathF.Abs(x);
        float angle =
            sizeY == sizeX ? (sizeY == 0 ? 0f : QuarterPi)
            : sizeY == 0 ? 0f
            : AtanOfSize(sizeY / sizeX);
        if (Interop.FloatAsInt(x) >> 31 != 0)
            angle = Pi - angle;
        return float.IsNaN(x) || float.IsNaN(y) ? float.NaN : CopySign(angle, y);
    }

    // x less a multiple of a quarter turn, exactly: 2 / pi in as many bits as the largest float needs (Payne and Hanek), of which three
    // words decide.
    private static float Reduce(float x, ref int quarter)
    {
        uint bits = Interop.FloatAsInt(x);
        int exponent = (int)(bits >> 23 & 0xFF);
        if (exponent == 255)
            return float.NaN;
        if (exponent < 126)
            return x; // Below 1/2.
        ulong mantissa = (bits & 0x7FFFFF) | 0x800000;
        // x = mantissa * 2^(exponent - 150); bits of 2 / pi that make whole turns are left out.
        int skip = exponent - 126;
        int word = skip >> 5,
            shift = skip & 31;
        ulong high = TwoOverPi(word),
            middle = TwoOverPi(word + 1),
            low = TwoOverPi(word + 2),
            last = TwoOverPi(word + 3);
        uint a = (uint)((high << 32 | middle) << shift >> 32);
        uint b = (uint)((middle << 32 | low) << shift >> 32);
        uint c = (uint)((low << 32 | last) << shift >> 32);
        // The mantissa's own 24 bits are the fraction: above them stand two bits of quarters, and whole turns above those.
        ulong product = (mantissa * c >> 32) + mantissa * b;
        ulong top = (product >> 32) + mantissa * a;
        ulong fraction = top << 38 | (product & 0xFFFFFFFF) << 6;
        // Quarters in units of 2^-62, to the nearest.
        ulong rounded = fraction + 0x2000000000000000;
        int turns = (int)(rounded >> 62);
        long rest = (long)(fraction - ((ulong)turns << 62));
        float r = (float)rest * (HalfPi / 4.611686018427387904e18f);
        quarter = bits >> 31 == 0 ? turns : -turns;
        return bits >> 31 == 0 ? r : -r;
    }

    // 2 / pi, 32 bits at a time, word 0 to 7. A kernel has this in many places, and compilers take long over branches: bits choose.
    [MethodImpl(Inline)]
    private static uint TwoOverPi(int word)
    {
        uint isOdd = (uint)-(word & 1),
            isSecond = (uint)-(word >> 1 & 1),
            isUpper = (uint)-(word >> 2 & 1);
        uint lower = Either(isSecond, Either(isOdd, 0xFC2757D1u, 0x4E441529u), Either(isOdd, 0xA2F9836Eu, 0x00000000u)),
            upper = Either(isSecond, Either(isOdd, 0xFE5163ABu, 0x3C439041u), Either(isOdd, 0xDB629599u, 0xF534DDC0u));
        return Either(isUpper, upper, lower);
    }

    // Of two words, by a mask of all bits or none.
    [MethodImpl(Inline)]
    private static uint Either(uint mask, uint ifSet, uint ifNot) => ifNot ^ ((ifSet ^ ifNot) & mask);

    [MethodImpl(Inline)]
    private static float SinOfRest(float x)
    {
        float z = x * x;
        float y = -1.9515295891e-4f * z + 8.3321608736e-3f;
        y = y * z - 1.6666654611e-1f;
        return y * z * x + x;
    }

    [MethodImpl(Inline)]
    private static float CosOfRest(float x)
    {
        float z = x * x;
        float y = 2.443315711809948e-5f * z - 1.388731625493765e-3f;
        y = y * z + 4.166664568298827e-2f;
        return y * z * z - 0.5f * z + 1f;
    }

    [MethodImpl(Inline)]
    private static float AsinOfRest(float z)
    {
        float y = 4.2163199048e-2f * z + 2.4181311049e-2f;
        y = y * z + 4.5470025998e-2f;
        y = y * z + 7.4953002686e-2f;
        return y * z + 1.6666752422e-1f;
    }

    [MethodImpl(Inline)]
    private static float AtanOfSize(float size)
    {
        float start =
            size > 2.41421356f ? HalfPi
            : size > 0.414213562f ? QuarterPi
            : 0f;
        float x =
            size > 2.41421356f ? -1f / size
            : size > 0.414213562f ? (size - 1f) / (size + 1f)
            : size;
        float z = x * x;
        float y = 8.05374449538e-2f * z - 1.38776856032e-1f;
        y = y * z + 1.99777106478e-1f;
        y = y * z - 3.33329491539e-1f;
        return start + (y * z * x + x);
    }

    [MethodImpl(Inline)]
    private static float CopySignOrNaN(float size, float sign) => float.IsNaN(size) ? size : CopySign(size, sign);
}
