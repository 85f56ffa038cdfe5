using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>
/// The work of a group of a tensor-core kernel: one unit after another, as many groups apart as there are. A unit is one tile of a head's
/// query rows, or two, one from each end, which together have the same number of keys under a causal mask as every other pair.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorItem
{
    /// <summary>
    /// The unit of a group's step. From round to round the groups change places: the number of units of a head often divides that of the
    /// groups, and a group would meet the same tile of every head.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Unit(in PortableCall call, int step)
    {
        int round = step >> (call.ValueParts - 1);
        return round * Grid.DimX + (int)((uint)(Grid.IdxX + round) % (uint)Grid.DimX);
    }

    /// <summary>The rows of a step; none where the middle tile has no partner.</summary>
    /// <param name="call">The call; ValueParts are the tiles of a unit, 1 or 2.</param>
    /// <param name="lengths">The key lengths of all batch entries, then their offsets; or nothing.</param>
    /// <param name="step">The step.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PortableItem Of(in PortableCall call, ArrayView<int> lengths, int step, int tileRows)
    {
        uint unit = (uint)Unit(call, step);
        uint ofHead = (uint)(call.QueryTiles + call.ValueParts - 1) >> (call.ValueParts - 1);
        uint head = unit / ofHead;
        int place = (int)(unit - head * ofHead),
            mirrored = call.QueryTiles - 1 - place;
        bool isSecond = (step & (call.ValueParts - 1)) != 0;
        uint batch = head / (uint)call.QueryHeads;
        PortableItem item = default;
        item.FirstRow = (isSecond ? place : mirrored) * tileRows;
        item.Rows = isSecond & place >= mirrored ? 0 : Math.Min(tileRows, call.QueryLength - item.FirstRow);
        item.Head = (int)(head - batch * (uint)call.QueryHeads);
        item.Batch = (int)batch;
        item.KeyHead = (int)((uint)item.Head / (uint)call.GroupSize);
        item.KeyLength = call.KeyLength;
        item.Offset = call.Offset;
        if (lengths.Length > 0)
        {
            item.KeyLength = lengths[item.Batch];
            item.Offset = lengths[(lengths.Length >> 1) + item.Batch];
        }
        return item;
    }
}
