namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// Functions of float lanes, inlined where mods call them: .NET's own vector forms are calls, and how fast their code is differs from
/// process to process.
/// </summary>
internal static class LaneFunctions
{
    public static string Emit(int bits) =>
        string.Join(
            "\n\n",
            Exp,
            bits == 512 ? Scale512 : ScaleNarrow,
            Log,
            Pow(bits),
            Tanh,
            bits == 512 ? TanhOfAny("x * p * Reciprocal(q)") + "\n\n" + Reciprocal : TanhOfAny("x * p / q")
        );

    // Of log 2 the upper part has so few bits that an exponent times it is exact.
    private const string Exp = """
        // x = k log 2 + r. The bounds are beyond what floats hold, and their order keeps NaN.
        [MethodImpl(Inline)]
        public static Floats Exp(Floats x)
        {
            x = V.MaxNative(V.Create(-104f), V.MinNative(V.Create(89f), x));
            Floats k = V.Round(x * V.Create(1.44269504f));
            Floats r = V.MultiplyAddEstimate(k, V.Create(-0.693359375f), x);
            return ExpOfSmall(V.MultiplyAddEstimate(k, V.Create(2.12194440e-4f), r), k);
        }

        [MethodImpl(Inline)]
        public static Floats Exp2(Floats x)
        {
            x = V.MaxNative(V.Create(-151f), V.MinNative(V.Create(129f), x));
            Floats k = V.Round(x);
            return ExpOfSmall((x - k) * V.Create(0.693147181f), k);
        }

        // 1 + r + r^2 q(r), the least greatest error (1e-8): 1 unit in the last place.
        [MethodImpl(Inline)]
        private static Floats ExpOfSmall(Floats r, Floats k)
        {
            Floats q = V.MultiplyAddEstimate(V.Create(0.00139261771f), r, V.Create(0.00836317334f));
            q = V.MultiplyAddEstimate(q, r, V.Create(0.0416665561f));
            q = V.MultiplyAddEstimate(q, r, V.Create(0.166665778f));
            q = V.MultiplyAddEstimate(q, r, V.Create(0.5f));
            return Scale(V.MultiplyAddEstimate(q * r, r, r) + V.Create(1f), k);
        }
        """;

    private const string Scale512 = """
        [MethodImpl(Inline)]
        private static Floats Scale(Floats x, Floats exponent) => Avx512F.Scale(x, exponent);
        """;

    private const string ScaleNarrow = """
        // By two powers: one would reach neither the least nor the greatest number.
        [MethodImpl(Inline)]
        private static Floats Scale(Floats x, Floats exponent)
        {
            Ints whole = V.ConvertToInt32Native(exponent), half = whole >> 1;
            return x * PowerOfTwo(half) * PowerOfTwo(whole - half);
        }

        [MethodImpl(Inline)]
        private static Floats PowerOfTwo(Ints exponent) => (exponent + V.Create(127) << 23).AsSingle();
        """;

    private const string Log = """
        [MethodImpl(Inline)]
        public static Floats Log(Floats x)
        {
            Floats log = LogOfRest(x, out Floats k);
            log = V.MultiplyAddEstimate(k, V.Create(-2.12194440e-4f), log);
            return LogOfAny(x, V.MultiplyAddEstimate(k, V.Create(0.693359375f), log));
        }

        [MethodImpl(Inline)]
        public static Floats Log2(Floats x)
        {
            Floats log = LogOfRest(x, out Floats k);
            return LogOfAny(x, V.MultiplyAddEstimate(log, V.Create(1.44269504f), k));
        }

        // Of x = 2^k (1 + f), with 1 + f from the root of 1/2 on: f - f^2 / 2 + f^3 p(f), 1 unit in the last place. Numbers without a leading
        // bit are given one first.
        [MethodImpl(Inline)]
        private static Floats LogOfRest(Floats x, out Floats k)
        {
            Ints least = V.Create(0x3F3504F3), isTiny = V.LessThan(x, V.Create(1.17549435e-38f)).AsInt32();
            Ints whole = V.ConditionalSelect(isTiny.AsSingle(), x * V.Create(8388608f), x).AsInt32() - least;
            k = V.ConvertToSingle((whole >> 23) - (isTiny & V.Create(23)));
            Floats f = ((whole & V.Create(0x007FFFFF)) + least).AsSingle() - V.Create(1f), square = f * f;
            Floats p = V.MultiplyAddEstimate(V.Create(-0.0790274367f), f, V.Create(0.126223192f));
            p = V.MultiplyAddEstimate(p, f, V.Create(-0.129981831f));
            p = V.MultiplyAddEstimate(p, f, V.Create(0.142144963f));
            p = V.MultiplyAddEstimate(p, f, V.Create(-0.166412815f));
            p = V.MultiplyAddEstimate(p, f, V.Create(0.200010449f));
            p = V.MultiplyAddEstimate(p, f, V.Create(-0.250003070f));
            p = V.MultiplyAddEstimate(p, f, V.Create(0.333333313f));
            return V.MultiplyAddEstimate(square, V.MultiplyAddEstimate(p, f, V.Create(-0.5f)), f);
        }

        // The ends of the range, and what has no logarithm.
        [MethodImpl(Inline)]
        private static Floats LogOfAny(Floats x, Floats log)
        {
            log = V.ConditionalSelect(V.Equals(x, V.Create(float.PositiveInfinity)), x, log);
            Floats none = V.ConditionalSelect(V.Equals(x, Floats.Zero), V.Create(float.NegativeInfinity), V.Create(float.NaN));
            return V.ConditionalSelect(V.GreaterThan(x, Floats.Zero), log, none);
        }
        """;

    private static string Pow(int bits) =>
        $$"""
            // In doubles, of which the greatest exponents leave a float's places. Where not all are positive and finite, lane by lane.
            [MethodImpl(Inline)]
            public static Floats Pow(Floats x, Floats y)
            {
                Floats infinity = V.Create(float.PositiveInfinity);
                if (!(V.GreaterThanAll(x, Floats.Zero) && V.LessThanAll(x, infinity) && V.LessThanAll(V.Abs(y), infinity)))
                    return Map(x, y, &MathF.Pow);
                (Vector{{bits}}<double> xLow, Vector{{bits}}<double> xHigh) = V.Widen(x);
                (Vector{{bits}}<double> yLow, Vector{{bits}}<double> yHigh) = V.Widen(y);
                return V.Narrow(PowOfPositive(xLow, yLow), PowOfPositive(xHigh, yHigh));
            }

            // x = 2^k m with m from the root of 1/2 on, log2(m) = s p(s^2) with s = (m - 1) / (m + 1); then 2^t by t's whole part and the series of
            // the rest. A number below 2^51 plus 1.5 * 2^52 has its whole part in its last bits.
            [MethodImpl(Inline)]
            private static Vector{{bits}}<double> PowOfPositive(Vector{{bits}}<double> x, Vector{{bits}}<double> y)
            {
                Vector{{bits}}<long> least = V.Create(0x3FE6A09E667F3BCDL), whole = x.AsInt64() - least;
                Vector{{bits}}<double> k = ((whole + V.Create(1L << 62) >>> 52) | V.Create(0x4330000000000000L)).AsDouble() - V.Create(4503599627371520.0);
                Vector{{bits}}<double> m = ((whole & V.Create(0xFFFFFFFFFFFFFL)) + least).AsDouble(), one = V.Create(1.0);
                Vector{{bits}}<double> s = (m - one) / (m + one), square = s * s;
                Vector{{bits}}<double> p = V.MultiplyAddEstimate(V.Create(0.22195308321368667), square, V.Create(0.26230818925253880));
                p = V.MultiplyAddEstimate(p, square, V.Create(0.32059889797532520));
                p = V.MultiplyAddEstimate(p, square, V.Create(0.41219858311113240));
                p = V.MultiplyAddEstimate(p, square, V.Create(0.57707801635558540));
                p = V.MultiplyAddEstimate(p, square, V.Create(0.96179669392597560));
                p = V.MultiplyAddEstimate(p, square, V.Create(2.8853900817779268));
                Vector{{bits}}<double> t = y * V.MultiplyAddEstimate(s, p, k);
                t = V.Max(V.Create(-200.0), V.Min(V.Create(200.0), t));
                Vector{{bits}}<double> shifted = t + V.Create(6755399441055744.0), r = (t - (shifted - V.Create(6755399441055744.0))) * V.Create(0.6931471805599453);
                Vector{{bits}}<double> e = V.MultiplyAddEstimate(V.Create(2.4801587301587302e-05), r, V.Create(0.00019841269841269841));
                e = V.MultiplyAddEstimate(e, r, V.Create(0.001388888888888889));
                e = V.MultiplyAddEstimate(e, r, V.Create(0.008333333333333333));
                e = V.MultiplyAddEstimate(e, r, V.Create(0.041666666666666664));
                e = V.MultiplyAddEstimate(e, r, V.Create(0.16666666666666666));
                e = V.MultiplyAddEstimate(e, r, V.Create(0.5));
                e = V.MultiplyAddEstimate(e, r, one);
                e = V.MultiplyAddEstimate(e, r, one);
                return (e.AsInt64() + (shifted.AsInt64() << 52)).AsDouble();
            }
            """;

    private const string Tanh = """
        // Most arguments of a soft cap are small: where all lanes are, a polynomial of a third of the operations, 1 unit in the last
        // place. NaN is not small.
        [MethodImpl(Inline)]
        public static Floats Tanh(Floats x) => V.LessThanAll(V.Abs(x), V.Create(0.625f)) ? TanhOfSmall(x) : TanhOfAny(x);

        // x + x^3 P(x^2), the least greatest relative error up to 0.625.
        [MethodImpl(Inline)]
        private static Floats TanhOfSmall(Floats x)
        {
            Floats square = x * x;
            Floats p = V.MultiplyAddEstimate(V.Create(-0.00570498686f), square, V.Create(0.0206390881f));
            p = V.MultiplyAddEstimate(p, square, V.Create(-0.0537397154f));
            p = V.MultiplyAddEstimate(p, square, V.Create(0.133314416f));
            p = V.MultiplyAddEstimate(p, square, V.Create(-0.333332807f));
            return V.MultiplyAddEstimate(x * square, p, x);
        }
        """;

    private static string TanhOfAny(string result) =>
        $$"""
            // A rational approximation, odd over even (the coefficients are Eigen's): 3 units in the last place, one division. Beyond
            // the bound the result is 1 in float. The order of the bounds keeps NaN.
            [MethodImpl(Inline)]
            private static Floats TanhOfAny(Floats x)
            {
                x = V.MaxNative(V.Create(-7.90531110763549805f), V.MinNative(V.Create(7.90531110763549805f), x));
                Floats square = x * x;
                Floats p = V.MultiplyAddEstimate(V.Create(-2.76076847742355e-16f), square, V.Create(2.00018790482477e-13f));
                p = V.MultiplyAddEstimate(p, square, V.Create(-8.60467152213735e-11f));
                p = V.MultiplyAddEstimate(p, square, V.Create(5.12229709037114e-08f));
                p = V.MultiplyAddEstimate(p, square, V.Create(1.48572235717979e-05f));
                p = V.MultiplyAddEstimate(p, square, V.Create(6.37261928875436e-04f));
                p = V.MultiplyAddEstimate(p, square, V.Create(4.89352455891786e-03f));
                Floats q = V.MultiplyAddEstimate(V.Create(1.19825839466702e-06f), square, V.Create(1.18534705686654e-04f));
                q = V.MultiplyAddEstimate(q, square, V.Create(2.26843463243900e-03f));
                q = V.MultiplyAddEstimate(q, square, V.Create(4.89352518554385e-03f));
                return {{result}};
            }
            """;

    // A division of 512 bits keeps its unit busy for 16 cycles.
    private const string Reciprocal = """
        // 14 bits, and a step of Newton's method to all of them.
        [MethodImpl(Inline)]
        private static Floats Reciprocal(Floats x)
        {
            Floats r = Avx512F.Reciprocal14(x);
            return V.FusedMultiplyAdd(r, V.FusedMultiplyAdd(-x, r, V.Create(1f)), r);
        }
        """;
}
