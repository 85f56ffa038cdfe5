using System.Reflection;
using FlashGen.Support;

namespace FlashGen;

/// <summary>
/// How far a result may lie from the reference:
/// |out - ref| &lt;= naiveFactor * max|naive - ref| + absolute + 4 * unit * A * max|v| and
/// |lse - ref| &lt;= relative * max(1, |ref|) + 4 * unit * A, with A the largest |scale| * sum |q_d k_d| of a kept pair, and v as dropout
/// multiplies it. A variant's own score change may enlarge scores and their errors: see <see cref="HasScoreChanges"/>. NaN must meet NaN,
/// and an infinity itself.
/// FlashAttention's tests judge by the same idea: at most twice the error of the plain implementation.
/// </summary>
public sealed record ErrorRule
{
    /// <summary>How much of the naive implementation's largest error is allowed: 2, and 3 with a soft cap.</summary>
    public double NaiveFactor { get; init; } = 2;

    /// <summary>The error of an output that is always allowed.</summary>
    public double Absolute { get; init; } = 1e-5;

    /// <summary>The unit roundoff of the arithmetic: 2^-24, float32's.</summary>
    public double UnitRoundoff { get; init; } = 1.0 / (1 << 24);

    /// <summary>The error of log-sum-exp, relative to its size where that is above 1: 2e-6, and 1e-3 more for 16-bit types.</summary>
    public double LogSumExpRelative { get; init; } = 2e-6;

    /// <summary>
    /// Whether the variant has score changes of its own: A is at least a row's largest score then, and log-sum-exp may differ by
    /// 2 * max|naive - ref| more.
    /// </summary>
    public bool HasScoreChanges { get; init; }

    /// <summary>
    /// The largest score that is judged: kernels multiply scores by log2(e), in float but for doubles, and rows beyond that overflow
    /// where the naive implementation does not yet.
    /// </summary>
    public double LargestScore { get; init; } = double.MaxValue;

    /// <summary>
    /// Rows, by (batch, head, row), whose output may be NaN where the reference's is not: those in a partial tile with a NaN value that
    /// they do not keep.
    /// </summary>
    public Func<int, int, int, bool>? MayBeNaN { get; init; }

    /// <summary>The rule of a variant and element type.</summary>
    /// <param name="variant">The variant; its soft cap loosens the rule.</param>
    /// <param name="type">The element type; 16 bits loosen log-sum-exp.</param>
    /// <param name="approximateTanh">
    /// Whether the target states an approximate tanh, as every variant does that asks for one (<see cref="SoftCapAttribute.Approximate"/>):
    /// 2^-11 times the cap is allowed more.
    /// </param>
    public static ErrorRule For(AttentionVariant variant, ElementType type, bool approximateTanh = false)
    {
        ArgumentNullException.ThrowIfNull(variant);
        ErrorRule rule = new()
        {
            HasScoreChanges = variant.Scores.Count != 0,
            LargestScore = type == ElementType.Float64 ? double.MaxValue : float.MaxValue * Math.Log(2),
        };
        if (type.Size() == 2)
            rule = rule with { LogSumExpRelative = rule.LogSumExpRelative + 1e-3 };
        if (variant.Declaration.GetCustomAttribute<SoftCapAttribute>() is { } softCap)
            rule = rule with
            {
                NaiveFactor = 3,
                Absolute = rule.Absolute + (approximateTanh || softCap.Approximate ? softCap.Cap / 2048.0 : 0),
            };
        return rule;
    }

    /// <summary>Judges a result.</summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <typeparam name="TLogSumExp">float, or double for double.</typeparam>
    /// <param name="output">The output, laid out as the shape says.</param>
    /// <param name="logSumExp">The log-sum-exp, (batch, queryHeads, queryLength); empty when there is none.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="layout">The axis order behind the default strides.</param>
    /// <param name="reference">What <see cref="Reference.Forward"/> gave.</param>
    /// <param name="naive">What <see cref="Reference.Naive"/> gave, for the same rows.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape, or the two results are of different calls.</exception>
    public ErrorReport Compare<T, TLogSumExp>(
        ReadOnlySpan<T> output,
        ReadOnlySpan<TLogSumExp> logSumExp,
        in AttentionShape shape,
        TensorLayout layout,
        ReferenceResult reference,
        ReferenceResult naive
    )
        where T : unmanaged
        where TLogSumExp : unmanaged
    {
        CallCheck.Results(output.Length, logSumExp.Length, shape, layout);
        if (
            (reference.Batch, reference.QueryHeads, reference.ValueDim)
            != (shape.Batch, shape.QueryHeads, shape.ValueDim)
        )
            throw new ArgumentException($"reference is of another shape than {shape}.", nameof(reference));
        TensorStrides strides = shape.OutputStridesIn(layout);
        double tolerance = OutputTolerance(reference, naive);
        double logSumExpTolerance = LogSumExpTolerance(reference, naive);
        Worst worstOutput = new();
        Worst worstLogSumExp = new();
        long notJudged = 0;
        for (int batch = 0; batch < reference.Batch; batch++)
        for (int head = 0; head < reference.QueryHeads; head++)
        for (int index = 0; index < reference.Rows.Count; index++)
        {
            int row = reference.Rows[index];
            long at = reference.RowAt(batch, head, index);
            if (double.IsFinite(reference.LogSumExp[at]) && Math.Abs(reference.LogSumExp[at]) > LargestScore)
            {
                notJudged++;
                continue;
            }
            long start = (batch * strides.Batch) + (head * strides.Head) + (row * strides.Row);
            bool mayBeNaN = MayBeNaN?.Invoke(batch, head, row) ?? false;
            for (int d = 0; d < reference.ValueDim; d++)
            {
                double actual = Elements.Widen(output[(int)(start + d)]);
                double expected = reference.Output[(at * reference.ValueDim) + d];
                double plain = naive.Output[(at * reference.ValueDim) + d];
                double error = mayBeNaN && double.IsNaN(actual) ? 0 : Distance(actual, expected, plain);
                worstOutput.Take(error, tolerance, actual, expected, (batch, head, row, d));
            }
            if (!logSumExp.IsEmpty)
            {
                long place = (((long)batch * shape.QueryHeads) + head) * shape.QueryLength + row;
                double actual = Elements.Widen(logSumExp[(int)place]);
                double expected = reference.LogSumExp[at];
                double error = Distance(actual, expected, naive.LogSumExp[at]);
                worstLogSumExp.Take(
                    error,
                    logSumExpTolerance + LogSumExpShare(expected),
                    actual,
                    expected,
                    (batch, head, row, 0)
                );
            }
        }
        return new ErrorReport(worstOutput.Figure, logSumExp.IsEmpty ? null : worstLogSumExp.Figure)
        {
            RowsNotJudged = notJudged,
        };
    }

    /// <summary>What an element of output may differ by.</summary>
    public double OutputTolerance(ReferenceResult reference, ReferenceResult naive)
    {
        CheckSame(reference, naive);
        return (NaiveFactor * LargestError(naive.Output, reference.Output))
            + Absolute
            + (4 * UnitRoundoff * Largest(reference) * reference.MaxValue);
    }

    /// <summary>What a log-sum-exp may differ by, besides its own share.</summary>
    public double LogSumExpTolerance(ReferenceResult reference, ReferenceResult naive)
    {
        CheckSame(reference, naive);
        return (HasScoreChanges ? 2 * LargestError(naive.LogSumExp, reference.LogSumExp) : 0)
            + (4 * UnitRoundoff * Largest(reference));
    }

    /// <summary>What a log-sum-exp may differ by for its size.</summary>
    public double LogSumExpShare(double expected) =>
        LogSumExpRelative * (double.IsFinite(expected) ? Math.Max(1, Math.Abs(expected)) : 1);

    // A of the rule.
    private double Largest(ReferenceResult reference) =>
        HasScoreChanges ? Math.Max(reference.MaxProduct, reference.MaxScore) : reference.MaxProduct;

    private static double LargestError(double[] naive, double[] reference)
    {
        double largest = 0;
        for (long i = 0; i < reference.LongLength; i++)
        {
            double error = Math.Abs(naive[i] - reference[i]);
            if (double.IsFinite(error))
                largest = Math.Max(largest, error);
        }
        return largest;
    }

    // Where the element type itself overflows, the naive implementation shows it, and ours may do the same.
    private static double Distance(double actual, double expected, double naive) =>
        double.IsFinite(actual) && double.IsFinite(expected) ? Math.Abs(actual - expected)
        : actual.Equals(expected) ? 0
        : !double.IsFinite(naive) && actual.Equals(naive) ? 0
        : double.PositiveInfinity;

    private static void CheckSame(ReferenceResult reference, ReferenceResult naive)
    {
        if (
            reference.Output.LongLength != naive.Output.LongLength
            || reference.ValueDim != naive.ValueDim
            || !reference.Rows.SequenceEqual(naive.Rows)
        )
            throw new ArgumentException(
                "naive is of another call than reference; both must be of the same shape and rows.",
                nameof(naive)
            );
    }

    // The worst element is the one that uses most of its tolerance.
    private sealed class Worst
    {
        private double share = -1;
        private long elements;
        private ErrorFigure figure = new(true, 0, 0, 0, 0, 0, 0, 0, 0, 0);

        public ErrorFigure Figure => figure with { Elements = elements };

        public void Take(
            double error,
            double tolerance,
            double actual,
            double expected,
            (int Batch, int Head, int Row, int Dim) at
        )
        {
            elements++;
            double used = double.IsFinite(error) ? error / tolerance : double.PositiveInfinity;
            if (used <= share)
                return;
            share = used;
            figure = new(used <= 1, error, tolerance, actual, expected, at.Batch, at.Head, at.Row, at.Dim, 0);
        }
    }
}
