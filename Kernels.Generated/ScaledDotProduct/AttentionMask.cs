using System.Globalization;

namespace FlashGen.Kernels;

/// <summary>
/// torch's <c>attn_mask</c>: a bool for each pair of query and key, true where the query sees the key, or a number that is added to
/// the pair's score. Its strides broadcast it over (batch, query heads, queries, keys). The default is no mask.
/// </summary>
public readonly ref struct AttentionMask
{
    private AttentionMask(
        ReadOnlySpan<bool> kept,
        ReadOnlySpan<float> added,
        BiasStrides strides,
        AttentionMaskKind kind
    )
    {
        Kept = kept;
        Added = added;
        Strides = strides;
        Kind = kind;
    }

    /// <summary>What the mask says of a pair.</summary>
    public AttentionMaskKind Kind { get; }

    /// <summary>The bools; empty unless the kind is <see cref="AttentionMaskKind.Keep"/>.</summary>
    public ReadOnlySpan<bool> Kept { get; }

    /// <summary>The numbers; empty unless the kind is <see cref="AttentionMaskKind.Add"/>.</summary>
    public ReadOnlySpan<float> Added { get; }

    /// <summary>The steps from a pair to its neighbours.</summary>
    public BiasStrides Strides { get; }

    /// <summary>A bool mask: true where the query sees the key. A query that sees none has output 0.</summary>
    /// <param name="values">One bool for each pair that the strides tell apart.</param>
    /// <param name="strides">The steps, each 0 or more; 0 broadcasts an axis.</param>
    public static AttentionMask Keep(ReadOnlySpan<bool> values, BiasStrides strides) =>
        new(values, default, strides, AttentionMaskKind.Keep);

    /// <summary>A bool mask without gaps, (batch, queryHeads, queryLength, keyLength): true where the query sees the key.</summary>
    public static AttentionMask Keep(ReadOnlySpan<bool> values, in AttentionShape shape) =>
        Keep(values, BiasStrides.Contiguous(shape));

    /// <summary>An additive mask: its number joins the scaled score, and minus infinity hides the key.</summary>
    /// <param name="values">One number for each pair that the strides tell apart.</param>
    /// <param name="strides">The steps, each 0 or more; 0 broadcasts an axis.</param>
    public static AttentionMask Add(ReadOnlySpan<float> values, BiasStrides strides) =>
        new(default, values, strides, AttentionMaskKind.Add);

    /// <summary>An additive mask without gaps, (batch, queryHeads, queryLength, keyLength).</summary>
    public static AttentionMask Add(ReadOnlySpan<float> values, in AttentionShape shape) =>
        Add(values, BiasStrides.Contiguous(shape));

    /// <summary>The strides of a mask without gaps whose axes of size 1 are broadcast, as torch does it.</summary>
    /// <param name="batch">The mask's batch axis: 1, or the batch of the call.</param>
    /// <param name="heads">Its head axis: 1, or the query heads.</param>
    /// <param name="queries">Its query axis: 1, or the query length.</param>
    /// <param name="keys">Its key axis: 1, or the key length.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is negative.</exception>
    public static BiasStrides Broadcast(int batch, int heads, int queries, int keys)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfNegative(heads);
        ArgumentOutOfRangeException.ThrowIfNegative(queries);
        ArgumentOutOfRangeException.ThrowIfNegative(keys);
        long row = keys;
        long head = checked(row * queries);
        return new(
            batch == 1 ? 0 : checked(head * heads),
            heads == 1 ? 0 : head,
            queries == 1 ? 0 : row,
            keys == 1 ? 0 : 1
        );
    }

    /// <summary>Checks that the strides stay inside the mask.</summary>
    internal void Check(in AttentionShape shape)
    {
        if (Kind == AttentionMaskKind.None)
            return;
        (long batch, long head, long query, long key) = Strides;
        if (batch < 0 || head < 0 || query < 0 || key < 0)
            throw new ArgumentOutOfRangeException(
                "mask",
                Text(
                    $"The mask's strides are (batch {batch}, head {head}, query {query}, key {key}); each must be 0 or more."
                )
            );
        if (shape.Batch == 0 || shape.QueryHeads == 0 || shape.QueryLength == 0 || shape.KeyLength == 0)
            return;
        Int128 needed =
            ((Int128)(shape.Batch - 1) * batch)
            + ((Int128)(shape.QueryHeads - 1) * head)
            + ((Int128)(shape.QueryLength - 1) * query)
            + ((Int128)(shape.KeyLength - 1) * key)
            + 1;
        int length = Kind == AttentionMaskKind.Keep ? Kept.Length : Added.Length;
        if (length < needed)
            throw new ArgumentException(
                Text(
                    $"mask has {length} elements; strides (batch {batch}, head {head}, query {query}, key {key}) over {shape} need at least {needed}."
                ),
                "mask"
            );
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What an <see cref="AttentionMask"/> says of a pair.</summary>
public enum AttentionMaskKind
{
    /// <summary>Nothing: every pair is kept as it is.</summary>
    None,

    /// <summary>Whether it is kept.</summary>
    Keep,

    /// <summary>What is added to its score.</summary>
    Add,
}
