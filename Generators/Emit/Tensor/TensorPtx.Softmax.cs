using System.Collections.Generic;
using System.Linq;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The tile operations of the online softmax: maxima, probabilities and sums, and what outputs shrink by.</summary>
internal sealed partial class TensorPtx
{
    private string FindMaxima()
    {
        List<string> lines = new()
        {
            "// Even and odd columns apart, then over the four threads of a row.",
            Pack(RowStates.Select(r => $"mov.f32 x{r}, m{r}; mov.f32 y{r}, m{r};"), 2),
            Pack(
                Enumerable
                    .Range(0, rowTiles * ScoreRegisters)
                    .Select(i =>
                    {
                        string target = (i % 2 == 0 ? "x" : "y") + StateOf(i, ScoreRegisters);
                        return $"max.f32 {target}, {target}, s{i};";
                    }),
                4 * rowTiles
            ),
            Pack(RowStates.Select(r => $"max.f32 x{r}, x{r}, y{r};"), 4),
        };
        foreach (int mask in new[] { 1, 2 })
            lines.Add(
                Pack(RowStates.Select(r => $"shfl.sync.bfly.b32 t, x{r}, {mask}, 31, -1; max.f32 x{r}, x{r}, t;"), 2)
            );
        return Method(
            "The greatest score of each row so far, this tile's among them.",
            "FindMaxima",
            "",
            string.Join("\n", lines),
            ""
        );
    }

    private string KeepMaxima() =>
        Method(
            $"A row keeps the maximum that it has until a score is more than 2^{MostRise} times its exponential.",
            "KeepMaxima",
            "",
            Pack(
                RowStates.Select(r =>
                    $"sub.f32 t, x{r}, m{r}; mul.f32 t, t, toExponent; setp.gt.f32 c, t, {MostRiseBits}; selp.f32 x{r}, x{r}, m{r}, c;"
                ),
                2
            ),
            ""
        );

    private string Softmax()
    {
        List<string> lines = new()
        {
            "// Nothing kept so far: subtract 0, so that -inf gives 0 and not NaN. The fade is 1 where the maximum stays.",
        };
        lines.AddRange(
            RowStates.Select(r =>
                $"setp.eq.f32 c, x{r}, 0fFF800000; selp.f32 y{r}, 0f00000000, x{r}, c; sub.f32 t, m{r}, y{r}; mul.f32 t, t, toExponent; ex2.approx.ftz.f32 fade{r}, t;\n"
                + $"mul.f32 shift{r}, y{r}, toExponent; neg.f32 shift{r}, shift{r}; mov.f32 m{r}, x{r}; mul.f32 l{r}, l{r}, fade{r}; mov.f32 y{r}, 0f00000000;"
            )
        );
        lines.Add("// Probabilities against the maximum, and their sums.");
        lines.Add(
            Pack(
                Enumerable
                    .Range(0, rowTiles * ScoreRegisters)
                    .Select(i =>
                    {
                        int row = StateOf(i, ScoreRegisters);
                        string sum = (i % 2 == 0 ? "l" : "y") + row;
                        return $"fma.rn.f32 s{i}, s{i}, toExponent, shift{row}; ex2.approx.ftz.f32 s{i}, s{i}; add.f32 {sum}, {sum}, s{i};";
                    }),
                2 * rowTiles
            )
        );
        lines.Add(Pack(RowStates.Select(r => $"add.f32 l{r}, l{r}, y{r};"), 4));
        return Method(
            "Turns scores into probabilities against each row's maximum.",
            "Softmax",
            "",
            string.Join("\n", lines),
            ""
        );
    }

    // Probabilities of up to 256 lose nothing to ones of up to 1: they are floating-point numbers, and so is their sum.
    private const int MostRise = 8;

    private const string MostRiseBits = "0f41000000";

    private string FadeAll =>
        Pack(
            Enumerable
                .Range(0, rowTiles * OutputRegisters)
                .Select(i => $"mul.f32 o{i}, o{i}, fade{StateOf(i, OutputRegisters)};"),
            6 * rowTiles
        );

    private string Fade() => Method("Shrinks the outputs by what the maxima rose.", "FadeOutputs", "", FadeAll, "");

    private string FadeRisen() =>
        Method(
            "Shrinks the outputs where the maximum of one of the warp's rows rose: in few tiles.",
            "FadeRisen",
            "",
            $"{{\nsetp.neu.f32 c, fade0, 0f3F800000; "
                + string.Concat(RowStates.Skip(1).Select(r => $"setp.neu.or.f32 c, fade{r}, 0f3F800000, c; "))
                + $"vote.sync.any.pred c, c, -1; @!c bra.uni kept;\n{FadeAll}\nkept:\n}}",
            ""
        );
}
