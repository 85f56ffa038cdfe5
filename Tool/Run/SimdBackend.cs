using FlashGen.Support;

namespace FlashGen.Tool.Run;

/// <summary>The CPU by vectors: what <c>Forward</c> with spans runs.</summary>
internal sealed class SimdBackend : Backend
{
    public override string Description => FormattableString.Invariant($"CPU, {SimdForward.VectorBits}-bit vectors");

    public override Target Target => Target.Simd;

    public override Target Forward<T, TLogSumExp>(
        AttentionVariant variant,
        HostTensors<T, TLogSumExp> tensors,
        in AttentionShape shape,
        ModArguments arguments,
        AttentionOptions options
    )
    {
        switch (tensors)
        {
            case HostTensors<Half, float> t:
                variant.Forward(t.Query, t.Key, t.Value, t.Output, shape, arguments, t.LogSumExp, options);
                break;
            case HostTensors<BFloat16, float> t:
                variant.Forward(t.Query, t.Key, t.Value, t.Output, shape, arguments, t.LogSumExp, options);
                break;
            case HostTensors<float, float> t:
                variant.Forward(t.Query, t.Key, t.Value, t.Output, shape, arguments, t.LogSumExp, options);
                break;
            case HostTensors<double, double> t:
                variant.Forward(t.Query, t.Key, t.Value, t.Output, shape, arguments, t.LogSumExp, options);
                break;
            default:
                throw new InvalidOperationException($"{typeof(T)} is no element type.");
        }
        return Target;
    }
}
