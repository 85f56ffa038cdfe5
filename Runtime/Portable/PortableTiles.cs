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

    /// <summary>Stores four neighbouring columns of an output row, as far as they exist, times a factor; 0 for a factor of 0.</summary>
    /// <param name="output">The tensor.</param>
    /// <param name="start">The row's first element.</param>
    /// <param name="column">The first of the four columns.</param>
    /// <param name="columns">Columns that exist.</param>
    /// <param name="value">The four numbers.</param>
    /// <param name="factor">The factor.</param>
    [MethodImpl(Inline)]
    public static void Store<TStored, TElement>(
        ArrayView<TStored> output,
        long start,
        int column,
        int columns,
        Float4 value,
        float factor
    )
        where TStored : unmanaged
        where TElement : struct, IPortableElement<TStored, float>
    {
        // A row that kept nothing has a factor of 0: its output is exactly 0, whatever the sum holds.
        Float4 scaled = factor == 0 ? default : Float4.Scale(value, factor);
        if (column < columns)
            output[start + column] = TElement.Store(scaled.X);
        if (column + 1 < columns)
            output[start + column + 1] = TElement.Store(scaled.Y);
        if (column + 2 < columns)
            output[start + column + 2] = TElement.Store(scaled.Z);
        if (column + 3 < columns)
            output[start + column + 3] = TElement.Store(scaled.W);
    }
}
