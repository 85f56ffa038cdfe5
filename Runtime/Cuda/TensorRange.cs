using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>The keys that the rows of a tensor-core tile keep by their bounds, together.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorRange
{
    /// <summary>Kinds of tiles that a kernel keeps in shared memory; the tiles beyond run the mask.</summary>
    public const int Kinds = 1024;

    /// <summary>The keys of an item's rows; each warp finds them for itself, its threads together.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">Where faults are noted.</param>
    /// <param name="item">The group's rows.</param>
    /// <param name="mods">The variant.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PortableRange Of<TMods, TRow>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods
    )
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct
    {
        PortableRange range = default;
        range.First = int.MaxValue;
        range.Last = -1;
        range.FirstOfAll = -1;
        range.LastOfAll = int.MaxValue;
        for (int row = Group.IdxX & 31; row < item.Rows; row += 32)
        {
            PortableBounds bounds = mods.Bounds(call, item, row, memory.Fault);
            bool isEmpty = bounds.First > bounds.Last;
            // A row that keeps nothing says nothing of where the others begin and end, but no tile is whole with it.
            range.First = Math.Min(range.First, isEmpty ? int.MaxValue : bounds.First);
            range.Last = Math.Max(range.Last, isEmpty ? -1 : bounds.Last);
            range.FirstOfAll = Math.Max(range.FirstOfAll, isEmpty ? int.MaxValue : bounds.First);
            range.LastOfAll = Math.Min(range.LastOfAll, isEmpty ? -1 : bounds.Last);
        }
        range.First = Min(range.First);
        range.Last = Max(range.Last);
        range.FirstOfAll = Max(range.FirstOfAll);
        range.LastOfAll = Min(range.LastOfAll);
        return range;
    }

    /// <summary>
    /// A number that is the same in all threads of a warp, in a way that the driver's compiler knows: it then keeps what follows from it
    /// in uniform registers, where matrix descriptors must be.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Uniform(int value)
    {
        CudaAsm.Emit("shfl.sync.idx.b32 %0, %1, 0, 31, 0xffffffff;", out int same, value);
        return same;
    }

    /// <summary>The least of a warp's numbers (PTX ISA, redux.sync).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Min(int value)
    {
        CudaAsm.Emit("redux.sync.min.s32 %0, %1, 0xffffffff;", out int least, value);
        return least;
    }

    /// <summary>The greatest of a warp's numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Max(int value)
    {
        CudaAsm.Emit("redux.sync.max.s32 %0, %1, 0xffffffff;", out int greatest, value);
        return greatest;
    }
}
