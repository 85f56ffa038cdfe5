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
