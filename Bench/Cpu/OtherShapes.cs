using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;

namespace FlashGen.Bench.Cpu;

/// <summary>
/// Shapes beside the table's, as models have them: some queries, lengths that fill no panel, other head dimensions. Measured only where the
/// command's words have <see cref="Word"/> among them.
/// </summary>
static class OtherShapes
{
    public const string Word = "other";

    private static readonly (int Heads, int Queries, int Keys, int Dim)[] Shapes =
    [
        (8, 8, 2048, 128),
        (8, 9, 2048, 128),
        (8, 12, 2048, 64),
        (8, 16, 2048, 128),
        (8, 33, 3000, 64),
        (8, 48, 1024, 128),
        (12, 32, 32, 64),
        (12, 64, 64, 64),
        (8, 100, 100, 128),
        (16, 128, 128, 64),
        (12, 197, 197, 64),
        (16, 200, 200, 128),
        (16, 257, 257, 80),
        (12, 384, 384, 64),
        (12, 577, 577, 64),
        (8, 1024, 77, 40),
        (8, 1500, 1500, 64),
    ];

    public static IEnumerable<CpuCase> Cases() =>
        Shapes.Select(shape => Beside(new(shape.Heads, shape.Heads, shape.Queries, shape.Keys, shape.Dim)));

    private static CpuCase Beside(Heads heads)
    {
        string name = $"{Word}: {heads.Query} heads, {heads.Queries} queries, {heads.Keys} keys, d {heads.Dim}";
        return new(name, Measure);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors tensors = new(heads);
            List<Rival> rivals = [tensors.Torch(false, threads, 1), .. tensors.Onnx(false, threads, 1)];
            return [.. Duel.Run(roof, threads, name, Prefill.Ours(tensors, false, threads), rivals, heads.Flops, null)];
        }
    }
}
