using System.Buffers;
using System.ComponentModel;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FlashGen.Support;

/// <summary>The way from a checked call to the kernel of this machine's vector width.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class SimdForward
{
    /// <summary>Bits of the vectors that kernels use here: 512, 256 or 128.</summary>
    public static int VectorBits =>
        Vector512.IsHardwareAccelerated && Avx512DQ.IsSupported ? 512
        : Vector256.IsHardwareAccelerated && Avx2.IsSupported && Fma.IsSupported ? 256
        : 128;

    /// <summary>Runs a call; says what was done, and where a table read failed.</summary>
    public static SimdOutcome Run<T, TLogSumExp, TKernel512, TKernel256, TKernel128, TProbe, TArguments>(
        AttentionVariant variant,
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        Span<T> output,
        in AttentionShape shape,
        double scale,
        ReadOnlySpan<float> sink,
        Dropout dropout,
        in TArguments arguments,
        Span<TLogSumExp> logSumExp,
        AttentionOptions options
    )
        where T : unmanaged
        where TLogSumExp : unmanaged
        where TKernel512 : ISimdKernel<TArguments>
        where TKernel256 : ISimdKernel<TArguments>
        where TKernel128 : ISimdKernel<TArguments>
        where TProbe : ISimdProbe<TArguments>
        where TArguments : unmanaged
    {
        options.Cancellation.ThrowIfCancellationRequested();
        if (shape.Batch == 0 || shape.QueryHeads == 0 || shape.QueryLength == 0)
            return default;
        int[] entries = ArrayPool<int>.Shared.Rent(2 * shape.Batch);
        try
        {
            for (int batch = 0; batch < shape.Batch; batch++)
            {
                entries[batch] = shape.KeyLengthAt(batch);
                entries[shape.Batch + batch] = shape.OffsetAt(batch, variant.Align);
            }
            fixed (
                T* q = query,
                    k = key,
                    v = value,
                    o = output
            )
            fixed (TLogSumExp* l = logSumExp)
            fixed (float* s = sink)
            fixed (int* e = entries)
            {
                SimdCall call = new()
                {
                    Query = q,
                    Key = k,
                    Value = v,
                    Output = o,
                    LogSumExp = l,
                    QueryStrides = shape.QueryStridesIn(variant.Layout),
                    KeyStrides = shape.KeyStridesIn(variant.Layout),
                    ValueStrides = shape.ValueStridesIn(variant.Layout),
                    OutputStrides = shape.OutputStridesIn(variant.Layout),
                    Batch = shape.Batch,
                    QueryHeads = shape.QueryHeads,
                    KeyHeads = shape.KeyHeads,
                    GroupSize = shape.GroupSize,
                    QueryLength = shape.QueryLength,
                    KeyLength = shape.KeyLength,
                    HeadDim = shape.HeadDim,
                    ValueDim = shape.ValueDim,
                    KeyLengths = e,
                    Offsets = e + shape.Batch,
                    Scale = scale,
                    Sink = s,
                    DropoutThreshold = (uint)dropout.Threshold,
                    DropoutScale = 65536.0 / (65536 - dropout.Threshold),
                    DropoutSeed = dropout.Seed,
                    DropoutOffset = dropout.Offset,
                };
                SimdOutcome outcome = default;
                if (SimdProbe.Corners<TProbe, TArguments>(call, arguments, ref outcome))
                    return outcome;
                int bits = Math.Min(VectorBits, options.MaxVectorBits);
                outcome =
                    bits >= 512 ? SimdLauncher.Run<T, TKernel512, TArguments>(call, arguments, options)
                    : bits >= 256 ? SimdLauncher.Run<T, TKernel256, TArguments>(call, arguments, options)
                    : SimdLauncher.Run<T, TKernel128, TArguments>(call, arguments, options);
                options.Tiles?.Add(outcome.Full, outcome.Partial);
                return outcome;
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(entries);
        }
    }
}
