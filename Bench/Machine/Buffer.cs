using System.Runtime.InteropServices;

namespace FlashGen.Bench.Machine;

/// <summary>Memory that stays in place and starts at a page, so that every candidate reads the very same tensor.</summary>
sealed unsafe class Buffer<T> : IDisposable
    where T : unmanaged
{
    private const nuint Page = 4096;

    public Buffer(long length)
    {
        Length = length;
        Pointer = (T*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, length) * (nuint)sizeof(T), Page);
        Span.Clear();
    }

    public long Length { get; }

    public T* Pointer { get; }

    public Span<T> Span => new(Pointer, checked((int)Length));

    public void Dispose() => NativeMemory.AlignedFree(Pointer);
}

/// <summary>Inputs: normally distributed, the same in every run.</summary>
static class Noise
{
    public static Buffer<float> Normal(long length, int seed, float deviation = 1)
    {
        Buffer<float> buffer = new(length);
        Random random = new(seed);
        Span<float> span = buffer.Span;
        for (int n = 0; n < span.Length; n += 2)
        {
            // Box and Muller's pair.
            double radius = deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            double angle = 2 * Math.PI * random.NextDouble();
            span[n] = (float)(radius * Math.Cos(angle));
            if (n + 1 < span.Length)
                span[n + 1] = (float)(radius * Math.Sin(angle));
        }
        return buffer;
    }

    public static Buffer<T> Converted<T>(Buffer<float> from, Func<float, T> convert)
        where T : unmanaged
    {
        Buffer<T> buffer = new(from.Length);
        for (int n = 0; n < buffer.Span.Length; n++)
            buffer.Span[n] = convert(from.Span[n]);
        return buffer;
    }
}
