using System.Globalization;
using FlashGen.Support;

namespace FlashGen.Kernels;

/// <summary>The front door of the gallery: picks the variant that a call asks for.</summary>
public static partial class Attention
{
    /// <summary>
    /// torch.nn.functional.scaled_dot_product_attention on the CPU: softmax(query key^T * scale + mask) value, exactly, in memory
    /// linear in the lengths.
    /// </summary>
    /// <param name="query">(batch, queryHeads, queryLength, headDim), or by the shape's strides.</param>
    /// <param name="key">(batch, keyHeads, keyLength, headDim), or by the shape's strides.</param>
    /// <param name="value">(batch, keyHeads, keyLength, valueDim), or by the shape's strides.</param>
    /// <param name="output">(batch, queryHeads, queryLength, valueDim), or by the shape's strides; it may overlap nothing else.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="mask">torch's <c>attn_mask</c>: bools, true where a pair is kept, or numbers added to the scores.</param>
    /// <param name="dropout">torch's <c>dropout_p</c>, with the seed that torch takes from its generator; the default drops nothing.</param>
    /// <param name="isCausal">
    /// torch's <c>is_causal</c>: query i sees keys up to i, counted from the first of both, unless the shape gives offsets. Not together with a mask.
    /// </param>
    /// <param name="scale">The factor of query * key, finite; null means 1 / sqrt(headDim).</param>
    /// <param name="enableGqa">
    /// torch's <c>enable_gqa</c>: allows fewer key heads than query heads; query head h uses key head h / (queryHeads / keyHeads).
    /// </param>
    /// <param name="logSumExp">Receives log-sum-exp, natural, (batch, queryHeads, queryLength); empty when it is not wanted.</param>
    /// <param name="options">Threads, cancellation and progress.</param>
    /// <remarks>
    /// Two things differ from torch: a query that sees no key has output 0 and log-sum-exp minus infinity (torch before 2.5: NaN),
    /// and dropout is decided by position and seed alone (Philox4x32-10), not by a generator's state.
    /// </remarks>
    /// <exception cref="ArgumentException">An argument does not fit the shape, or contradicts another; nothing was written.</exception>
    public static void ScaledDotProduct(
        ReadOnlySpan<Half> query,
        ReadOnlySpan<Half> key,
        ReadOnlySpan<Half> value,
        Span<Half> output,
        in AttentionShape shape,
        AttentionMask mask = default,
        Dropout dropout = default,
        bool isCausal = false,
        double? scale = null,
        bool enableGqa = false,
        Span<float> logSumExp = default,
        AttentionOptions? options = null
    )
    {
        float by = Checked(shape, mask, isCausal, scale, enableGqa);
        ReadOnlySpan<float> added = mask.Added;
        BiasStrides strides = mask.Strides;
        (long batch, long head, long row, long column) = strides;
        switch (Pick(mask, isCausal, IsPlain(dropout, scale)))
        {
            case Choice.Full:
                Full.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Causal:
                CausalTopLeft.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Biased:
                Biased.Forward(query, key, value, output, shape, added, strides, logSumExp, options);
                break;
            case Choice.ScaledFull:
                ScaledFull.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledCausal:
                ScaledCausal.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledBiased:
                ScaledBiased.Forward(query, key, value, output, shape, by, added, strides, dropout, logSumExp, options);
                break;
            case Choice.ScaledMasked:
                ScaledMasked.Forward(
                    query,
                    key,
                    value,
                    output,
                    shape,
                    by,
                    dropout,
                    mask.Kept,
                    batch,
                    head,
                    row,
                    column,
                    logSumExp,
                    options
                );
                break;
        }
    }

    /// <inheritdoc cref="ScaledDotProduct(ReadOnlySpan{Half}, ReadOnlySpan{Half}, ReadOnlySpan{Half}, Span{Half}, in AttentionShape, AttentionMask, Dropout, bool, double?, bool, Span{float}, AttentionOptions)"/>
    public static void ScaledDotProduct(
        ReadOnlySpan<BFloat16> query,
        ReadOnlySpan<BFloat16> key,
        ReadOnlySpan<BFloat16> value,
        Span<BFloat16> output,
        in AttentionShape shape,
        AttentionMask mask = default,
        Dropout dropout = default,
        bool isCausal = false,
        double? scale = null,
        bool enableGqa = false,
        Span<float> logSumExp = default,
        AttentionOptions? options = null
    )
    {
        float by = Checked(shape, mask, isCausal, scale, enableGqa);
        ReadOnlySpan<float> added = mask.Added;
        BiasStrides strides = mask.Strides;
        (long batch, long head, long row, long column) = strides;
        switch (Pick(mask, isCausal, IsPlain(dropout, scale)))
        {
            case Choice.Full:
                Full.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Causal:
                CausalTopLeft.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Biased:
                Biased.Forward(query, key, value, output, shape, added, strides, logSumExp, options);
                break;
            case Choice.ScaledFull:
                ScaledFull.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledCausal:
                ScaledCausal.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledBiased:
                ScaledBiased.Forward(query, key, value, output, shape, by, added, strides, dropout, logSumExp, options);
                break;
            case Choice.ScaledMasked:
                ScaledMasked.Forward(
                    query,
                    key,
                    value,
                    output,
                    shape,
                    by,
                    dropout,
                    mask.Kept,
                    batch,
                    head,
                    row,
                    column,
                    logSumExp,
                    options
                );
                break;
        }
    }

    /// <inheritdoc cref="ScaledDotProduct(ReadOnlySpan{Half}, ReadOnlySpan{Half}, ReadOnlySpan{Half}, Span{Half}, in AttentionShape, AttentionMask, Dropout, bool, double?, bool, Span{float}, AttentionOptions)"/>
    public static void ScaledDotProduct(
        ReadOnlySpan<float> query,
        ReadOnlySpan<float> key,
        ReadOnlySpan<float> value,
        Span<float> output,
        in AttentionShape shape,
        AttentionMask mask = default,
        Dropout dropout = default,
        bool isCausal = false,
        double? scale = null,
        bool enableGqa = false,
        Span<float> logSumExp = default,
        AttentionOptions? options = null
    )
    {
        float by = Checked(shape, mask, isCausal, scale, enableGqa);
        ReadOnlySpan<float> added = mask.Added;
        BiasStrides strides = mask.Strides;
        (long batch, long head, long row, long column) = strides;
        switch (Pick(mask, isCausal, IsPlain(dropout, scale)))
        {
            case Choice.Full:
                Full.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Causal:
                CausalTopLeft.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Biased:
                Biased.Forward(query, key, value, output, shape, added, strides, logSumExp, options);
                break;
            case Choice.ScaledFull:
                ScaledFull.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledCausal:
                ScaledCausal.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledBiased:
                ScaledBiased.Forward(query, key, value, output, shape, by, added, strides, dropout, logSumExp, options);
                break;
            case Choice.ScaledMasked:
                ScaledMasked.Forward(
                    query,
                    key,
                    value,
                    output,
                    shape,
                    by,
                    dropout,
                    mask.Kept,
                    batch,
                    head,
                    row,
                    column,
                    logSumExp,
                    options
                );
                break;
        }
    }

    /// <inheritdoc cref="ScaledDotProduct(ReadOnlySpan{Half}, ReadOnlySpan{Half}, ReadOnlySpan{Half}, Span{Half}, in AttentionShape, AttentionMask, Dropout, bool, double?, bool, Span{float}, AttentionOptions)"/>
    public static void ScaledDotProduct(
        ReadOnlySpan<double> query,
        ReadOnlySpan<double> key,
        ReadOnlySpan<double> value,
        Span<double> output,
        in AttentionShape shape,
        AttentionMask mask = default,
        Dropout dropout = default,
        bool isCausal = false,
        double? scale = null,
        bool enableGqa = false,
        Span<double> logSumExp = default,
        AttentionOptions? options = null
    )
    {
        float by = Checked(shape, mask, isCausal, scale, enableGqa);
        double exact = scale ?? 1 / Math.Sqrt(shape.HeadDim);
        bool isPlain = IsPlain(dropout, scale) && mask.Kind != AttentionMaskKind.Keep;
        if (!isPlain && by != exact)
        {
            // The variants' scale is a float: what it cannot hold goes into a copy of the queries, once they are known to be right.
            CallCheck.Forward<double, double>(ScaledFull.Variant, query, key, value, output, shape, logSumExp);
            query = Scaled(query, exact);
            by = 1;
        }
        ReadOnlySpan<float> added = mask.Added;
        BiasStrides strides = mask.Strides;
        (long batch, long head, long row, long column) = strides;
        switch (Pick(mask, isCausal, IsPlain(dropout, scale)))
        {
            case Choice.Full:
                Full.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Causal:
                CausalTopLeft.Forward(query, key, value, output, shape, logSumExp, options);
                break;
            case Choice.Biased:
                Biased.Forward(query, key, value, output, shape, added, strides, logSumExp, options);
                break;
            case Choice.ScaledFull:
                ScaledFull.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledCausal:
                ScaledCausal.Forward(query, key, value, output, shape, by, dropout, logSumExp, options);
                break;
            case Choice.ScaledBiased:
                ScaledBiased.Forward(query, key, value, output, shape, by, added, strides, dropout, logSumExp, options);
                break;
            case Choice.ScaledMasked:
                ScaledMasked.Forward(
                    query,
                    key,
                    value,
                    output,
                    shape,
                    by,
                    dropout,
                    mask.Kept,
                    batch,
                    head,
                    row,
                    column,
                    logSumExp,
                    options
                );
                break;
        }
    }

    private enum Choice
    {
        Full,
        Causal,
        Biased,
        ScaledFull,
        ScaledCausal,
        ScaledBiased,
        ScaledMasked,
    }

    // The gallery's own variants serve a call without scale and dropout.
    private static bool IsPlain(Dropout dropout, double? scale) => dropout.Threshold == 0 && scale is null;

    private static Choice Pick(AttentionMask mask, bool isCausal, bool isPlain) =>
        (mask.Kind, isCausal, isPlain) switch
        {
            (AttentionMaskKind.Keep, _, _) => Choice.ScaledMasked,
            (AttentionMaskKind.Add, _, true) => Choice.Biased,
            (AttentionMaskKind.Add, _, false) => Choice.ScaledBiased,
            (_, true, true) => Choice.Causal,
            (_, true, false) => Choice.ScaledCausal,
            (_, false, true) => Choice.Full,
            (_, false, false) => Choice.ScaledFull,
        };

    /// <summary>Checks what the variants cannot know, and gives the scale.</summary>
    private static float Checked(
        in AttentionShape shape,
        AttentionMask mask,
        bool isCausal,
        double? scale,
        bool enableGqa
    )
    {
        if (isCausal && mask.Kind != AttentionMaskKind.None)
            throw new ArgumentException(
                "isCausal is true and a mask is given; allowed is one of them.",
                nameof(isCausal)
            );
        if (shape.QueryHeads != shape.KeyHeads && !enableGqa)
            throw new ArgumentException(
                $"enableGqa is false; {shape.QueryHeads} query heads over {shape.KeyHeads} key heads need it to be true.",
                nameof(enableGqa)
            );
        float by = (float)(scale ?? 1 / Math.Sqrt(shape.HeadDim));
        if (scale is not null && !float.IsFinite(by))
            throw new ArgumentOutOfRangeException(
                nameof(scale),
                scale,
                string.Create(CultureInfo.InvariantCulture, $"scale is {scale}; it must be finite as a float32.")
            );
        mask.Check(shape);
        return by;
    }

    private static double[] Scaled(ReadOnlySpan<double> query, double scale)
    {
        double[] scaled = new double[query.Length];
        for (int i = 0; i < scaled.Length; i++)
            scaled[i] = query[i] * scale;
        return scaled;
    }
}
