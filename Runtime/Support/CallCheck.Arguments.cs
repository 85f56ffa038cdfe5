namespace FlashGen.Support;

// The run-time arguments of the ready-made attributes. Lengths rather than spans, so that CPU and device calls share them.
public static partial class CallCheck
{
    /// <summary>Checks [Scale]'s argument: finite.</summary>
    public static void Scale(float scale)
    {
        if (!float.IsFinite(scale))
            throw new ArgumentOutOfRangeException(nameof(scale), scale, Text($"scale is {scale}; it must be finite."));
    }

    /// <summary>Checks [Alibi]'s argument: (queryHeads) or (batch, queryHeads).</summary>
    /// <returns>The step from a batch entry to the next: queryHeads, or 0 when all share one row.</returns>
    public static int Slopes(in AttentionShape shape, long length)
    {
        long whole = (long)shape.Batch * shape.QueryHeads;
        if (length != shape.QueryHeads && length != whole)
            throw new ArgumentException(
                Text(
                    $"slopes has {length} elements; it must have one for each of {shape.QueryHeads} query heads, or {whole} for each batch entry and query head."
                ),
                "slopes"
            );
        return length == shape.QueryHeads ? 0 : shape.QueryHeads;
    }

    /// <summary>Checks [Bias]'s arguments: strides of 0 or more, and elements up to the last one they reach.</summary>
    public static void Bias(in AttentionShape shape, long length, in BiasStrides biasStrides)
    {
        (long batch, long head, long query, long key) = biasStrides;
        if (batch < 0 || head < 0 || query < 0 || key < 0)
            throw new ArgumentOutOfRangeException(
                nameof(biasStrides),
                biasStrides,
                Text($"biasStrides is (batch {batch}, head {head}, query {query}, key {key}); each must be 0 or more.")
            );
        if (shape.Batch == 0 || shape.QueryHeads == 0 || shape.QueryLength == 0 || shape.KeyLength == 0)
            return;
        Int128 needed =
            ((Int128)(shape.Batch - 1) * batch)
            + ((Int128)(shape.QueryHeads - 1) * head)
            + ((Int128)(shape.QueryLength - 1) * query)
            + ((Int128)(shape.KeyLength - 1) * key)
            + 1;
        if (length < needed)
            throw new ArgumentException(
                Text(
                    $"bias has {length} elements; strides (batch {batch}, head {head}, query {query}, key {key}) over {shape} need at least {needed}."
                ),
                "bias"
            );
    }

    /// <summary>Checks [PrefixLm]'s argument: (batch).</summary>
    public static void Prefix(in AttentionShape shape, long length) =>
        Exactly("prefix", length, shape.Batch, "batch entry");

    /// <summary>Checks [Document]'s arguments: (batch, queryLength) and (batch, keyLength).</summary>
    public static void Documents(in AttentionShape shape, long queryLength, long keyLength)
    {
        Exactly("queryDocument", queryLength, (long)shape.Batch * shape.QueryLength, "batch entry and query row");
        Exactly("keyDocument", keyLength, (long)shape.Batch * shape.KeyLength, "batch entry and key");
    }

    /// <summary>Checks [Sink]'s argument: (queryHeads).</summary>
    public static void Sink(in AttentionShape shape, long length) =>
        Exactly("sink", length, shape.QueryHeads, "query head");

    private static void Exactly(string name, long length, long needed, string each)
    {
        if (length != needed)
            throw new ArgumentException(
                Text($"{name} has {length} elements; it must have {needed}, one for each {each}."),
                name
            );
    }
}
