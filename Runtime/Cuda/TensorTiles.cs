using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>The tiles of keys that a tensor-core kernel visits, the last first.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorTiles
{
    /// <summary>The first tile from one on that is not empty, going down; below the range's first tile when there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Next<TMods, TRow>(int tile, int first, ArrayView<byte> kinds)
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct
    {
        if (TMods.HasRest)
            while (tile >= first && Kind<TMods, TRow>(tile, first, kinds) == PortableTile.Empty)
                tile--;
        return tile;
    }

    /// <summary>Adds a group's tiles to the call's counts, if it has any: one thread looks at all of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Count<TMods, TRow>(
        in TensorMemory memory,
        in PortableItem item,
        in PortableRange range,
        ArrayView<byte> kinds,
        int first,
        int last,
        int blockN
    )
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct
    {
        if (memory.TileCounts.Length == 0 | Group.IdxX > 0)
            return;
        int full = 0,
            partial = 0;
        for (int tile = last; tile >= first; tile--)
        {
            int key = tile * blockN,
                kind = Kind<TMods, TRow>(tile, first, kinds);
            if (!TMods.HasRest && range.Covers(key, Math.Min(key + blockN, item.KeyLength) - 1))
                kind = PortableTile.Full;
            full += kind == PortableTile.Full ? 1 : 0;
            partial += kind == PortableTile.Partial ? 1 : 0;
        }
        PortableTile.Count(
            memory.TileCounts,
            full,
            partial,
            item.Part == 0 ? (item.KeyLength + blockN - 1) / blockN : 0
        );
    }

    /// <summary>What the mask leaves of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Kind<TMods, TRow>(int tile, int first, ArrayView<byte> kinds)
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct
    {
        int kind = PortableTile.Partial;
        if (TMods.HasRest && tile - first < TensorRange.Kinds)
            kind = kinds[tile - first];
        return kind;
    }
}
