using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>The call's counts of tiles, where it wants any (<see cref="TensorMemory.TileCounts"/>).</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorCount
{
    /// <summary>Adds all tiles of an item's rows, and where bounds tell the whole mask what they are; the group's first thread does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Item<TMods, TRow>(
        in TensorMemory memory,
        in PortableItem item,
        in PortableRange range,
        int blockN
    )
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct
    {
        if (memory.TileCounts.Length == 0 | Group.IdxX > 0)
            return;
        int full = 0,
            partial = 0;
        if (!TMods.HasRest)
            for (int key = range.First / blockN * blockN; key <= range.Last; key += blockN)
            {
                bool isFull = IsCovered(item, range, key, blockN);
                full += isFull ? 1 : 0;
                partial += isFull ? 0 : 1;
            }
        int all = item.Rows > 0 & item.Part <= 0 ? (item.KeyLength + blockN - 1) / blockN : 0;
        PortableTile.Add(memory.TileCounts, full, partial, all);
    }

    /// <summary>Adds what is left of a warp's tiles of a chunk; the warp's first thread does.</summary>
    /// <param name="memory">Where to.</param>
    /// <param name="item">The rows.</param>
    /// <param name="range">The keys of their bounds.</param>
    /// <param name="chunk">What is left.</param>
    /// <param name="from">The chunk's last tile.</param>
    /// <param name="blockN">Keys of a tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Chunk(
        in TensorMemory memory,
        in PortableItem item,
        in PortableRange range,
        in TensorChunk chunk,
        int from,
        int blockN
    )
    {
        if (memory.TileCounts.Length == 0 | (Group.IdxX & 31) > 0)
            return;
        int full = 0,
            partial = 0;
        for (int place = 0; place < TensorChunk.Tiles; place++)
        {
            uint bit = TensorChunk.Bit(place);
            if ((chunk.Kept & bit) == 0)
                continue;
            bool isFull = (chunk.Partial & bit) == 0 & IsCovered(item, range, (from - place) * blockN, blockN);
            full += isFull ? 1 : 0;
            partial += isFull ? 0 : 1;
        }
        PortableTile.Add(memory.TileCounts, full, partial, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsCovered(in PortableItem item, in PortableRange range, int key, int blockN) =>
        range.Covers(key, Math.Min(key + blockN, item.KeyLength) - 1);
}
