using System.Runtime.InteropServices;

namespace FlashGen.Support;

/// <summary>Scratch of a thread, kept from call to call and freed with the thread.</summary>
internal sealed unsafe class SimdScratch
{
    // A page: neighbouring threads then share no cache line, and vectors are aligned.
    private const nuint Alignment = 4096;

    [ThreadStatic]
    private static SimdScratch? tiles,
        partials;

    private byte* memory;
    private nint size;

    ~SimdScratch() => NativeMemory.AlignedFree(memory);

    /// <summary>Memory for the tiles of one item.</summary>
    public static byte* Get(nint bytes) => Get(ref tiles, bytes);

    /// <summary>Memory for the partial results of one call, on the thread that makes it.</summary>
    public static byte* GetPartials(nint bytes) => Get(ref partials, bytes);

    private static byte* Get(ref SimdScratch? slot, nint bytes)
    {
        SimdScratch scratch = slot ??= new();
        if (scratch.size < bytes)
        {
            NativeMemory.AlignedFree(scratch.memory);
            scratch.memory = null;
            scratch.size = 0;
            scratch.memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            scratch.size = bytes;
        }
        return scratch.memory;
    }
}
