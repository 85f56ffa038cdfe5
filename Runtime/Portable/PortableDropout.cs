using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>Drops entries of a row of probabilities (semantics 11); the factor on those kept comes in with the row's sum.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PortableDropout
{
    /// <summary>Zeroes what the draws drop of one row's keys.</summary>
    /// <param name="call">The call.</param>
    /// <param name="item">The group's work.</param>
    /// <param name="query">The query row.</param>
    /// <param name="firstKey">The tile's first key, a multiple of 32.</param>
    /// <param name="keys">The tile's keys, a multiple of 32.</param>
    /// <param name="scores">The tile, key by key.</param>
    /// <param name="row">The row's place in it.</param>
    /// <param name="stride">From a key to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply<TReal>(
        in PortableCall call,
        in PortableItem item,
        int query,
        int firstKey,
        int keys,
        ArrayView<TReal> scores,
        int row,
        int stride
    )
        where TReal : unmanaged
    {
        if (call.DropoutThreshold == 0)
            return;
        uint batchHead = (uint)(item.Batch * call.QueryHeads + item.Head);
        // One call of the generator serves eight keys of a block of 32: 2c, 2c + 1, and those 8, 16 and 24 further.
        for (int group = 0; group < keys / 8; group++)
        {
            PhiloxWords words = Philox.DropoutWords(
                call.DropoutSeed,
                call.DropoutOffset,
                batchHead,
                (uint)query,
                (uint)(firstKey / 8 + group)
            );
            int target = (group / 4 * 32 + group % 4 * 2) * stride + row;
            Drop(words.X0, call.DropoutThreshold, scores, target, stride);
            Drop(words.X1, call.DropoutThreshold, scores, target + 8 * stride, stride);
            Drop(words.X2, call.DropoutThreshold, scores, target + 16 * stride, stride);
            Drop(words.X3, call.DropoutThreshold, scores, target + 24 * stride, stride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Drop<TReal>(uint word, uint threshold, ArrayView<TReal> scores, int target, int stride)
        where TReal : unmanaged
    {
        if ((word & 0xFFFF) < threshold)
            scores[target] = default;
        if (word >> 16 < threshold)
            scores[target + stride] = default;
    }
}
