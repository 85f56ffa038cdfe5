using System.Linq;
using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The CPU's micro-kernels: the two products and the softmax of one panel of query rows against one tile of keys. They depend on the
/// register tile alone, so an assembly has one class for each tile that its variants use.
///
/// Lanes are query rows: the scores of one key are a vector, so maxima, sums and rescaling are lane-wise and keys and values need no
/// packing. Register tiles are unrolled as named vector locals, which is what keeps RyuJIT at 97 % of the FMA peak; the head dimension
/// is a run-time loop and costs nothing.
/// </summary>
internal static class PanelEmitter
{
    public static string Emit(SimdTile tile)
    {
        string vector = $"Vector{tile.VectorBits}";
        string real = tile.Real;
        return $$"""
            {{Header}}
            namespace FlashGen.Generated;

            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::System.Runtime.Intrinsics;
            using global::System.Runtime.Intrinsics.X86;
            using global::FlashGen.Support;
            using V = global::System.Runtime.Intrinsics.{{vector}};
            using Reals = global::System.Runtime.Intrinsics.{{vector}}<{{real}}>;

            /// <summary>
            /// Micro-kernels of a panel of {{tile.Rows}} query rows ({{tile.RowVectors}} vectors of {{tile.Lanes}}):
            /// scores {{tile.KeyUnroll}} keys at a time, outputs {{tile.ValueUnroll}} value columns at a time.
            /// </summary>
            internal static unsafe class {{tile.ClassName}}
            {
                private const int Rows = {{tile.Rows}};

            {{Indent(Scores(tile), 1)}}

            {{Indent(ScoresBlock(tile, tile.KeyUnroll), 1)}}

            {{Indent(ScoresBlock(tile, 1), 1)}}

            {{(tile.SplitsLast ? Indent(ScoresBlock(tile, 2 * tile.KeyUnroll, last: true), 1) + "\n" : "")}}

            {{Indent(Softmax(tile), 1)}}

            {{(tile.TakesKnownMaxima ? Indent(KnownMaximaEmitter.Emit(tile), 1) + "\n" : "")}}

            {{Indent(Values(tile), 1)}}

            {{Indent(ValuesBlock(tile, tile.ValueUnroll), 1)}}

            {{Indent(ValuesBlock(tile, 1), 1)}}

            {{(
                tile.SplitsLast
                    ? Indent(ValuesBlock(tile, 2 * tile.ValueUnroll, last: true), 1)
                        + "\n\n"
                        + Indent(ValuesBlock(tile, tile.ValueUnroll, last: true), 1)
                        + "\n\n"
                        + Indent(ValuesBlock(tile, 1, last: true), 1)
                        + "\n"
                    : ""
            )}}

            {{(tile.Wide ? "" : Indent(RowKernelsEmitter.Emit(tile), 1) + "\n")}}
            {{Indent(ExponentialEmitter.Emit(tile), 1)}}
            }

            """.Replace(
            "\r\n",
            "\n"
        );
    }

    private static string Scores(SimdTile tile)
    {
        string step = Number(tile.KeyUnroll);
        // With one vector of rows as many registers are free for twice the keys.
        string twice = Number(2 * tile.KeyUnroll);
        string split = tile.SplitsLast
            ? $$"""
                int whole = Math.Clamp(lastOnly, 0, count);
                whole = count - whole < {{twice}} ? count : whole;

                """
            : "";
        string whole = tile.SplitsLast ? "whole" : "count";
        string last = tile.SplitsLast
            ? $$"""

                for (j = whole; j < count; j += {{twice}})
                {
                    ahead.Step();
                    ahead.Step();
                    int at = Math.Min(j, count - {{twice}});
                    Scores{{twice}}OfLast(keys + at * stride, stride, queries + lastVector, headDim, scores + at * Rows + lastVector, maximum + lastVector);
                }
                """
            : "";
        return $$"""
            /// <summary>
            /// Scores of some keys: scores[j][row] = sum over d of keys[j][d] * queries[d][row], raising maximum to the greatest of each row{{OfLast(
                tile
            )}}.
            /// Meanwhile it fetches what comes next.
            /// </summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void Scores({{tile.Real}}* keys, nint stride, int count, {{Last(
                tile
            )}}{{tile.Real}}* queries, int headDim, {{tile.Real}}* scores, {{tile.Real}}* maximum, ref SimdAhead ahead)
            {
            {{Indent(split, 1)}}    int j = 0;
                for (; j + {{step}} <= {{whole}}; j += {{step}})
                {
                    ahead.Step();
                    Scores{{step}}(keys + j * stride, stride, queries, headDim, scores + j * Rows, maximum);
                }
                // The last few keys come with some before them, a second time: quicker than one by one.
                if (j < {{whole}} && j > 0)
                    Scores{{step}}(keys + ({{whole}} - {{step}}) * stride, stride, queries, headDim, scores + ({{whole}} - {{step}}) * Rows, maximum);
                else
                    for (; j < {{whole}}; j++)
                        Scores1(keys + j * stride, stride, queries, headDim, scores + j * Rows, maximum);{{Indent(
                last,
                1
            )}}
            }
            """;
    }

    private static string OfLast(SimdTile tile) =>
        tile.SplitsLast ? "; from key lastOnly on of the rows from lastVector on alone" : "";

    private static string Last(SimdTile tile) => tile.SplitsLast ? "int lastOnly, int lastVector, " : "";

    private static string ScoresBlock(SimdTile tile, int keys, bool last = false)
    {
        int vectors = last ? 1 : tile.RowVectors;
        string Maximum(int i) =>
            Tree(Enumerable.Range(0, keys).Select(j => Score(j, i)).ToList(), (a, b) => $"V.MaxNative({a}, {b})");
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void Scores{{keys}}{{(last ? "OfLast" : "")}}({{tile.Real}}* key, nint stride, {{tile.Real}}* query, int headDim, {{tile.Real}}* scores, {{tile.Real}}* maximum)
            {
            {{Indent(Products(tile, keys, vectors, _ => "Reals.Zero"), 1)}}
            {{Indent(Lines(keys, vectors, (j, i) => $"{Score(j, i)}.Store(scores{At(tile, j, i)});"), 1)}}
            {{Indent(
                Lines(vectors, i => $"V.MaxNative(V.Load(maximum{At(tile, 0, i)}), {Maximum(i)}).Store(maximum{At(tile, 0, i)});"),
                1
            )}}
            }
            """;
    }

    /// <summary>The register of a key's scores with a panel's rows.</summary>
    public static string Score(int key, int vector) => $"s{key}_{vector}";

    /// <summary>The place of a panel's vector in an array whose rows have a lane for each row of the panel.</summary>
    public static string At(SimdTile tile, int row, int vector) =>
        row == 0 && vector == 0 ? "" : $" + {row * tile.Rows + vector * tile.Lanes}";

    /// <summary>Scores of some keys with vectors of rows, in registers, each from a start of its rows on.</summary>
    public static string Products(SimdTile tile, int keys, int vectors, System.Func<int, string> start)
    {
        // One dimension; two in the loop's body halve what the loop itself costs.
        string Name(string name, int number, int step) => step == 0 ? $"{name}{number}" : $"{name}{number}_{step}";
        string Step(int step) =>
            Lines(vectors, i => $"Reals {Name("q", i, step)} = V.Load(query{At(tile, step, i)});")
            + "\n"
            + Lines(
                keys,
                j =>
                    $"Reals {Name("b", j, step)} = V.Create(k{j}[d{(step == 0 ? "" : " + 1")}]);\n"
                    + Lines(
                        vectors,
                        i => $"{Score(j, i)} = {tile.Fma}({Name("b", j, step)}, {Name("q", i, step)}, {Score(j, i)});"
                    )
            );
        return $$"""
            {{Lines(keys, j => j == 0 ? $"{tile.Real}* k0 = key;" : $"{tile.Real}* k{j} = k{j - 1} + stride;")}}
            {{Lines(keys, vectors, (j, i) => $"Reals {Score(j, i)} = {start(i)};")}}
            nint d = 0;
            {{(
                keys == 1
                    ? ""
                    : $"for (; d + 2 <= headDim; d += 2, query += 2 * Rows)\n{{\n{Indent(Step(0), 1)}\n{Indent(Step(1), 1)}\n}}\n"
            )}}for (; d < headDim; d++, query += Rows)
            {
            {{Indent(Step(0), 1)}}
            }
            """;
    }

    private static string Softmax(SimdTile tile) =>
        $$"""
            /// <summary>
            /// Turns scores of a panel's first rows into probabilities against the new maximum of each, moves maximum to it, and says in fade by
            /// what earlier sums and outputs shrink: exactly 1 where the maximum did not move, so that error does not grow with length.
            /// </summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void Softmax({{tile.Real}}* scores, int count, int rows, {{tile.Real}}* maximum, {{tile.Real}}* newMaximum, {{tile.Real}}* sum, {{tile.Real}}* fade)
            {
                Reals lowest = V.Create({{tile.Real}}.NegativeInfinity);
                for (int row = 0; row < rows; row += {{tile.Lanes}})
                {
                    Reals top = V.Load(newMaximum + row);
                    // Nothing kept so far: subtract 0, so that -inf gives probability 0 and not NaN.
                    Reals origin = V.ConditionalSelect(V.Equals(top, lowest), Reals.Zero, top);
                    Reals shrink = Exp(V.Load(maximum + row) - origin);
                    top.Store(maximum + row);
                    shrink.Store(fade + row);
                    Reals sum0 = Reals.Zero;
                    Reals sum1 = Reals.Zero;
                    {{tile.Real}}* s = scores + row;
                    int left = count;
                    for (; left >= 4; left -= 4, s += 4 * Rows)
                    {
                        Reals p0 = Exp(V.Load(s) - origin);
                        Reals p1 = Exp(V.Load(s + Rows) - origin);
                        Reals p2 = Exp(V.Load(s + 2 * Rows) - origin);
                        Reals p3 = Exp(V.Load(s + 3 * Rows) - origin);
                        p0.Store(s);
                        p1.Store(s + Rows);
                        p2.Store(s + 2 * Rows);
                        p3.Store(s + 3 * Rows);
                        sum0 += p0 + p1;
                        sum1 += p2 + p3;
                    }
                    for (; left > 0; left--, s += Rows)
                    {
                        Reals p = Exp(V.Load(s) - origin);
                        p.Store(s);
                        sum0 += p;
                    }
                    {{tile.Fma}}(V.Load(sum + row), shrink, sum0 + sum1).Store(sum + row);
                }
            }
            """;

    private static string Values(SimdTile tile)
    {
        string Columns(string last, string count, string lastVector) =>
            $$"""
                for (; d + {{tile.ValueUnroll}} <= valueDim; d += {{tile.ValueUnroll}})
                {
                    ahead.Step();
                    Values{{tile.ValueUnroll}}{{last}}(values + d, stride, {{count}}, probabilities{{lastVector}}, fade{{lastVector}}, outputs + d * Rows{{lastVector}});
                }
                for (; d < valueDim; d++)
                    Values1{{last}}(values + d, stride, {{count}}, probabilities{{lastVector}}, fade{{lastVector}}, outputs + d * Rows{{lastVector}});
                """;
        string columns = tile.SplitsLast
            ? $$"""
                int whole = Math.Clamp(lastOnly, 0, count), d = 0;
                if (whole > 0)
                {
                {{Indent(Columns("", "whole", ""), 1)}}
                }
                if (whole == count)
                    return;
                if (whole > 0)
                    V.Create(1f).Store(fade + lastVector);
                values += whole * stride;
                probabilities += whole * Rows;
                for (d = 0; d + {{2 * tile.ValueUnroll}} <= valueDim; d += {{2 * tile.ValueUnroll}})
                {
                    ahead.Step();
                    ahead.Step();
                    Values{{2
                    * tile.ValueUnroll}}OfLast(values + d, stride, count - whole, probabilities + lastVector, fade + lastVector, outputs + d * Rows + lastVector);
                }
                {{Columns("OfLast", "count - whole", " + lastVector")}}
                """
            : "int d = 0;\n" + Columns("", "count", "");
        return $$"""
            /// <summary>
            /// Outputs: outputs[d][row] = outputs[d][row] * fade[row] + sum over keys of values[j][d] * probabilities[j][row]{{OfLast(
                tile
            )}}.
            /// Meanwhile it fetches what comes next.
            /// </summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void Values({{tile.Real}}* values, nint stride, int count, {{Last(
                tile
            )}}{{tile.Real}}* probabilities, {{tile.Real}}* fade, {{tile.Real}}* outputs, int valueDim, ref SimdAhead ahead)
            {
            {{Indent(columns, 1)}}
            }
            """;
    }

    private static string ValuesBlock(SimdTile tile, int columns, bool last = false)
    {
        int vectors = last ? 1 : tile.RowVectors;
        string Accumulator(int d, int i) => $"o{d}_{i}";
        string Name(string name, int number, int step) => step == 0 ? $"{name}{number}" : $"{name}{number}_{step}";
        string Step(int step) =>
            Lines(vectors, i => $"Reals {Name("p", i, step)} = V.Load(probability{At(tile, step, i)});")
            + "\n"
            + Lines(
                columns,
                d =>
                    $"Reals {Name("b", d, step)} = V.Create(value[{(step == 0 ? "" : "stride + ")}{d}]);\n"
                    + Lines(
                        vectors,
                        i =>
                            $"{Accumulator(d, i)} = {tile.Fma}({Name("b", d, step)}, {Name("p", i, step)}, {Accumulator(d, i)});"
                    )
            );
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void Values{{columns}}{{(last ? "OfLast" : "")}}({{tile.Real}}* value, nint stride, int count, {{tile.Real}}* probability, {{tile.Real}}* fade, {{tile.Real}}* outputs)
            {
            {{Indent(Lines(columns, vectors, (d, i) => $"Reals {Accumulator(d, i)} = Reals.Zero;"), 1)}}
            {{(columns == 1 ? "" : Indent($"for (; count >= 2; count -= 2, value += 2 * stride, probability += 2 * Rows)\n{{\n{Indent(Step(0), 1)}\n{Indent(Step(1), 1)}\n}}", 1) + "\n")}}    for (; count > 0; count--, value += stride, probability += Rows)
                {
            {{Indent(Step(0), 2)}}
                }
            {{Indent(Lines(vectors, i => $"Reals f{i} = V.Load(fade{At(tile, 0, i)});"), 1)}}
            {{Indent(
                Lines(
                    columns,
                    vectors,
                    (d, i) =>
                        $"{tile.Fma}(V.Load(outputs{At(tile, d, i)}), f{i}, {Accumulator(d, i)}).Store(outputs{At(tile, d, i)});"
                ),
                1
            )}}
            }
            """;
    }
}
