using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>The exponential of the CPU's softmax, of a vector: two to the power of floats, e to the power of doubles. Both are exactly 1 for 0.</summary>
internal static class ExponentialEmitter
{
    public static string Emit(SimdTile tile) =>
        tile.Wide ? OfDoubles(tile)
        : tile.VectorBits == 512 ? OfFloats512
        : OfFloats(tile);

    // 2^x for scores in units of log 2: a degree-5 minimax polynomial of the fraction (8e-8), its constant pinned to 1 so that
    // 2^0 is exactly 1, scaled by the whole part.
    private const string OfFloats512 = """
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Reals Exp(Reals x)
        {
            Reals f = Avx512DQ.Reduce(x, 1);
            Reals p = V.FusedMultiplyAdd(V.Create(0.0018671300803232266f), f, V.Create(0.00901703029468967f));
            p = V.FusedMultiplyAdd(p, f, V.Create(0.05579991312987621f));
            p = V.FusedMultiplyAdd(p, f, V.Create(0.24016445014497687f));
            p = V.FusedMultiplyAdd(p, f, V.Create(0.6931513118059146f));
            p = V.FusedMultiplyAdd(p, f, V.Create(1f));
            return Avx512F.Scale(p, x);
        }
        """;

    // As above; the exponent is added to the bits. Below -127 the result is exactly 0. The order of the maximum keeps NaN.
    private static string OfFloats(SimdTile tile) =>
        $$"""
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            private static Reals Exp(Reals x)
            {
                x = V.MaxNative(V.Create(-127f), x);
                Reals whole = V.Floor(x);
                Reals f = x - whole;
                Reals p = {{tile.Fma}}(V.Create(0.0018671300803232266f), f, V.Create(0.00901703029468967f));
                p = {{tile.Fma}}(p, f, V.Create(0.05579991312987621f));
                p = {{tile.Fma}}(p, f, V.Create(0.24016445014497687f));
                p = {{tile.Fma}}(p, f, V.Create(0.6931513118059146f));
                p = {{tile.Fma}}(p, f, V.Create(1f));
                Reals result = (p.AsInt32() + (V.ConvertToInt32Native(whole) << 23)).AsSingle();
                return V.ConditionalSelect(V.Equals(x, x), result, x);
            }
            """;

    // e^x in doubles: x = k log 2 + r, the upper part of log 2 short enough for k times it to be exact; 1 + r + r^2 q(r) with q of degree
    // 10, a minimax polynomial (3e-19), so that e^0 is exactly 1; scaled by k.
    private static string OfDoubles(SimdTile tile)
    {
        // Beyond what doubles hold the result is exactly 0. The order of the maximum keeps NaN.
        bool isScaled = tile.VectorBits == 512;
        string whole = isScaled
            ? """
                x = V.MaxNative(V.Create(-1000.0), x);
                Reals k = V.Round(x * V.Create(1.4426950408889634));
                """
            // Added to 1.5 * 2^52, a number is rounded, and its last bits are the exponent's.
            : """
                Reals shifted = x * V.Create(1.4426950408889634) + V.Create(6755399441055744.0);
                Reals k = shifted - V.Create(6755399441055744.0);
                """;
        string result = isScaled
            ? "return Avx512F.Scale(p, k);"
            : """
                Reals result = (p.AsInt64() + (shifted.AsInt64() << 52)).AsDouble();
                return V.ConditionalSelect(V.GreaterThanOrEqual(x, V.Create(-708.0)), result, V.MaxNative(Reals.Zero, x));
                """;
        string[] q =
        {
            "2.091467938417506e-09",
            "2.510520638458724e-08",
            "2.75572736613304e-07",
            "2.7557255425720897e-06",
            "2.4801587325533377e-05",
            "0.00019841269874800512",
            "0.0013888888888883752",
            "0.008333333333326141",
            "0.04166666666666667",
            "0.1666666666666667",
            "0.5",
        };
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            private static Reals Exp(Reals x)
            {
            {{Indent(whole, 1)}}
                Reals r = {{tile.Fma}}(k, V.Create(-0.6931471805598903), x);
                r = {{tile.Fma}}(k, V.Create(-5.497923018708371E-14), r);
                Reals q = {{tile.Fma}}(V.Create({{q[0]}}), r, V.Create({{q[1]}}));
            {{Indent(Lines(q.Length - 2, i => $"q = {tile.Fma}(q, r, V.Create({q[i + 2]}));"), 1)}}
                Reals p = {{tile.Fma}}(q * r, r, r) + V.Create(1.0);
            {{Indent(result, 1)}}
            }
            """;
    }
}
