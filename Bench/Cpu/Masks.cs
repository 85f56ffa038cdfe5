using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;
using FlashGen.Kernels;

namespace FlashGen.Bench.Cpu;

/// <summary>Masks and score changes, each beside our own kernel without it.</summary>
static class Masks
{
    public static IEnumerable<CpuCase> Cases()
    {
        yield return Window();
        yield return Scores();
        yield return EightDocuments();
    }

    private static CpuCase Window()
    {
        const string name = "causal, window 512 of 8 x 4096 x 64";
        return new(name, Measure);

        static IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            Heads heads = Heads.Of(8, 4096, 64);
            using Tensors t = new(heads);
            AttentionOptions options = new() { Threads = threads };
            AttentionShape shape = heads.Shape;
            double pairs = Enumerable.Range(0, heads.Queries).Sum(row => (double)Math.Min(row + 1, 512));
            double kept = pairs / heads.Queries / heads.Keys;
            return
            [
                .. Duel.Run(
                    roof,
                    threads,
                    name,
                    () =>
                        Window512.Forward(
                            t.Query.Span,
                            t.Key.Span,
                            t.Value.Span,
                            t.Output.Span,
                            shape,
                            options: options
                        ),
                    [new("no mask, times the kept share", Prefill.Ours(t, false, threads), 1 / 1.25, kept)],
                    kept * heads.Flops
                ),
            ];
        }
    }

    private static CpuCase Scores()
    {
        return new("score changes on causal 8 x 2048 x 64", Measure);

        static IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            Heads heads = Heads.Of(8, 2048, 64);
            using Tensors t = new(heads);
            AttentionOptions options = new() { Threads = threads };
            AttentionShape shape = heads.Shape;
            float[] slopes = [.. Enumerable.Range(1, heads.Query).Select(head => MathF.Pow(2, -head))];
            (string Name, Action Run)[] changes =
            [
                (
                    "soft cap",
                    () =>
                        SoftCap.Forward(t.Query.Span, t.Key.Span, t.Value.Span, t.Output.Span, shape, options: options)
                ),
                (
                    "ALiBi",
                    () =>
                        Alibi.Forward(
                            t.Query.Span,
                            t.Key.Span,
                            t.Value.Span,
                            t.Output.Span,
                            shape,
                            slopes,
                            options: options
                        )
                ),
                (
                    "a user's own",
                    () =>
                        Fading.Forward(
                            t.Query.Span,
                            t.Key.Span,
                            t.Value.Span,
                            t.Output.Span,
                            shape,
                            0.01f,
                            options: options
                        )
                ),
            ];
            List<CpuResult> results = [];
            foreach ((string change, Action run) in changes)
                results.AddRange(
                    Duel.Run(
                        roof,
                        threads,
                        $"{change} on causal 8 x 2048 x 64",
                        run,
                        [new("the same without it", Prefill.Ours(t, true, threads), 1 / 1.15)],
                        heads.Flops / 2
                    )
                );
            return results;
        }
    }

    private static CpuCase EightDocuments()
    {
        const string name = "8 documents in 8 x 4096 x 64";
        return new(name, Measure);

        static IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            Heads heads = Heads.Of(8, 4096, 64);
            using Tensors t = new(heads);
            AttentionOptions options = new() { Threads = threads };
            AttentionShape shape = heads.Shape;
            int[] documents = [.. Enumerable.Range(0, heads.Keys).Select(token => token * 8 / heads.Keys)];
            return
            [
                .. Duel.Run(
                    roof,
                    threads,
                    name,
                    () =>
                        Documents.Forward(
                            t.Query.Span,
                            t.Key.Span,
                            t.Value.Span,
                            t.Output.Span,
                            shape,
                            documents,
                            documents,
                            options: options
                        ),
                    [new("causal", Prefill.Ours(t, true, threads), 4)],
                    heads.Flops / 8
                ),
            ];
        }
    }
}
