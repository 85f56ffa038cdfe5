using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// The tiles of keys that a tensor-core kernel visits, the last first: all between the rows' bounds, or where some of the mask is told
/// by no bounds those that it leaves something of, chunk after chunk.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorTiles
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The first tile of all, and the one that is visited: below the first when none is left.</summary>
    public int First,
        Tile;

    /// <summary>Not 0 where pairs of the tile are kept or not by what no bounds tell.</summary>
    public uint IsPartial;

    /// <summary>The chunks taken so far, of all rows.</summary>
    public int Chunks;

    private int from;
    private TensorChunk chunk;

    /// <summary>Whether a tile is visited.</summary>
    public readonly bool HasTile => Tile >= First;

    /// <summary>Whether the next tile, if there is one, is in a chunk that was not taken yet.</summary>
    public readonly bool NeedsChunk => chunk.Kept == 0 & from >= First;

    /// <summary>The last tile of the chunk to take.</summary>
    public readonly int From => from;

    /// <summary>Begins before the last tile of some rows.</summary>
    /// <param name="first">Their first tile.</param>
    /// <param name="last">Their last, below the first where there is none.</param>
    [MethodImpl(Inline)]
    public void Begin(int first, int last)
    {
        First = first;
        Tile = last + 1;
        from = last;
        chunk = default;
    }

    /// <summary>Takes the chunk from <see cref="From"/> on.</summary>
    [MethodImpl(Inline)]
    public void Take(in TensorChunk next)
    {
        chunk = next;
        from -= TensorChunk.Tiles;
        Chunks++;
    }

    /// <summary>Goes to the next tile, of those between bounds.</summary>
    [MethodImpl(Inline)]
    public void Step() => Tile--;

    /// <summary>Goes to the next tile that the mask leaves something of, where no chunk needs to be taken first.</summary>
    [MethodImpl(Inline)]
    public void StepInChunk()
    {
        CudaAsm.Emit("clz.b32 %0, %1;", out int place, Left);
        StepTo(place);
    }

    /// <summary>The tiles of the chunk that are still to be visited (<see cref="TensorChunk.Kept"/>).</summary>
    internal readonly uint Left => chunk.Kept;

    /// <summary>Goes to the tile so many before the chunk's last, the first of those left.</summary>
    [MethodImpl(Inline)]
    internal void StepTo(int place)
    {
        uint bit = TensorChunk.Bit(place);
        // With nothing left that is 32 places from the chunk's last tile, where the next chunk would begin: below the first tile.
        Tile = from + TensorChunk.Tiles - place;
        IsPartial = chunk.Partial & bit;
        chunk.Kept &= ~bit;
    }
}
