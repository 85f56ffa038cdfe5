using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// What a mask leaves of 32 neighbouring tiles of keys, beside the bounds of rows: a bit for each, the highest for the last tile.
/// Warps share a chunk's tiles; each leaves its own bits in shared memory.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorChunk
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Tiles of a chunk.</summary>
    public const int Tiles = 32;

    /// <summary>The tiles that something is left of.</summary>
    public uint Kept;

    /// <summary>Those of them of which perhaps not all is left.</summary>
    public uint Partial;

    /// <summary>The bit of a tile so many before the chunk's last.</summary>
    [MethodImpl(Inline)]
    public static uint Bit(int place) => 0x80000000u >> place;

    /// <summary>Notes what is left of a tile.</summary>
    /// <param name="place">How many before the chunk's last it is.</param>
    /// <param name="kind">As in <see cref="PortableTile"/>, whatever the bounds of rows cut off.</param>
    [MethodImpl(Inline)]
    public void Add(int place, int kind)
    {
        Kept |= kind == PortableTile.Empty ? 0 : Bit(place);
        Partial |= kind == PortableTile.Partial ? Bit(place) : 0;
    }

    /// <summary>Leaves a warp's bits in shared memory; its first thread does.</summary>
    /// <param name="address">The place of the first warp's.</param>
    /// <param name="warp">The warp's number among those that share the tiles.</param>
    [MethodImpl(Inline)]
    public readonly void Store(int address, int warp)
    {
        if ((Group.IdxX & 31) == 0)
            CudaAsm.Emit("st.shared.v2.b32 [%0], {%1, %2};", address + 8 * warp, Kept, Partial);
    }

    /// <summary>All warps' bits.</summary>
    /// <param name="address">The place of the first warp's.</param>
    /// <param name="warps">How many they are.</param>
    [MethodImpl(Inline)]
    public static TensorChunk Load(int address, int warps)
    {
        ulong both = 0;
        for (int warp = 0; warp < warps; warp++)
        {
            CudaAsm.Emit("ld.shared.b64 %0, [%1];", out ulong own, address + 8 * warp);
            both |= own;
        }
        TensorChunk chunk = default;
        chunk.Kept = (uint)both;
        chunk.Partial = (uint)(both >> 32);
        return chunk;
    }
}
