using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;
using FlashGen.Kernels;

namespace FlashGen.Bench.Cpu;

/// <summary>Prefill beside the peers, and by head dimension.</summary>
static class Prefill
{
    private static readonly (int Heads, int Length, int Dim)[] Shapes =
    [
        (8, 512, 64),
        (8, 1024, 64),
        (8, 2048, 64),
        (8, 4096, 64),
        (16, 1024, 64),
        (8, 512, 128),
        (8, 1024, 128),
        (8, 2048, 128),
        (8, 4096, 128),
    ];

    public static IEnumerable<CpuCase> Cases()
    {
        foreach ((int heads, int length, int dim) in Shapes)
        {
            yield return Beside(Heads.Of(heads, length, dim), isCausal: false);
            yield return Beside(Heads.Of(heads, length, dim), isCausal: true);
        }
        foreach (int dim in new[] { 40, 80, 96, 112, 160, 192, 256 })
            yield return Dimension(Heads.Of(4, 2048, dim));
    }

    /// <summary>"full 8 x 1024 x 64": heads, tokens, head dimension.</summary>
    public static string Name(Heads heads, bool isCausal) =>
        $"{(isCausal ? "causal" : "full")} {heads.Query} x {heads.Queries} x {heads.Dim}";

    private static CpuCase Beside(Heads heads, bool isCausal)
    {
        string name = Name(heads, isCausal);
        return new(name, Measure);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors tensors = new(heads);
            List<Rival> rivals =
            [
                tensors.Torch(isCausal, threads, isCausal ? 1.5 : 1.25),
                .. tensors.Onnx(isCausal, threads, isCausal ? 2.2 : 1.08),
            ];
            // It is far behind, so one shape shows it.
            if (heads is { Query: 8, Queries: 1024, Dim: 64 })
                rivals.Add(tensors.Primitives(isCausal, threads));
            return
            [
                .. Duel.Run(
                    roof,
                    threads,
                    name,
                    Ours(tensors, isCausal, threads),
                    rivals,
                    isCausal ? heads.Flops / 2 : heads.Flops,
                    heads.Queries < 1024 ? null
                        : isCausal ? 0.84
                        : 0.88
                ),
            ];
        }
    }

    private static CpuCase Dimension(Heads heads)
    {
        string name = Name(heads, isCausal: false);
        return new(name, Measure);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors tensors = new(heads);
            return [.. Duel.Run(roof, threads, name, Ours(tensors, false, threads), [], heads.Flops, 0.8)];
        }
    }

    /// <summary>The gallery's kernel over the case's tensors.</summary>
    public static Action Ours(Tensors tensors, bool isCausal, int threads)
    {
        AttentionShape shape = tensors.Heads.Shape;
        AttentionOptions options = new() { Threads = threads };
        return isCausal
            ? () =>
                Causal.Forward(
                    tensors.Query.Span,
                    tensors.Key.Span,
                    tensors.Value.Span,
                    tensors.Output.Span,
                    shape,
                    options: options
                )
            : () =>
                Full.Forward(
                    tensors.Query.Span,
                    tensors.Key.Span,
                    tensors.Value.Span,
                    tensors.Output.Span,
                    shape,
                    options: options
                );
    }
}
