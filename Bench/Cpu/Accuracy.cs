using System.Diagnostics;
using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;

namespace FlashGen.Bench.Cpu;

/// <summary>The error against float64, beside libtorch's, on the same inputs of one head.</summary>
static class Accuracy
{
    // Rows are judged that far apart, and the first ones, where few keys leave the least to average over.
    private const int Step = 8;
    private const int FirstRows = 64;

    public static IEnumerable<CpuCase> Cases()
    {
        yield return Case(1024, 64, 1, isCausal: false);
        yield return Case(1024, 64, 1, isCausal: true);
        yield return Case(2048, 128, 1, isCausal: false);
        yield return Case(2048, 128, 1, isCausal: true);
        yield return Case(4096, 64, 1, isCausal: false);
        yield return Case(4096, 64, 4, isCausal: false);
    }

    private static CpuCase Case(int length, int dim, float logits, bool isCausal)
    {
        Heads heads = Heads.Of(1, length, dim);
        string name = "accuracy, " + Prefill.Name(heads, isCausal) + (logits == 1 ? "" : $", logits x {logits}");
        return new(name, Measure, [1]);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors t = new(heads, logits);
            (double ours, double oursMs) = Error(t, isCausal, Prefill.Ours(t, isCausal, threads));
            CpuResult line = new(name, threads, oursMs, "libtorch", null, null, null, 1 / 1.1);
            if (Libtorch.WhyNot is string why)
                return [line with { Note = $"rms error {ours:E1}; skipped: {why}" }];
            using Libtorch.Tensor query = Libtorch.Wrap(t.Query, 1, length, dim);
            using Libtorch.Tensor key = Libtorch.Wrap(t.Key, 1, length, dim);
            using Libtorch.Tensor value = Libtorch.Wrap(t.Value, 1, length, dim);
            (double torch, double torchMs) = Error(
                t,
                isCausal,
                () => Libtorch.Attend(query, key, value, isCausal, threads, t.Output.Span)
            );
            return
            [
                line with
                {
                    PeerMs = torchMs,
                    Ratio = torch / ours,
                    Note = $"ratio of rms errors: {torch:E1} / {ours:E1}",
                },
            ];
        }
    }

    private static (double Rms, double Ms) Error(Tensors t, bool isCausal, Action attend)
    {
        attend();
        long start = Stopwatch.GetTimestamp();
        attend();
        double ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        int[] rows = [.. Enumerable.Range(0, t.Heads.Queries).Where(row => row < FirstRows || row % Step == 0)];
        double sum = rows.AsParallel().Sum(row => SquaredError(t, isCausal, row));
        return (Math.Sqrt(sum / rows.Length / t.Heads.Dim), ms);
    }

    private static double SquaredError(Tensors t, bool isCausal, int row)
    {
        int dim = t.Heads.Dim;
        ReadOnlySpan<float> query = t.Query.Span.Slice(row * dim, dim);
        double[] weights = new double[isCausal ? row + 1 : t.Heads.Keys];
        for (int j = 0; j < weights.Length; j++)
        for (int d = 0; d < dim; d++)
            weights[j] += (double)query[d] * t.Key.Span[j * dim + d];
        double most = weights.Max();
        double scale = 1 / Math.Sqrt(dim);
        double total = 0;
        for (int j = 0; j < weights.Length; j++)
            total += weights[j] = Math.Exp((weights[j] - most) * scale);
        double[] output = new double[dim];
        for (int j = 0; j < weights.Length; j++)
        for (int d = 0; d < dim; d++)
            output[d] += weights[j] / total * t.Value.Span[j * dim + d];
        double sum = 0;
        for (int d = 0; d < dim; d++)
            sum += Math.Pow(t.Output.Span[row * dim + d] - output[d], 2);
        return sum;
    }
}
