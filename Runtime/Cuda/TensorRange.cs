using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>The keys that the rows of a tensor-core tile keep by their bounds, together.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorRange
{
    /// <summary>The keys of an item's rows, of its part of them; each warp finds them for itself, its threads together.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">How keys are split.</param>
    /// <param name="item">The group's rows, or where heads share them the thread's.</param>
    /// <param name="mods">The variant.</param>
    /// <param name="blockN">Keys of a tile.</param>
    /// <param name="number">The thread's number.</param>
    /// <param name="fault">
    /// Where faults are noted. Nothing for warps that only repeat what others find: a branch for it keeps the driver's compiler from letting
    /// products run beside others.
    /// </param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PortableRange Of<TMods, TRow>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods,
        int blockN,
        int number,
        ArrayView<int> fault
    )
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct
    {
        if (!TMods.HasMask)
            return OfAll(memory, item, blockN);
        PortableRange range = default;
        range.First = int.MaxValue;
        range.Last = -1;
        range.FirstOfAll = -1;
        range.LastOfAll = int.MaxValue;
        // Threads of one head, four by four, look at its rows together.
        int bits = memory.Work.HeadBits,
            lane = number & 31;
        for (int row = lane & 3 | lane >> (2 + bits) << 2; row < item.Rows; row += 32 >> bits)
        {
            PortableBounds bounds = mods.Bounds(call, item, row, fault);
            bool isEmpty = bounds.First > bounds.Last;
            // A row that keeps nothing says nothing of where the others begin and end, but no tile is whole with it.
            range.First = Math.Min(range.First, isEmpty ? int.MaxValue : bounds.First);
            range.Last = Math.Max(range.Last, isEmpty ? -1 : bounds.Last);
            range.FirstOfAll = Math.Max(range.FirstOfAll, isEmpty ? int.MaxValue : bounds.First);
            range.LastOfAll = Math.Min(range.LastOfAll, isEmpty ? -1 : bounds.Last);
        }
        range.First = TensorWarp.Min(range.First);
        range.Last = TensorWarp.Max(range.Last);
        range.FirstOfAll = TensorWarp.Max(range.FirstOfAll);
        range.LastOfAll = TensorWarp.Min(range.LastOfAll);
        return OfPart(memory, item, range, blockN);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PortableRange OfAll(in TensorMemory memory, in PortableItem item, int blockN)
    {
        PortableRange range = default;
        range.Last = item.Rows > 0 ? item.KeyLength - 1 : -1;
        range.LastOfAll = item.KeyLength - 1;
        return OfPart(memory, item, range, blockN);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PortableRange OfPart(in TensorMemory memory, in PortableItem item, PortableRange range, int blockN)
    {
        if (item.Part >= 0 & range.First <= range.Last)
        {
            int first = range.First / blockN,
                tiles = range.Last / blockN - first + 1,
                ofPart = memory.Work.ByParts.Into(tiles + memory.Work.Parts - 1);
            int from = (first + ofPart * item.Part) * blockN;
            range.First = Math.Max(range.First, from);
            range.Last = Math.Min(range.Last, from + ofPart * blockN - 1);
        }
        return range;
    }
}
