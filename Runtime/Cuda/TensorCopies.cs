using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// Copies between a call's tensors and tiles in shared memory where pieces of 16 bytes will not do, and of outputs. A tile's rows are
/// whole; the piece of 16 bytes with number i of row r is at place i ^ (r &amp; 7), or i ^ (r / 2 &amp; 3) where a row is not a multiple of
/// 128 bytes: matrices of eight rows are then read without meeting a bank of shared memory twice.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorCopies
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The bytes that copies of a call's queries, keys and values may take at a time: 16, 4 or 2.</summary>
    [MethodImpl(Inline)]
    public static int Width(in PortableCall call, in TensorMemory memory)
    {
        long bytes =
            memory.Query
            | memory.Key
            | memory.Value
            | 2
                * (
                    All(call.QueryStrides)
                    | All(call.KeyStrides)
                    | All(call.ValueStrides)
                    | (uint)call.HeadDim
                    | (uint)call.ValueDim
                );
        return (bytes & 15) == 0 ? 16
            : (bytes & 3) == 0 ? 4
            : 2;
    }

    /// <summary>Copies a tile four or two bytes at a time, a row a warp; what is past its rows or columns becomes 0 and is not read.</summary>
    /// <param name="width">4 or 2.</param>
    /// <param name="target">The tile in shared memory.</param>
    /// <param name="source">The first row's address.</param>
    /// <param name="stride">Elements from row to row.</param>
    /// <param name="rows">Rows that there are from the first on.</param>
    /// <param name="columns">Columns that there are.</param>
    /// <param name="tileRows">The tile's rows.</param>
    /// <param name="dim">The tile's columns.</param>
    [MethodImpl(Inline)]
    public static void Narrow(
        int width,
        int target,
        long source,
        long stride,
        int rows,
        int columns,
        int tileRows,
        int dim
    )
    {
        for (int row = Group.IdxX >> 5; row < tileRows; row += Group.DimX >> 5)
        {
            int kept = row < rows ? columns : 0;
            for (int column = 2 * (Group.IdxX & 31); column < dim; column += 64)
            {
                int at = target + Place(row, column >> 3, dim) + 2 * (column & 7);
                long from = source + 2 * (row * stride + column);
                if (width == 4)
                    CudaAsm.Emit("cp.async.ca.shared.global [%0], [%1], 4, %2;", at, from, column < kept ? 4 : 0);
                else
                    CudaAsm.Emit(
                        "{ .reg .pred first, second; .reg .b16 low, high; .reg .b32 both; setp.gt.s32 first, %2, 0; setp.gt.s32 second, %2, 1; mov.b16 low, 0; mov.b16 high, 0; @first ld.global.b16 low, [%1]; @second ld.global.b16 high, [%1+2]; mov.b32 both, {low, high}; st.shared.b32 [%0], both; }",
                        at,
                        from,
                        kept - column
                    );
            }
        }
    }

    /// <summary>Stores a group's outputs from a tile in shared memory, 16 bytes at a time where they allow it, else 2.</summary>
    [MethodImpl(Inline)]
    public static void Store(in PortableCall call, in TensorMemory memory, in PortableItem item, int tile, int dim)
    {
        // Where heads share the tile each has one query: rows are heads.
        int firstHead = TensorItem.FirstHead(call, memory, item),
            rows = memory.Work.HeadBits > 0
                ? Math.Min(1 << memory.Work.HeadBits, call.GroupSize - firstHead)
                : item.Rows;
        long stride = memory.Work.HeadBits > 0 ? call.OutputStrides.Head : call.OutputStrides.Row;
        long output =
            memory.Output
            + 2
                * (
                    item.Batch * call.OutputStrides.Batch
                    + (item.KeyHead * call.GroupSize + firstHead) * call.OutputStrides.Head
                    + item.FirstRow * call.OutputStrides.Row
                );
        long bytes = memory.Output | 2 * (All(call.OutputStrides) | (uint)call.ValueDim);
        for (int row = Group.IdxX >> 3; row < rows; row += Group.DimX >> 3)
        for (int piece = Group.IdxX & 7; 8 * piece < call.ValueDim; piece += 8)
        {
            int at = tile + Place(row, piece, dim);
            long to = output + 2 * (row * stride + 8 * piece);
            if ((bytes & 15) == 0)
                CudaAsm.Emit(
                    "{ .reg .b32 part<4>; ld.shared.v4.b32 {part0, part1, part2, part3}, [%0]; st.global.v4.b32 [%1], {part0, part1, part2, part3}; }",
                    at,
                    to
                );
            else
                for (int i = 0; i < Math.Min(8, call.ValueDim - 8 * piece); i++)
                    CudaAsm.Emit(
                        "{ .reg .b16 one; ld.shared.b16 one, [%0]; st.global.b16 [%1], one; }",
                        at + 2 * i,
                        to + 2 * i
                    );
        }
    }

    /// <summary>Where a piece of 16 bytes stands in a tile, in bytes from its start.</summary>
    [MethodImpl(Inline)]
    public static int Place(int row, int piece, int dim) =>
        2 * dim * row + ((piece ^ ((dim & 63) == 0 ? row & 7 : row >> 1 & 3)) << 4);

    [MethodImpl(Inline)]
    private static long All(TensorStrides strides) => strides.Batch | strides.Head | strides.Row;
}
