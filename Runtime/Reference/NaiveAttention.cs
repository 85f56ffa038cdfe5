using System.Numerics;
using FlashGen.Support;

namespace FlashGen;

/// <summary>The untiled formula in one arithmetic: float64 gives the reference, float32 the naive implementation beside it.</summary>
/// <typeparam name="TReal">float or double.</typeparam>
internal sealed class NaiveAttention<TReal>
    where TReal : struct, IBinaryFloatingPointIeee754<TReal>
{
    private readonly AttentionShape shape;
    private readonly Declaration declaration;
    private readonly IReadOnlyList<int> rows;

    /// <summary>Binds a call's declaration and arguments.</summary>
    /// <exception cref="ArgumentException">A row or argument does not fit.</exception>
    public NaiveAttention(
        AttentionVariant variant,
        in AttentionShape shape,
        ModArguments arguments,
        IReadOnlyList<int>? rows
    )
    {
        this.shape = shape;
        this.rows = rows ?? [.. Enumerable.Range(0, shape.QueryLength)];
        foreach (int row in this.rows)
            if (row < 0 || row >= shape.QueryLength)
                throw new ArgumentOutOfRangeException(
                    nameof(rows),
                    row,
                    $"rows has {row}; allowed are 0 to below the {shape.QueryLength} query rows."
                );
        declaration = new Declaration(variant, shape, arguments);
    }

    /// <summary>Whether softmax weights are rounded to the element type before the second product.</summary>
    public bool RoundWeights { get; init; }

    /// <summary>Whether the output is rounded to the element type.</summary>
    public bool RoundOutput { get; init; }

    /// <summary>Computes the rows asked for, of every batch entry and head.</summary>
    public ReferenceResult Run<T>(ReadOnlySpan<T> query, ReadOnlySpan<T> key, ReadOnlySpan<T> value)
        where T : unmanaged
    {
        ReferenceResult result = new(shape, rows);
        TensorLayout layout = declaration.Layout;
        for (int batch = 0; batch < shape.Batch; batch++)
        {
            int keys = shape.KeyLengthAt(batch);
            for (int head = 0; head < shape.QueryHeads; head++)
            {
                int keyHead = head / shape.GroupSize;
                TReal[][] k = Head(key, shape.KeyStridesIn(layout), batch, keyHead, Upto(keys), shape.HeadDim);
                TReal[][] v = Head(value, shape.ValueStridesIn(layout), batch, keyHead, Upto(keys), shape.ValueDim);
                TReal[][] q = Head(query, shape.QueryStridesIn(layout), batch, head, rows, shape.HeadDim);
                bool[] keptKeys = new bool[keys];
                for (int index = 0; index < rows.Count; index++)
                    Row<T>(result, batch, head, index, q[index], k, v, keptKeys);
                result.MaxValue = Math.Max(
                    result.MaxValue,
                    MaxFinite(v, keptKeys) * double.CreateTruncating(KeptFactor)
                );
            }
        }
        return result;
    }

    private void Row<T>(
        ReferenceResult result,
        int batch,
        int head,
        int index,
        TReal[] q,
        TReal[][] k,
        TReal[][] v,
        bool[] keptKeys
    )
        where T : unmanaged
    {
        TReal[] scores = Scores(result, batch, head, rows[index], q, k, keptKeys);

        // Softmax over the scores that are kept; the sink takes its share of the denominator and has no value.
        TReal? sink = declaration.Sink(head) is { } logit ? TReal.CreateTruncating(logit) : null;
        TReal max = sink ?? TReal.NegativeInfinity;
        foreach (TReal score in scores)
            max = TReal.Max(max, score);
        long row = result.RowAt(batch, head, index);
        if (TReal.IsNegativeInfinity(max))
        {
            // An empty row: its output stays 0.
            result.LogSumExp[row] = double.NegativeInfinity;
            return;
        }
        if (TReal.IsFinite(max))
            result.MaxScore = Math.Max(result.MaxScore, Math.Abs(double.CreateTruncating(max)));
        TReal sum = sink is { } s ? TReal.Exp(s - max) : TReal.Zero;
        foreach (TReal score in scores)
            if (!TReal.IsNegativeInfinity(score))
                sum += TReal.Exp(score - max);
        result.LogSumExp[row] = double.CreateTruncating(max + TReal.Log(sum));

        TReal[] output = new TReal[shape.ValueDim];
        for (int key = 0; key < scores.Length; key++)
        {
            if (TReal.IsNegativeInfinity(scores[key]))
                continue;
            TReal weight = TReal.Exp(scores[key] - max) / sum * DropoutFactor(batch, head, rows[index], key);
            if (RoundWeights)
                weight = Round<T>(weight);
            for (int d = 0; d < output.Length; d++)
                output[d] += weight * v[key][d];
        }
        for (int d = 0; d < output.Length; d++)
            result.Output[(row * shape.ValueDim) + d] = double.CreateTruncating(
                RoundOutput ? Round<T>(output[d]) : output[d]
            );
    }

    // The scores of one row against every key that exists; -inf where the pair is not kept.
    private TReal[] Scores(
        ReferenceResult result,
        int batch,
        int head,
        int query,
        TReal[] q,
        TReal[][] k,
        bool[] keptKeys
    )
    {
        TReal[] scores = new TReal[k.Length];
        TReal scale = TReal.CreateTruncating(declaration.Scale);
        int position = query + shape.OffsetAt(batch, declaration.Align);
        for (int key = 0; key < scores.Length; key++)
        {
            Position at = new(batch, head, head / shape.GroupSize, query, position, key, shape.QueryLength, k.Length);
            scores[key] = TReal.NegativeInfinity;
            try
            {
                if (!declaration.Keeps(at))
                    continue;
                (TReal product, TReal magnitude) = Dot(q, k[key]);
                scores[key] = declaration.Change(product * scale, at);
                if (TReal.IsNegativeInfinity(scores[key]))
                    continue;
                keptKeys[key] = true;
                result.KeptPairs++;
                magnitude *= TReal.Abs(scale);
                if (TReal.IsFinite(magnitude))
                    result.MaxProduct = Math.Max(result.MaxProduct, double.CreateTruncating(magnitude));
            }
            catch (TableReadException read) when (read.At is null)
            {
                throw new TableReadException(read.Table, read.Index, read.Length, at, read);
            }
            catch (DivideByZeroException division)
            {
                throw ModFaults.Division(at, division);
            }
        }
        return scores;
    }

    private static (TReal Product, TReal Magnitude) Dot(TReal[] q, TReal[] k)
    {
        (TReal product, TReal magnitude) = (TReal.Zero, TReal.Zero);
        for (int d = 0; d < q.Length; d++)
        {
            TReal term = q[d] * k[d];
            product += term;
            magnitude += TReal.Abs(term);
        }
        return (product, magnitude);
    }

    // What dropout multiplies the weights by that it keeps.
    private TReal KeptFactor =>
        declaration.Dropout is { } dropout
            ? TReal.CreateTruncating(65536) / TReal.CreateTruncating(65536 - dropout.Threshold)
            : TReal.One;

    private TReal DropoutFactor(int batch, int head, int query, int key)
    {
        if (declaration.Dropout is not { } dropout)
            return TReal.One;
        uint batchHead = (uint)((batch * shape.QueryHeads) + head);
        ushort draw = Philox.Draw(dropout.Seed, dropout.Offset, batchHead, (uint)query, (uint)key);
        return draw >= dropout.Threshold ? KeptFactor : TReal.Zero;
    }

    private static TReal Round<T>(TReal value)
        where T : unmanaged =>
        TReal.CreateTruncating(Elements.Widen(Elements.Narrow<T>(float.CreateTruncating(value))));

    // Rows of one head, widened.
    private static TReal[][] Head<T>(
        ReadOnlySpan<T> tensor,
        TensorStrides strides,
        int batch,
        int head,
        IReadOnlyList<int> rows,
        int dim
    )
        where T : unmanaged
    {
        TReal[][] result = new TReal[rows.Count][];
        for (int index = 0; index < rows.Count; index++)
        {
            long start = (batch * strides.Batch) + (head * strides.Head) + (rows[index] * strides.Row);
            ReadOnlySpan<T> row = tensor.Slice((int)start, dim);
            result[index] = new TReal[dim];
            for (int d = 0; d < dim; d++)
                result[index][d] = TReal.CreateTruncating(Elements.Widen(row[d]));
        }
        return result;
    }

    private static double MaxFinite(TReal[][] value, bool[] keptKeys)
    {
        double max = 0;
        for (int key = 0; key < value.Length; key++)
            if (keptKeys[key])
                foreach (TReal element in value[key])
                    if (TReal.IsFinite(element))
                        max = Math.Max(max, Math.Abs(double.CreateTruncating(element)));
        return max;
    }

    private static int[] Upto(int count) => [.. Enumerable.Range(0, count)];
}
