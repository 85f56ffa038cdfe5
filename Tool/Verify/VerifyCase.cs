using FlashGen.Support;
using FlashGen.Tool.Run;
using FlashGen.Tool.Variants;

namespace FlashGen.Tool.Verify;

/// <summary>One comparison of a variant with the reference, on random tensors.</summary>
internal sealed class VerifyCase(AttentionVariant variant, AttentionShape shape, Backend backend, int seed)
    : IElementWork<ErrorReport>
{
    // Made-up arguments of a mod may lead it outside its table, or leave nothing of its mask; smaller scalars lead less far.
    private readonly int[] largestScalars = [Math.Max(1, shape.KeyLength), 3, 1];

    /// <summary>Whether any row kept something: else zeros were compared with zeros.</summary>
    public bool KeepsSome { get; private set; }

    /// <summary>Runs the variant and judges the result.</summary>
    /// <exception cref="TableReadException">A mod read outside every table that was made up.</exception>
    public ErrorReport Do<T, TLogSumExp>()
        where T : unmanaged
        where TLogSumExp : unmanaged
    {
        foreach (int largest in largestScalars[..^1])
            try
            {
                ErrorReport report = Compare<T, TLogSumExp>(largest);
                if (KeepsSome || !report.Passed)
                    return report;
            }
            catch (Exception fault) when (fault is TableReadException or DeviceFaultException) { }
        return Compare<T, TLogSumExp>(largestScalars[^1]);
    }

    private ErrorReport Compare<T, TLogSumExp>(int largestScalar)
        where T : unmanaged
        where TLogSumExp : unmanaged
    {
        Random random = new(seed);
        ModArguments arguments = SampleArguments.Random(variant, shape, random, largestScalar);
        T[] query = Tensor<T>(random, shape.QueryElements(variant.Layout));
        T[] key = Tensor<T>(random, shape.KeyElements(variant.Layout));
        T[] value = Tensor<T>(random, shape.ValueElements(variant.Layout));
        T[] output = new T[shape.OutputElements(variant.Layout)];
        // What the kernel does not write must be seen.
        Array.Fill(output, Elements.Narrow<T>(float.NaN));
        TLogSumExp[] logSumExp = new TLogSumExp[shape.LogSumExpElements];
        Array.Fill(logSumExp, Elements.Narrow<TLogSumExp>(float.NaN));
        Target target = backend.Forward(
            variant,
            new HostTensors<T, TLogSumExp>(query, key, value, output, logSumExp),
            shape,
            arguments,
            AttentionOptions.Default
        );
        KeepsSome = Array.Exists(logSumExp, sum => !double.IsNegativeInfinity(Elements.Widen(sum)));
        return Reference.Verify<T, TLogSumExp>(
            variant,
            query,
            key,
            value,
            output,
            logSumExp,
            shape,
            arguments,
            roundWeights: target is Target.Sm80 or Target.Sm90
        );
    }

    private static T[] Tensor<T>(Random random, long length)
        where T : unmanaged
    {
        T[] elements = new T[length];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = Elements.Narrow<T>((random.NextSingle() * 4) - 2);
        return elements;
    }
}
