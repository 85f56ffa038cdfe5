using FlashGen.Support;

namespace FlashGen;

/// <summary>
/// Naive attention, the oracle: the formula of the declaration as it is written down, one row at a time, nothing tiled or fused. It reads
/// the attributes of the class and calls the user's own compiled mods, and shares no code with the generated kernels. Slow on purpose.
/// </summary>
public static class Reference
{
    /// <summary>Computes attention in float64.</summary>
    /// <typeparam name="T">Half, BFloat16, float or double; widening is exact.</typeparam>
    /// <param name="variant">The variant.</param>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="value">The values.</param>
    /// <param name="shape">The sizes; strides count for the inputs, the result has none.</param>
    /// <param name="arguments">The run-time arguments; null when there are none.</param>
    /// <param name="rows">The query rows to compute, of every batch entry and head; null means all.</param>
    /// <exception cref="ArgumentException">A length, size, row or argument does not fit.</exception>
    /// <exception cref="TableReadException">A mod read outside a table.</exception>
    public static ReferenceResult Forward<T>(
        AttentionVariant variant,
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        in AttentionShape shape,
        ModArguments? arguments = null,
        IReadOnlyList<int>? rows = null
    )
        where T : unmanaged
    {
        CallCheck.Inputs(variant, query, key, value, shape);
        return new NaiveAttention<double>(variant, shape, arguments ?? [], rows).Run(query, key, value);
    }

    /// <summary>
    /// Computes attention as a plain implementation of the element type would: products and softmax in float32 (float64 for double),
    /// the output rounded to T. <see cref="ErrorRule"/> measures ours against the error that this makes.
    /// </summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <param name="variant">The variant.</param>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="value">The values.</param>
    /// <param name="shape">The sizes; strides count for the inputs, the result has none.</param>
    /// <param name="arguments">The run-time arguments; null when there are none.</param>
    /// <param name="rows">The query rows to compute, of every batch entry and head; null means all.</param>
    /// <param name="roundWeights">Whether softmax weights are rounded to T before the second product, as tensor cores need it.</param>
    /// <exception cref="ArgumentException">A length, size, row or argument does not fit.</exception>
    /// <exception cref="TableReadException">A mod read outside a table.</exception>
    public static ReferenceResult Naive<T>(
        AttentionVariant variant,
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        in AttentionShape shape,
        ModArguments? arguments = null,
        IReadOnlyList<int>? rows = null,
        bool roundWeights = false
    )
        where T : unmanaged
    {
        CallCheck.Inputs(variant, query, key, value, shape);
        return Elements.TypeOf<T>() == ElementType.Float64
            ? new NaiveAttention<double>(variant, shape, arguments ?? [], rows).Run(query, key, value)
            : new NaiveAttention<float>(variant, shape, arguments ?? [], rows)
            {
                RoundWeights = roundWeights,
                RoundOutput = true,
            }.Run(query, key, value);
    }

    /// <summary>
    /// Compares a result with the reference under the error rule: runs <see cref="Forward"/> and <see cref="Naive"/>, then
    /// <see cref="ErrorRule.Compare{T, TLogSumExp}"/>.
    /// </summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <typeparam name="TLogSumExp">float, or double for double.</typeparam>
    /// <param name="variant">The variant.</param>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="value">The values.</param>
    /// <param name="output">The output to judge, laid out as the shape says.</param>
    /// <param name="logSumExp">The log-sum-exp to judge; empty when there is none.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="arguments">The run-time arguments; null when there are none.</param>
    /// <param name="rows">The query rows to compare; null means all.</param>
    /// <param name="roundWeights">Whether the judged target rounds softmax weights to T.</param>
    /// <exception cref="ArgumentException">A length, size, row or argument does not fit.</exception>
    public static ErrorReport Verify<T, TLogSumExp>(
        AttentionVariant variant,
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        ReadOnlySpan<T> output,
        ReadOnlySpan<TLogSumExp> logSumExp,
        in AttentionShape shape,
        ModArguments? arguments = null,
        IReadOnlyList<int>? rows = null,
        bool roundWeights = false
    )
        where T : unmanaged
        where TLogSumExp : unmanaged
    {
        ReferenceResult reference = Forward(variant, query, key, value, shape, arguments, rows);
        ReferenceResult naive = Naive(variant, query, key, value, shape, arguments, rows, roundWeights);
        return ErrorRule
            .For(variant, Elements.TypeOf<T>())
            .Compare(output, logSumExp, shape, variant.Layout, reference, naive);
    }
}
