using System.Linq;
using static FlashGen.Generators.Emit.CodeText;
using static FlashGen.Generators.Emit.Simd.PanelEmitter;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The micro-kernel of tiles that every row keeps all of: probabilities against the maxima that the rows have, straight from the registers
/// of the product. No maxima are looked for, scores are neither stored nor loaded, and the outputs do not fade.
/// </summary>
internal static class KnownMaximaEmitter
{
    public static string Emit(SimdTile tile) => Probabilities(tile) + "\n\n" + Step(tile);

    private static string Probabilities(SimdTile tile)
    {
        string step = Number(tile.KeyUnroll);
        string OfAll(string compare) =>
            string.Join(
                " && ",
                Enumerable
                    .Range(0, tile.RowVectors)
                    .Select(i => $"V.{compare}(V.Load(maximum{At(tile, 0, i)}), lowest)")
            );
        return $$"""
            /// <summary>
            /// Probabilities of whole steps of keys against the maxima that the rows have, and their sums. Where no row has one yet, the first step gives
            /// them. False, and no row has changed, where some have none, or where a row's sum is above 2^30: its maximum is far too low.
            /// </summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static bool Probabilities({{tile.Real}}* keys, nint stride, int count, {{tile.Real}}* queries, int headDim, {{tile.Real}}* probabilities, {{tile.Real}}* maximum, {{tile.Real}}* newMaximum, {{tile.Real}}* sum, {{tile.Real}}* fade, ref SimdAhead ahead)
            {
                Reals lowest = V.Create({{tile.Real}}.NegativeInfinity);
                bool isFirst = {{OfAll("EqualsAll")}};
                if (count % {{step}} != 0 || !(isFirst || {{OfAll("GreaterThanAll")}}))
                    return false;
                int j = 0;
                if (isFirst)
                {
                    ahead.Step();
                    new Span<{{tile.Real}}>(newMaximum, Rows).Fill({{tile.Real}}.NegativeInfinity);
                    Scores{{step}}(keys, stride, queries, headDim, probabilities, newMaximum);
                    Softmax(probabilities, {{step}}, Rows, maximum, newMaximum, sum, fade);
                    j = {{step}};
                }
                else
                {
                    new Span<{{tile.Real}}>(fade, Rows).Fill(1);
                }
                // The sums of this tile come where new maxima would.
                new Span<{{tile.Real}}>(newMaximum, Rows).Clear();
                for (; j < count; j += {{step}})
                {
                    ahead.Step();
                    Probabilities{{step}}(keys + j * stride, stride, queries, headDim, probabilities + j * Rows, maximum, newMaximum);
                }
                Reals most = V.Create(1073741824f);
                if ({{string.Join(
                " && ",
                Enumerable.Range(0, tile.RowVectors).Select(i =>
                    $"V.LessThanOrEqualAll(V.Load(newMaximum{At(tile, 0, i)}), most)"
                )
            )}})
                {
            {{Indent(
                Lines(
                    tile.RowVectors,
                    i =>
                        $"(V.Load(sum{At(tile, 0, i)}) + V.Load(newMaximum{At(tile, 0, i)})).Store(sum{At(tile, 0, i)});"
                ),
                2
            )}}
                    return true;
                }
                if (isFirst)
                {
                    new Span<{{tile.Real}}>(maximum, Rows).Fill({{tile.Real}}.NegativeInfinity);
                    new Span<{{tile.Real}}>(sum, Rows).Clear();
                }
                return false;
            }
            """;
    }

    // Scores start from what is subtracted, so that nothing is left to subtract.
    private static string Step(SimdTile tile)
    {
        int keys = tile.KeyUnroll,
            vectors = tile.RowVectors;
        string Sum(int i) =>
            Tree(Enumerable.Range(0, keys).Select(j => Score(j, i)).ToList(), (a, b) => $"({a} + {b})");
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void Probabilities{{keys}}({{tile.Real}}* key, nint stride, {{tile.Real}}* query, int headDim, {{tile.Real}}* probabilities, {{tile.Real}}* maximum, {{tile.Real}}* sum)
            {
            {{Indent(Lines(vectors, i => $"Reals m{i} = -V.Load(maximum{At(tile, 0, i)});"), 1)}}
            {{Indent(Products(tile, keys, vectors, i => $"m{i}"), 1)}}
            {{Indent(
                Lines(
                    keys,
                    vectors,
                    (j, i) =>
                        $"{Score(j, i)} = Exp({Score(j, i)});\n{Score(j, i)}.Store(probabilities{At(tile, j, i)});"
                ),
                1
            )}}
            {{Indent(Lines(vectors, i => $"(V.Load(sum{At(tile, 0, i)}) + {Sum(i)}).Store(sum{At(tile, 0, i)});"), 1)}}
            }
            """;
    }
}
