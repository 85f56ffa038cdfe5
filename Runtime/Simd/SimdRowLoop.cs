using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>
/// The loop of decoding: all query rows of a key head's group against some of its keys. Rows that keep the same keys of a tile go
/// through it together, a few at a time, so that each key and value is loaded once for them.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class SimdRowLoop
{
    // Floats of the widest vector: what a row's scores are rounded up to, and what a kernel may write beyond them.
    private const int MostLanes = 16;

    // Rows that go through a tile together.
    private const int RowsAtOnce = 16;

    /// <summary>Bytes of scratch that <see cref="Run"/> needs.</summary>
    public static nint ScratchBytes<T, TKernel, TArguments>(in SimdCall call)
        where T : unmanaged
        where TKernel : ISimdRowKernel<TArguments>
        where TArguments : unmanaged =>
        sizeof(float)
            * (
                RowsAtOnce * (nint)ScoreStride(TKernel.TileKeys(call))
                + (nint)call.GroupSize * call.QueryLength * call.HeadDim
            )
        + SimdRowFloats<T>.Bytes(call);

    /// <summary>Computes the rows of a group against some of its keys, and leaves them as partial results.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T, TKernel, TArguments>(
        in SimdCall call,
        in TArguments arguments,
        in SimdSplit split,
        byte* scratch,
        SimdPartial* partials,
        ref SimdOutcome outcome
    )
        where T : unmanaged
        where TKernel : ISimdRowKernel<TArguments>
        where TArguments : unmanaged
    {
        int tileKeys = TKernel.TileKeys(call);
        nint scoreStride = ScoreStride(tileKeys);
        float* scores = (float*)scratch;
        float* widened = scores + RowsAtOnce * scoreStride;
        float* queries = widened + SimdRowFloats<T>.Bytes(call) / sizeof(float);
        byte* leaves = stackalloc byte[TKernel.LeavesBytes];
        SimdTileKind* kinds = stackalloc SimdTileKind[RowsAtOnce];
        float* fades = stackalloc float[RowsAtOnce];
        SimdItem item = split.Item;
        SimdRowFloats<T> keys = new(call.KeyRow<T>(item), call.KeyStrides.Row, call.HeadDim, widened);
        SimdRowFloats<T> values = new(call.ValueRow<T>(item), call.ValueStrides.Row, call.ValueDim, widened);

        (int first, int last) = Open<T, TKernel, TArguments>(call, arguments, split, queries, partials, ref outcome);
        for (int index = first / tileKeys; (long)index * tileKeys <= last; index++)
        {
            int start = index * tileKeys,
                end = Math.Min(start + tileKeys, last + 1);
            if (!TKernel.HasHeadLeaves)
                TKernel.Leaves(call, arguments, item, start, end - start, leaves);
            int some;
            for (int r = 0; r < split.Rows; r += some)
            {
                int from = 0,
                    to = 0;
                for (some = 0; some < RowsAtOnce && r + some < split.Rows; some++)
                {
                    SimdPartial* row = partials + r + some;
                    int its = Math.Max(start, row->First),
                        itsEnd = Math.Min(end, row->Last + 1);
                    if (its >= itsEnd || some > 0 && (its != from || itsEnd != to))
                        break;
                    split.Select(call, r + some, ref item);
                    if (TKernel.HasHeadLeaves)
                        TKernel.Leaves(call, arguments, item, start, end - start, leaves);
                    kinds[some] = TKernel.Kind(call, arguments, item, leaves);
                    if (kinds[some] == SimdTileKind.Empty)
                        break;
                    (from, to) = (its, itsEnd);
                }
                if (some == 0)
                {
                    outcome.Empty++;
                    some = 1;
                    continue;
                }

                for (int key = from, count; key < to; key += count)
                    TKernel.Scores(
                        keys.From(key, to, out count),
                        keys.Stride,
                        count,
                        queries + (nint)r * call.HeadDim,
                        call.HeadDim,
                        some,
                        scores + (key - from),
                        scoreStride
                    );
                for (int i = 0; i < some; i++)
                {
                    split.Select(call, r + i, ref item);
                    (outcome.Full, outcome.Partial) =
                        kinds[i] == SimdTileKind.Full
                            ? (outcome.Full + 1, outcome.Partial)
                            : (outcome.Full, outcome.Partial + 1);
                    float* own = scores + i * scoreStride;
                    if (!TKernel.Change(call, arguments, item, kinds[i], from, to - from, own))
                        outcome.Fault(item, item.FirstRow, 1, from, to - from);
                    fades[i] = TKernel.Softmax(own, to - from, partials + r + i);
                    if (call.DropoutThreshold != 0)
                        SimdDropout.Apply(call, item, item.FirstRow, 1, 1, from, to - from, own);
                }
                for (int key = from, count; key < to; key += count)
                {
                    TKernel.Values(
                        values.From(key, to, out count),
                        values.Stride,
                        count,
                        scores + (key - from),
                        scoreStride,
                        fades,
                        some,
                        partials[r].Outputs,
                        call.ValueDim
                    );
                    // Outputs fade once a tile.
                    new Span<float>(fades, some).Fill(1);
                }
            }
        }
    }

    // Packs the rows' queries, and finds the keys that each and any of them may keep.
    private static (int First, int Last) Open<T, TKernel, TArguments>(
        in SimdCall call,
        in TArguments arguments,
        in SimdSplit split,
        float* queries,
        SimdPartial* partials,
        ref SimdOutcome outcome
    )
        where T : unmanaged
        where TKernel : ISimdRowKernel<TArguments>
        where TArguments : unmanaged
    {
        (int first, int last) = (int.MaxValue, -1);
        SimdItem item = split.Item;
        for (int r = 0; r < split.Rows; r++)
        {
            split.Select(call, r, ref item);
            SimdPartial* row = partials + r;
            TKernel.OpenRow(call, arguments, item, row, ref outcome);
            (row->First, row->Last) = (Math.Max(row->First, split.FirstKey), Math.Min(row->Last, split.LastKey));
            float* query = queries + (nint)r * call.HeadDim;
            SimdElements.Widen(call.QueryRow<T>(item), query, call.HeadDim);
            float factor = TKernel.Factor(call);
            for (int d = 0; d < call.HeadDim; d++)
                query[d] *= factor;
            if (row->First <= row->Last)
                (first, last) = (Math.Min(first, row->First), Math.Max(last, row->Last));
        }
        return (first, last);
    }

    private static int ScoreStride(int tileKeys) => (tileKeys + 2 * MostLanes - 1) / MostLanes * MostLanes;
}
