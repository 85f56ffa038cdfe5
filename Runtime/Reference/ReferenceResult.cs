namespace FlashGen;

/// <summary>What <see cref="Reference"/> computed, with the magnitudes that <see cref="ErrorRule"/> needs.</summary>
public sealed class ReferenceResult
{
    internal ReferenceResult(in AttentionShape shape, IReadOnlyList<int> rows)
    {
        (Batch, QueryHeads, ValueDim, Rows) = (shape.Batch, shape.QueryHeads, shape.ValueDim, rows);
        long count = (long)Batch * QueryHeads * rows.Count;
        Output = new double[count * ValueDim];
        LogSumExp = new double[count];
    }

    /// <summary>Batch entries.</summary>
    public int Batch { get; }

    /// <summary>Query heads.</summary>
    public int QueryHeads { get; }

    /// <summary>Elements of an output row.</summary>
    public int ValueDim { get; }

    /// <summary>The query rows that were computed, in this order.</summary>
    public IReadOnlyList<int> Rows { get; }

    /// <summary>The output: (batch, queryHeads, Rows.Count, valueDim) without gaps.</summary>
    public double[] Output { get; }

    /// <summary>Log-sum-exp, natural: (batch, queryHeads, Rows.Count).</summary>
    public double[] LogSumExp { get; }

    /// <summary>The largest finite |scale| * sum |q_d k_d| of a kept pair: A in the error rule.</summary>
    public double MaxProduct { get; internal set; }

    /// <summary>The largest finite magnitude of a row's largest score, after all changes.</summary>
    public double MaxScore { get; internal set; }

    /// <summary>The largest finite |v| of a kept key, times what dropout multiplies kept weights by.</summary>
    public double MaxValue { get; internal set; }

    /// <summary>Pairs of query and key that were kept: by every mask, and with a score other than -inf.</summary>
    public long KeptPairs { get; internal set; }

    /// <summary>Where a row stands in <see cref="LogSumExp"/>; times <see cref="ValueDim"/>, in <see cref="Output"/>.</summary>
    /// <param name="batch">The batch entry.</param>
    /// <param name="head">The query head.</param>
    /// <param name="index">The row's index in <see cref="Rows"/>.</param>
    public long RowAt(int batch, int head, int index) => ((((long)batch * QueryHeads) + head) * Rows.Count) + index;
}
