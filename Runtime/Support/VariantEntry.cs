using System.ComponentModel;
using ILGPU.Runtime;

namespace FlashGen.Support;

/// <summary>
/// The generated calls of one variant, with run-time arguments by name. Generated code overrides <c>Forward</c> for the element types
/// that the variant declares; <see cref="AttentionVariant"/> never calls the others.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class VariantEntry
{
    /// <summary>Computes attention of float16 on the CPU.</summary>
    public virtual void Forward(
        ReadOnlySpan<Half> query,
        ReadOnlySpan<Half> key,
        ReadOnlySpan<Half> value,
        Span<Half> output,
        in AttentionShape shape,
        ModArguments arguments,
        Span<float> logSumExp,
        AttentionOptions options
    ) => throw NotDeclared(ElementType.Float16);

    /// <summary>Computes attention of bfloat16 on the CPU.</summary>
    public virtual void Forward(
        ReadOnlySpan<BFloat16> query,
        ReadOnlySpan<BFloat16> key,
        ReadOnlySpan<BFloat16> value,
        Span<BFloat16> output,
        in AttentionShape shape,
        ModArguments arguments,
        Span<float> logSumExp,
        AttentionOptions options
    ) => throw NotDeclared(ElementType.BFloat16);

    /// <summary>Computes attention of float32 on the CPU.</summary>
    public virtual void Forward(
        ReadOnlySpan<float> query,
        ReadOnlySpan<float> key,
        ReadOnlySpan<float> value,
        Span<float> output,
        in AttentionShape shape,
        ModArguments arguments,
        Span<float> logSumExp,
        AttentionOptions options
    ) => throw NotDeclared(ElementType.Float32);

    /// <summary>Computes attention of float64 on the CPU.</summary>
    public virtual void Forward(
        ReadOnlySpan<double> query,
        ReadOnlySpan<double> key,
        ReadOnlySpan<double> value,
        Span<double> output,
        in AttentionShape shape,
        ModArguments arguments,
        Span<double> logSumExp,
        AttentionOptions options
    ) => throw NotDeclared(ElementType.Float64);

    /// <summary>Loads the best kernel that a device can run.</summary>
    public abstract AttentionKernels Load(Accelerator accelerator);

    private NotSupportedException NotDeclared(ElementType type) =>
        new($"{GetType().FullName} was generated without {type}.");
}
