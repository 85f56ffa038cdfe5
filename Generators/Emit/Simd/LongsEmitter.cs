namespace FlashGen.Generators.Emit.Simd;

/// <summary>Longs in lanes: as many as a vector has ints, so two vectors of them.</summary>
internal static class LongsEmitter
{
    public static string Emit(int bits)
    {
        return $$"""
            /// <summary>{{bits / 32}} longs: two vectors beside one of ints.</summary>
            internal readonly unsafe struct Longs{{bits}}(Half low, Half high)
            {
                private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

                public readonly Half Low = low;
                public readonly Half High = high;

                [MethodImpl(Inline)]
                public static Longs Create(long x) => new(V.Create(x), V.Create(x));

                [MethodImpl(Inline)]
                public static Longs Load(long* lanes) => new(V.Load(lanes), V.Load(lanes + Half.Count));

                [MethodImpl(Inline)]
                public void Store(long* lanes)
                {
                    Low.Store(lanes);
                    High.Store(lanes + Half.Count);
                }

                [MethodImpl(Inline)]
                public static Longs From(Ints x) => new(V.WidenLower(x), V.WidenUpper(x));

                [MethodImpl(Inline)]
                public static Longs From(UInts x) => new(V.WidenLower(x).AsInt64(), V.WidenUpper(x).AsInt64());

                /// <summary>Truncated, saturated, NaN to 0.</summary>
                [MethodImpl(Inline)]
                public static Longs From(Floats x) => new(V.ConvertToInt64(V.WidenLower(x)), V.ConvertToInt64(V.WidenUpper(x)));

                [MethodImpl(Inline)]
                public Ints ToInts() => V.Narrow(Low, High);

                /// <summary>Rounded once: a double between would round twice.</summary>
                public Floats ToFloats()
                {
                    float* lanes = stackalloc float[2 * Half.Count];
                    for (int i = 0; i < Half.Count; i++)
                    {
                        lanes[i] = Low[i];
                        lanes[i + Half.Count] = High[i];
                    }
                    return V.Load(lanes);
                }

                [MethodImpl(Inline)]
                public static Longs operator +(Longs a, Longs b) => new(a.Low + b.Low, a.High + b.High);

                [MethodImpl(Inline)]
                public static Longs operator -(Longs a, Longs b) => new(a.Low - b.Low, a.High - b.High);

                [MethodImpl(Inline)]
                public static Longs operator *(Longs a, Longs b) => new(a.Low * b.Low, a.High * b.High);

                [MethodImpl(Inline)]
                public static Longs operator &(Longs a, Longs b) => new(a.Low & b.Low, a.High & b.High);

                [MethodImpl(Inline)]
                public static Longs operator |(Longs a, Longs b) => new(a.Low | b.Low, a.High | b.High);

                [MethodImpl(Inline)]
                public static Longs operator ^(Longs a, Longs b) => new(a.Low ^ b.Low, a.High ^ b.High);

                [MethodImpl(Inline)]
                public static Longs operator -(Longs x) => new(-x.Low, -x.High);

                [MethodImpl(Inline)]
                public static Longs operator ~(Longs x) => new(~x.Low, ~x.High);

                [MethodImpl(Inline)]
                public static Longs Abs(Longs x) => new(V.Abs(x.Low), V.Abs(x.High));

                [MethodImpl(Inline)]
                public static Longs Min(Longs a, Longs b) => new(V.Min(a.Low, b.Low), V.Min(a.High, b.High));

                [MethodImpl(Inline)]
                public static Longs Max(Longs a, Longs b) => new(V.Max(a.Low, b.Low), V.Max(a.High, b.High));

                [MethodImpl(Inline)]
                public static Longs Select(Ints mask, Longs a, Longs b)
                {
                    Longs wide = From(mask);
                    return new(V.ConditionalSelect(wide.Low, a.Low, b.Low), V.ConditionalSelect(wide.High, a.High, b.High));
                }

                [MethodImpl(Inline)]
                public static Longs EqualsWide(Longs a, Longs b) => new(V.Equals(a.Low, b.Low), V.Equals(a.High, b.High));

                [MethodImpl(Inline)]
                public static Ints Equals(Longs a, Longs b) => V.Narrow(V.Equals(a.Low, b.Low), V.Equals(a.High, b.High));

                [MethodImpl(Inline)]
                public static Ints LessThan(Longs a, Longs b) => V.Narrow(V.LessThan(a.Low, b.Low), V.LessThan(a.High, b.High));

                [MethodImpl(Inline)]
                public static Ints LessThanOrEqual(Longs a, Longs b) => ~LessThan(b, a);

                [MethodImpl(Inline)]
                public static Ints GreaterThan(Longs a, Longs b) => LessThan(b, a);

                [MethodImpl(Inline)]
                public static Ints GreaterThanOrEqual(Longs a, Longs b) => ~LessThan(a, b);

                public static long Min(Longs x)
                {
                    long result = long.MaxValue;
                    for (int i = 0; i < Half.Count; i++)
                        result = Math.Min(result, Math.Min(x.Low[i], x.High[i]));
                    return result;
                }

                public static long Max(Longs x)
                {
                    long result = long.MinValue;
                    for (int i = 0; i < Half.Count; i++)
                        result = Math.Max(result, Math.Max(x.Low[i], x.High[i]));
                    return result;
                }
            }
            """;
    }
}
