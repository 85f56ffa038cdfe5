using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Drops entries of a panel of probabilities (semantics 11); the factor on those kept is applied with the row sums.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class SimdDropout
{
    /// <summary>Zeroes what the draws drop, in a panel of keys x panelRows probabilities.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply<TReal>(
        in SimdCall call,
        in SimdItem item,
        int firstRow,
        int panelRows,
        int firstKey,
        int keys,
        TReal* panel
    )
        where TReal : unmanaged
    {
        if (call.DropoutThreshold == 0)
            return;
        uint threshold = call.DropoutThreshold;
        uint batchHead = (uint)(item.Batch * call.QueryHeads + item.Head);
        int end = firstKey + keys;
        // One call of the generator serves eight keys of a block of 32: 2c, 2c + 1, and those 8, 16 and 24 further.
        for (int block = firstKey / 32; block * 32 < end; block++)
        for (int c = 0; c < 4; c++)
        for (int row = 0; row < panelRows; row++)
        {
            PhiloxWords words = Philox.DropoutWords(
                call.DropoutSeed,
                call.DropoutOffset,
                batchHead,
                (uint)(firstRow + row),
                (uint)(block * 4 + c)
            );
            Drop(words.X0, 0);
            Drop(words.X1, 8);
            Drop(words.X2, 16);
            Drop(words.X3, 24);

            void Drop(uint word, int step)
            {
                int key = block * 32 + step + 2 * c;
                if ((word & 0xFFFF) < threshold && key >= firstKey && key < end)
                    panel[(long)(key - firstKey) * panelRows + row] = default;
                if (word >> 16 < threshold && key + 1 >= firstKey && key + 1 < end)
                    panel[(long)(key + 1 - firstKey) * panelRows + row] = default;
            }
        }
    }
}
