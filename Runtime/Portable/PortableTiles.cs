using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>Moves tiles between tensors and a group's shared memory. All threads of a group call these together.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PortableTiles
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>
    /// Copies rows of a tensor into a tile, widened. Rows past the last one repeat it, so that nothing outside the tensor is read;
    /// columns past the last one become 0.
    /// </summary>
    /// <param name="source">The tensor.</param>
    /// <param name="start">The first row's first element.</param>
    /// <param name="stride">From a row to the next.</param>
    /// <param name="rows">Rows that exist, at least 1.</param>
    /// <param name="columns">Columns that exist.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="tileRows">Rows of the tile.</param>
    /// <param name="width">Columns of the tile, a power of two.</param>
    /// <param name="tileStride">From a row of the tile to the next.</param>
    [MethodImpl(Inline)]
    public static void Load<TStored, TReal, TElement, TGroup>(
        ArrayView<TStored> source,
        long start,
        long stride,
        int rows,
        int columns,
        ArrayView<TReal> tile,
        int tileRows,
        int width,
        int tileStride
    )
        where TStored : unmanaged
        where TReal : unmanaged
        where TElement : struct, IPortableElement<TStored, TReal>
        where TGroup : struct, IPortableGroup
    {
        // Neighbouring threads take neighbouring columns, and as many rows at a time as there are threads for.
        int lanes = Math.Min(TGroup.Threads, width);
        int step = TGroup.Threads / lanes;
        for (int column = Group.IdxX % lanes; column < width; column += lanes)
        {
            int row = Group.IdxX / lanes;
            int target = row * tileStride + column;
            if (column >= columns)
            {
                for (; row < tileRows; row += step, target += step * tileStride)
                    tile[target] = default;
            }
            else if (rows >= tileRows)
            {
                // Four loads under way before the first is waited for.
                long index = start + row * stride + column;
                for (; row < tileRows; row += 4 * step, target += 4 * step * tileStride)
                {
                    TStored a = source[index];
                    TStored b = source[index + step * stride];
                    TStored c = source[index + 2 * step * stride];
                    TStored d = source[index + 3 * step * stride];
                    tile[target] = TElement.Load(a);
                    tile[target + step * tileStride] = TElement.Load(b);
                    tile[target + 2 * step * tileStride] = TElement.Load(c);
                    tile[target + 3 * step * tileStride] = TElement.Load(d);
                    index += 4 * step * stride;
                }
            }
            else
            {
                for (; row < tileRows; row += step, target += step * tileStride)
                    tile[target] = TElement.Load(source[start + Math.Min(row, rows - 1) * stride + column]);
            }
        }
    }

    /// <summary>Copies a tile into rows of a tensor, rounded to its type.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="width">Columns of the tile, a power of two.</param>
    /// <param name="tileStride">From a row of the tile to the next.</param>
    /// <param name="output">The tensor.</param>
    /// <param name="start">The first row's first element.</param>
    /// <param name="stride">From a row to the next.</param>
    /// <param name="rows">Rows that exist.</param>
    /// <param name="columns">Columns that exist.</param>
    [MethodImpl(Inline)]
    public static void Store<TStored, TReal, TElement, TGroup>(
        ArrayView<TReal> tile,
        int width,
        int tileStride,
        ArrayView<TStored> output,
        long start,
        long stride,
        int rows,
        int columns
    )
        where TStored : unmanaged
        where TReal : unmanaged
        where TElement : struct, IPortableElement<TStored, TReal>
        where TGroup : struct, IPortableGroup
    {
        int lanes = Math.Min(TGroup.Threads, width);
        int step = TGroup.Threads / lanes;
        columns = Math.Min(columns, width);
        for (int column = Group.IdxX % lanes; column < columns; column += lanes)
        for (int row = Group.IdxX / lanes; row < rows; row += step)
            output[start + row * stride + column] = TElement.Store(tile[row * tileStride + column]);
    }
}
