using FlashGen.Support;

namespace FlashGen;

// The class's own Forward by name instead of by type: what tools and tests call.
public sealed partial class AttentionVariant
{
    /// <summary>Computes attention on the CPU. Shapes are those of <see cref="AttentionShape"/>.</summary>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="value">The values.</param>
    /// <param name="output">Receives the output; it may overlap nothing else.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="arguments">The run-time arguments, exactly those of <see cref="Arguments"/>; null when there are none.</param>
    /// <param name="logSumExp">Receives log-sum-exp, natural, (batch, queryHeads, queryLength); empty when it is not wanted.</param>
    /// <param name="options">Threads, cancellation and progress.</param>
    /// <exception cref="ArgumentException">A length, size or argument does not fit; nothing was written.</exception>
    /// <exception cref="NotSupportedException">The variant does not declare this element type.</exception>
    /// <exception cref="TableReadException">A mod read outside a table.</exception>
    public void Forward(
        ReadOnlySpan<Half> query,
        ReadOnlySpan<Half> key,
        ReadOnlySpan<Half> value,
        Span<Half> output,
        in AttentionShape shape,
        ModArguments? arguments = null,
        Span<float> logSumExp = default,
        AttentionOptions? options = null
    ) =>
        Entry.Forward(
            query,
            key,
            value,
            output,
            shape,
            Checked(ElementType.Float16, arguments),
            logSumExp,
            options ?? AttentionOptions.Default
        );

    /// <inheritdoc cref="Forward(ReadOnlySpan{Half}, ReadOnlySpan{Half}, ReadOnlySpan{Half}, Span{Half}, in AttentionShape, ModArguments, Span{float}, AttentionOptions)"/>
    public void Forward(
        ReadOnlySpan<BFloat16> query,
        ReadOnlySpan<BFloat16> key,
        ReadOnlySpan<BFloat16> value,
        Span<BFloat16> output,
        in AttentionShape shape,
        ModArguments? arguments = null,
        Span<float> logSumExp = default,
        AttentionOptions? options = null
    ) =>
        Entry.Forward(
            query,
            key,
            value,
            output,
            shape,
            Checked(ElementType.BFloat16, arguments),
            logSumExp,
            options ?? AttentionOptions.Default
        );

    /// <inheritdoc cref="Forward(ReadOnlySpan{Half}, ReadOnlySpan{Half}, ReadOnlySpan{Half}, Span{Half}, in AttentionShape, ModArguments, Span{float}, AttentionOptions)"/>
    public void Forward(
        ReadOnlySpan<float> query,
        ReadOnlySpan<float> key,
        ReadOnlySpan<float> value,
        Span<float> output,
        in AttentionShape shape,
        ModArguments? arguments = null,
        Span<float> logSumExp = default,
        AttentionOptions? options = null
    ) =>
        Entry.Forward(
            query,
            key,
            value,
            output,
            shape,
            Checked(ElementType.Float32, arguments),
            logSumExp,
            options ?? AttentionOptions.Default
        );

    /// <inheritdoc cref="Forward(ReadOnlySpan{Half}, ReadOnlySpan{Half}, ReadOnlySpan{Half}, Span{Half}, in AttentionShape, ModArguments, Span{float}, AttentionOptions)"/>
    public void Forward(
        ReadOnlySpan<double> query,
        ReadOnlySpan<double> key,
        ReadOnlySpan<double> value,
        Span<double> output,
        in AttentionShape shape,
        ModArguments? arguments = null,
        Span<double> logSumExp = default,
        AttentionOptions? options = null
    ) =>
        Entry.Forward(
            query,
            key,
            value,
            output,
            shape,
            Checked(ElementType.Float64, arguments),
            logSumExp,
            options ?? AttentionOptions.Default
        );

    private ModArguments Checked(ElementType type, ModArguments? arguments)
    {
        CallCheck.Declared(this, type);
        arguments ??= [];
        arguments.CheckNames(this);
        return arguments;
    }
}
