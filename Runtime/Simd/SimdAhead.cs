using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace FlashGen.Support;

/// <summary>
/// What is read or written next, fetched into the second-level cache while a tile is computed, a few rows at a time: the next tile of
/// keys and values, and this tile's share of the rows of the output and of the next queries. A burst of fetches would make the tile
/// wait: a core has few lines under way at a time, and those of the tile itself come from the second-level cache.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct SimdAhead
{
    private Rows tile,
        edges;
    private int edgesDone;

    /// <summary>
    /// Begins a tile of keys from <paramref name="start"/> on, behind which come <paramref name="keys"/> from <paramref name="end"/> on, of
    /// an item that reads up to key <paramref name="last"/>; fetched in so many <paramref name="steps"/>.
    /// </summary>
    public void Begin<T>(in SimdCall call, in SimdItem item, int start, int end, int last, int keys, int steps)
        where T : unmanaged
    {
        if (!Sse.IsSupported)
            return;
        bool isLast = end > last;
        tile = isLast
            ? default
            : new(
                (byte*)(call.KeyRow<T>(item) + end * call.KeyStrides.Row),
                (nint)call.KeyStrides.Row * sizeof(T),
                call.HeadDim * sizeof(T),
                (byte*)(call.ValueRow<T>(item) + end * call.ValueStrides.Row),
                (nint)call.ValueStrides.Row * sizeof(T),
                call.ValueDim * sizeof(T),
                Math.Min(keys, last + 1 - end),
                steps
            );
        int left = item.Rows - edgesDone,
            share = isLast ? left : (int)((long)left * (end - start) / (last + 1 - start));
        edges = new(
            (byte*)(call.OutputRow<T>(item) + edgesDone * call.OutputStrides.Row),
            (nint)call.OutputStrides.Row * sizeof(T),
            call.ValueDim * sizeof(T),
            (byte*)((T*)call.Query + item.NextQueries + edgesDone * call.QueryStrides.Row),
            (nint)call.QueryStrides.Row * sizeof(T),
            call.HeadDim * sizeof(T),
            share,
            // Under a causal mask the last tile takes less than half of its steps.
            isLast ? (steps + 3) / 4 : steps
        );
        edgesDone += share;
    }

    /// <summary>Fetches the next few rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Step()
    {
        if (!Sse.IsSupported)
            return;
        tile.Step();
        edges.Step();
    }

    // Rows of two tensors, so many in a step.
    private struct Rows(
        byte* first,
        nint firstStride,
        int firstBytes,
        byte* second,
        nint secondStride,
        int secondBytes,
        int rows,
        int steps
    )
    {
        private const int CacheLine = 64;

        private readonly int rowsOfStep = (rows + steps - 1) / steps;
        private byte* first = first,
            second = second;
        private int rows = rows;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step()
        {
            for (int row = Math.Min(rows, rowsOfStep); row > 0; row--, rows--)
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
}
