using System.Runtime.InteropServices;

namespace FlashGen.Support;

/// <summary>
/// Scratch of a thread, kept from call to call and freed with the thread. Whoever works with it has taken it from the thread until then: a
/// user's progress may call a kernel in the middle of a call, on its thread.
/// </summary>
internal sealed unsafe class SimdScratch
{
    // A page: neighbouring threads then share no cache line, and vectors are aligned.
    private const nuint Alignment = 4096;

    [ThreadStatic]
    private static SimdScratch? tiles,
        partials;

    private nint size;

    ~SimdScratch() => NativeMemory.AlignedFree(Memory);

    /// <summary>Where it is.</summary>
    public byte* Memory { get; private set; }

    /// <summary>Memory for the tiles of one item.</summary>
    public static SimdScratch TakeTiles(nint bytes) => Take(ref tiles, bytes);

    /// <summary>Memory for the partial results of one call, on the thread that makes it.</summary>
    public static SimdScratch TakePartials(nint bytes) => Take(ref partials, bytes);

    /// <summary>Gives it back to the thread that took it.</summary>
    public static void ReturnTiles(SimdScratch scratch) => tiles = scratch;

    /// <inheritdoc cref="ReturnTiles"/>
    public static void ReturnPartials(SimdScratch scratch) => partials = scratch;

    private static SimdScratch Take(ref SimdScratch? slot, nint bytes)
    {
        SimdScratch scratch = slot ?? new();
        slot = null;
        if (scratch.size < bytes)
        {
            NativeMemory.AlignedFree(scratch.Memory);
            scratch.Memory = null;
            scratch.size = 0;
            scratch.Memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            scratch.size = bytes;
        }
        return scratch;
    }
}
