using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FlashGen.Bench.Machine;

/// <summary>Reads memory once from end to end, as fast as it comes: the roof of decoding.</summary>
static unsafe class StreamRead
{
    // A cache line is 16 floats; eight independent sums hide the latency of adding.
    private const int Step = 128;

    /// <summary>Sums the buffers, each shared among the crew's first threads in equal parts.</summary>
    public static void Run(Crew crew, int threads, params ReadOnlySpan<Buffer<float>> buffers)
    {
        foreach (Buffer<float> buffer in buffers)
        {
            float* first = buffer.Pointer;
            nint part = (nint)(buffer.Length / threads / Step * Step);
            if (threads == 1)
                Keep(Sum(first, part));
            else
                crew.Run(threads, member => Keep(Sum(first + member * part, part)));
        }
    }

    private static float kept;

    private static void Keep(float sum) => kept = sum;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* first, nint count)
    {
        Vector256<float> s0 = default,
            s1 = default,
            s2 = default,
            s3 = default,
            s4 = default,
            s5 = default,
            s6 = default,
            s7 = default;
        for (float* end = first + count; first < end; first += Step)
        {
            s0 += Vector256.Load(first) + Vector256.Load(first + 8);
            s1 += Vector256.Load(first + 16) + Vector256.Load(first + 24);
            s2 += Vector256.Load(first + 32) + Vector256.Load(first + 40);
            s3 += Vector256.Load(first + 48) + Vector256.Load(first + 56);
            s4 += Vector256.Load(first + 64) + Vector256.Load(first + 72);
            s5 += Vector256.Load(first + 80) + Vector256.Load(first + 88);
            s6 += Vector256.Load(first + 96) + Vector256.Load(first + 104);
            s7 += Vector256.Load(first + 112) + Vector256.Load(first + 120);
        }
        return Vector256.Sum(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7);
    }
}
