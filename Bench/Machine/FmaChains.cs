using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FlashGen.Bench.Machine;

/// <summary>
/// Fused multiply-adds in twelve independent chains, written out by hand: enough to fill two pipes of latency four, few enough for
/// the registers of every width. Nothing in it touches memory, so what it reaches is the core's peak.
/// </summary>
static class FmaChains
{
    private const int Chains = 12;

    /// <summary>float32 operations a second of one core, from so many rounds.</summary>
    public static double Rate(int bits, int rounds)
    {
        long start = Stopwatch.GetTimestamp();
        float result =
            bits == 512 ? Run512(rounds)
            : bits == 256 ? Run256(rounds)
            : Run128(rounds);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        // The comparison keeps the chains alive: they converge to a number that is not negative.
        return result < 0 ? 0 : 2.0 * Chains * (bits / 32) * rounds / seconds;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run512(int rounds)
    {
        Vector512<float> m = Vector512.Create(0.5f),
            a = Vector512.Create(1f);
        Vector512<float> c0 = a,
            c1 = a,
            c2 = a,
            c3 = a,
            c4 = a,
            c5 = a,
            c6 = a,
            c7 = a,
            c8 = a,
            c9 = a,
            c10 = a,
            c11 = a;
        for (int n = 0; n < rounds; n++)
        {
            c0 = Vector512.FusedMultiplyAdd(c0, m, a);
            c1 = Vector512.FusedMultiplyAdd(c1, m, a);
            c2 = Vector512.FusedMultiplyAdd(c2, m, a);
            c3 = Vector512.FusedMultiplyAdd(c3, m, a);
            c4 = Vector512.FusedMultiplyAdd(c4, m, a);
            c5 = Vector512.FusedMultiplyAdd(c5, m, a);
            c6 = Vector512.FusedMultiplyAdd(c6, m, a);
            c7 = Vector512.FusedMultiplyAdd(c7, m, a);
            c8 = Vector512.FusedMultiplyAdd(c8, m, a);
            c9 = Vector512.FusedMultiplyAdd(c9, m, a);
            c10 = Vector512.FusedMultiplyAdd(c10, m, a);
            c11 = Vector512.FusedMultiplyAdd(c11, m, a);
        }
        return Vector512.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run256(int rounds)
    {
        Vector256<float> m = Vector256.Create(0.5f),
            a = Vector256.Create(1f);
        Vector256<float> c0 = a,
            c1 = a,
            c2 = a,
            c3 = a,
            c4 = a,
            c5 = a,
            c6 = a,
            c7 = a,
            c8 = a,
            c9 = a,
            c10 = a,
            c11 = a;
        for (int n = 0; n < rounds; n++)
        {
            c0 = Vector256.FusedMultiplyAdd(c0, m, a);
            c1 = Vector256.FusedMultiplyAdd(c1, m, a);
            c2 = Vector256.FusedMultiplyAdd(c2, m, a);
            c3 = Vector256.FusedMultiplyAdd(c3, m, a);
            c4 = Vector256.FusedMultiplyAdd(c4, m, a);
            c5 = Vector256.FusedMultiplyAdd(c5, m, a);
            c6 = Vector256.FusedMultiplyAdd(c6, m, a);
            c7 = Vector256.FusedMultiplyAdd(c7, m, a);
            c8 = Vector256.FusedMultiplyAdd(c8, m, a);
            c9 = Vector256.FusedMultiplyAdd(c9, m, a);
            c10 = Vector256.FusedMultiplyAdd(c10, m, a);
            c11 = Vector256.FusedMultiplyAdd(c11, m, a);
        }
        return Vector256.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11);
    }

    // Where there are 128 bits only, FusedMultiplyAdd may be a call of the C library; the kernels use this instead.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Run128(int rounds)
    {
        Vector128<float> m = Vector128.Create(0.5f),
            a = Vector128.Create(1f);
        Vector128<float> c0 = a,
            c1 = a,
            c2 = a,
            c3 = a,
            c4 = a,
            c5 = a,
            c6 = a,
            c7 = a,
            c8 = a,
            c9 = a,
            c10 = a,
            c11 = a;
        for (int n = 0; n < rounds; n++)
        {
            c0 = Vector128.MultiplyAddEstimate(c0, m, a);
            c1 = Vector128.MultiplyAddEstimate(c1, m, a);
            c2 = Vector128.MultiplyAddEstimate(c2, m, a);
            c3 = Vector128.MultiplyAddEstimate(c3, m, a);
            c4 = Vector128.MultiplyAddEstimate(c4, m, a);
            c5 = Vector128.MultiplyAddEstimate(c5, m, a);
            c6 = Vector128.MultiplyAddEstimate(c6, m, a);
            c7 = Vector128.MultiplyAddEstimate(c7, m, a);
            c8 = Vector128.MultiplyAddEstimate(c8, m, a);
            c9 = Vector128.MultiplyAddEstimate(c9, m, a);
            c10 = Vector128.MultiplyAddEstimate(c10, m, a);
            c11 = Vector128.MultiplyAddEstimate(c11, m, a);
        }
        return Vector128.Sum(c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11);
    }
}
