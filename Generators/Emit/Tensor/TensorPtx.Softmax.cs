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
        lines.Add(Exponentials("l"));
        lines.Add(Pack(RowStates.Select(r => $"add.f32 l{r}, l{r}, y{r};"), 4));
        return Method(
            "Turns scores into probabilities against each row's maximum.",
            "Softmax",
            "",
            string.Join("\n", lines),
            ""
        );
    }

    private string SoftmaxByKnownMaxima()
    {
        string rises = string.Concat(
            RowStates.Skip(1).Select(r => $" setp.gtu.or.f32 c, x{r}, {MostProbabilityBits}, c;")
        );
        string ptx = string.Join(
            "\n",
            Pack(
                RowStates.Select(r =>
                    $"mul.f32 shift{r}, m{r}, toExponent; neg.f32 shift{r}, shift{r}; mov.f32 x{r}, 0f00000000; mov.f32 y{r}, 0f00000000;"
                ),
                2
            ),
            Exponentials("x"),
            Pack(RowStates.Select(r => $"add.f32 x{r}, x{r}, y{r};"), 4),
            $"setp.gtu.f32 c, x0, {MostProbabilityBits};{rises} vote.sync.any.pred c, c, -1; selp.s32 %0, 1, 0, c;",
            Pack(RowStates.Select(r => $"@!c add.f32 l{r}, l{r}, x{r};"), 4)
        );
        return $$""""
            /// <summary>
            /// Turns scores into probabilities against the maxima that the rows have. Not 0 where a row of the warp has one above 2^{{MostProbability}}, or no
            /// maximum yet: sums stay as they are then, and scores are lost.
            /// </summary>
            {{Inline}}
            private static int SoftmaxByKnownMaxima()
            {
                CudaAsm.Emit("""
            {{CodeText.Indent(ptx, 2)}}
                    """, out int rises);
                return rises;
            }
            """";
    }

    // Even columns are summed in registers of this name, odd ones in y.
    private string Exponentials(string even) =>
        Pack(
            Enumerable
                .Range(0, rowTiles * ScoreRegisters)
                .Select(i =>
                {
                    int row = StateOf(i, ScoreRegisters);
                    string sum = (i % 2 == 0 ? even : "y") + row;
                    return $"fma.rn.f32 s{i}, s{i}, toExponent, shift{row}; ex2.approx.ftz.f32 s{i}, s{i}; add.f32 {sum}, {sum}, s{i};";
                }),
            2 * rowTiles
        );

    // A thread's probabilities of a row and tile, together: float16 holds four times as much. Large ones lose nothing to small ones, for they
    // are floating-point numbers, and so are sums and outputs.
    private const int MostProbability = 14;

    private const string MostProbabilityBits = "0f46800000";

    private string Fade() =>
        Method(
            "Shrinks the outputs by what the maxima rose.",
            "FadeOutputs",
            "",
            Pack(
                Enumerable
                    .Range(0, rowTiles * OutputRegisters)
                    .Select(i => $"mul.f32 o{i}, o{i}, fade{StateOf(i, OutputRegisters)};"),
                6 * rowTiles
            ),
            ""
        );
}
