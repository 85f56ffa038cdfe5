using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace FlashGen.Support;

/// <summary>
/// What is read or written next, fetched into the second-level cache while a tile is computed, a few rows at a time: the next tile of
/// keys and values or, behind the last one, the rows of the output and the next queries. A burst of fetches would make the tile wait.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct SimdAhead
{
    private const int CacheLine = 64;

    private byte* first,
        second;
    private nint firstStride,
        secondStride;
    private int firstBytes,
        secondBytes,
        rows,
        rowsPerStep;

    /// <summary>
    /// What comes after the keys before <paramref name="end"/>, of an item that reads up to key <paramref name="last"/> in tiles of
    /// <paramref name="keys"/>; fetched in so many <paramref name="steps"/>.
    /// </summary>
    public static SimdAhead Of<T>(in SimdCall call, in SimdItem item, int end, int last, int keys, int steps)
        where T : unmanaged
    {
        SimdAhead ahead = default;
        if (!Sse.IsSupported)
            return ahead;
        if (end <= last)
        {
            ahead.rows = Math.Min(keys, last + 1 - end);
            ahead.first = (byte*)(call.KeyRow<T>(item) + end * call.KeyStrides.Row);
            ahead.second = (byte*)(call.ValueRow<T>(item) + end * call.ValueStrides.Row);
            (ahead.firstStride, ahead.firstBytes) = ((nint)call.KeyStrides.Row * sizeof(T), call.HeadDim * sizeof(T));
            (ahead.secondStride, ahead.secondBytes) = (
                (nint)call.ValueStrides.Row * sizeof(T),
                call.ValueDim * sizeof(T)
            );
        }
        else
        {
            // Under a causal mask the last tile takes less than half of its steps.
            steps = (steps + 3) / 4;
            ahead.rows = item.Rows;
            ahead.first = (byte*)call.OutputRow<T>(item);
            (ahead.firstStride, ahead.firstBytes) = (
                (nint)call.OutputStrides.Row * sizeof(T),
                call.ValueDim * sizeof(T)
            );
            ahead.second = (byte*)((T*)call.Query + item.NextQueries);
            (ahead.secondStride, ahead.secondBytes) = (
                (nint)call.QueryStrides.Row * sizeof(T),
                call.HeadDim * sizeof(T)
            );
        }
        ahead.rowsPerStep = (ahead.rows + steps - 1) / steps;
        return ahead;
    }

    /// <summary>Fetches the next few rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Step()
    {
        if (!Sse.IsSupported)
            return;
        for (int row = Math.Min(rows, rowsPerStep); row > 0; row--, rows--)
        {
            for (int at = 0; at < firstBytes; at += CacheLine)
                Sse.Prefetch1(first + at);
            for (int at = 0; at < secondBytes; at += CacheLine)
                Sse.Prefetch1(second + at);
            first += firstStride;
            second += secondStride;
        }
    }
}
