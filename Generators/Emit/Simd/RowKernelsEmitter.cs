using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The CPU's micro-kernels for a few query rows against many keys (decoding). Lanes are dimensions in the products and keys in the
/// softmax, so no lane is idle. What bounds it is memory: the rows of a group share each key and value that is loaded.
/// </summary>
internal static class RowKernelsEmitter
{
    private const int KeysPerStep = 4;

    /// <summary>Keys that stay in the first-level cache while all rows go over them.</summary>
    private const int KeysInCache = 16;

    /// <summary>
    /// Rows ahead whose first lines are fetched. The hardware fetches the rest by itself, but it stops at each page of 4 KB, which is
    /// eight rows of 128 floats: fetching every line was slower than this, and a tile ahead slower than nothing.
    /// </summary>
    private const int RowsAhead = 8;

    /// <summary>Rows that share what is loaded, most first: as many as leave the accumulators in registers.</summary>
    private static int[] Rows(SimdTile tile) => tile.VectorBits == 512 ? [4, 2, 1] : [2, 1];

    /// <summary>Vectors of value columns that are accumulated at once.</summary>
    private const int Vectors = 4;

    public static string Emit(SimdTile tile)
    {
        string Groups(string call) =>
            string.Join(
                "\n",
                Rows(tile)
                    .Select(rows => $"for (; r + {rows} <= rows; r += {rows})\n    {call.Replace("#", Number(rows))}")
            );
        return $$"""
            /// <summary>Scores of some rows: scores[row][j] = sum over d of keys[j][d] * queries[row][d].</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RowScores(float* keys, nint stride, int count, float* queries, int headDim, int rows, float* scores, nint scoreStride)
            {
                for (int j = 0; j < count; j += {{KeysInCache}}, keys += {{KeysInCache}} * stride)
                {
                    int some = count - j < {{KeysInCache}} ? count - j : {{KeysInCache}}, r = 0;
            {{Indent(
                Groups(
                    "RowScores#(keys, stride, some, queries + r * headDim, headDim, scores + r * scoreStride + j, scoreStride);"
                ),
                2
            )}}
                }
            }

            {{string.Join("\n\n", Rows(tile).Select(rows => Scores(tile, rows)))}}

            {{Softmax(tile)}}

            /// <summary>Outputs of some rows: outputs[row][d] = outputs[row][d] * fades[row] + sum over keys of probabilities[row][j] * values[j][d].</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RowValues(float* values, nint stride, int count, float* probabilities, nint scoreStride, float* fades, int rows, float* outputs, int valueDim)
            {
                const int step = {{Vectors * tile.Lanes}};
                for (int d = 0; d < valueDim; d += step)
                {
                    int columns = valueDim - d < step ? valueDim - d : step, r = 0;
            {{Indent(
                Groups(
                    "RowValues#(values + d, stride, count, probabilities + r * scoreStride, scoreStride, fades + r, outputs + r * valueDim + d, valueDim, columns);"
                ),
                2
            )}}
                }
            }

            {{string.Join("\n\n", Rows(tile).Select(rows => Values(tile, rows)))}}

            {{RemainingColumns(tile)}}

            {{Sums(tile)}}
            """;
    }

    private static string Scores(SimdTile tile, int rows) =>
        $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowScores{{rows}}(float* keys, nint stride, int count, float* queries, int headDim, float* scores, nint scoreStride)
            {
                int vectors = headDim & ~{{tile.Lanes - 1}};
                int j = 0;
                for (; j + {{KeysPerStep}} <= count; j += {{KeysPerStep}}, keys += {{KeysPerStep}} * stride)
                {
                    float* k0 = keys;
            {{Indent(string.Join("\n", Enumerable.Range(1, KeysPerStep - 1).Select(k => $"float* k{k} = k{k - 1} + stride;")), 2)}}
                    if (Sse.IsSupported)
                    {
                        Sse.Prefetch0(k0 + {{RowsAhead}} * stride);
                        Sse.Prefetch0(k0 + {{RowsAhead}} * stride + 16);
                        Sse.Prefetch0(k2 + {{RowsAhead}} * stride);
                        Sse.Prefetch0(k2 + {{RowsAhead}} * stride + 16);
                    }
            {{Indent(Lines(rows, KeysPerStep, (r, k) => $"Reals s{r}_{k} = Reals.Zero;"), 2)}}
                    for (int d = 0; d < vectors; d += {{tile.Lanes}})
                    {
            {{Indent(
                Lines(KeysPerStep, k => $"Reals x{k} = V.Load(k{k} + d);")
                    + "\n"
                    + Lines(
                        rows,
                        r =>
                            $"Reals q{r} = V.Load(queries + {(r == 0 ? "" : $"{r} * headDim + ")}d);\n"
                            + Lines(KeysPerStep, k => $"s{r}_{k} = {Fma(tile)}(x{k}, q{r}, s{r}_{k});")
                    ),
                3
            )}}
                    }
            {{Indent(Lines(rows, r => $"Sums({string.Join(", ", Enumerable.Range(0, KeysPerStep).Select(k => $"s{r}_{k}"))}).Store(scores + {(r == 0 ? "" : $"{r} * scoreStride + ")}j);"), 2)}}
                    if (vectors < headDim)
                        for (int r = 0; r < {{rows}}; r++)
                            for (int k = 0; k < {{KeysPerStep}}; k++)
                                scores[r * scoreStride + j + k] += RowProduct(keys + k * stride + vectors, queries + r * headDim + vectors, headDim - vectors);
                }
                for (; j < count; j++, keys += stride)
                    for (int r = 0; r < {{rows}}; r++)
                        scores[r * scoreStride + j] = RowProduct(keys, queries + r * headDim, headDim);
            }
            """;

    private static string Softmax(SimdTile tile) =>
        $$"""
            /// <summary>
            /// Turns the scores of a row into probabilities, and adds them to its sum; returns by what its outputs shrink: exactly 1 where
            /// the maximum does not move.
            /// </summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static float RowSoftmax(float* scores, int count, SimdPartial* row)
            {
                float maximum = row->Maximum;
                Reals top = V.Create(maximum);
                int j = 0;
                for (; j + {{tile.Lanes}} <= count; j += {{tile.Lanes}})
                    top = V.MaxNative(top, V.Load(scores + j));
                for (int i = 0; i < {{tile.Lanes}}; i++)
                    maximum = top[i] > maximum ? top[i] : maximum;
                for (; j < count; j++)
                    maximum = scores[j] > maximum ? scores[j] : maximum;

                Reals origin = V.Create(float.IsNegativeInfinity(maximum) ? 0 : maximum);
                Reals sum = Reals.Zero;
                for (j = 0; j + {{tile.Lanes}} <= count; j += {{tile.Lanes}})
                {
                    Reals p = Exp(V.Load(scores + j) - origin);
                    p.Store(scores + j);
                    sum += p;
                }
                float total = V.Sum(sum);
                for (; j < count; j++)
                {
                    scores[j] = Exp(V.Create(scores[j]) - origin)[0];
                    total += scores[j];
                }
                float fade = Exp(V.Create(row->Maximum) - origin)[0];
                row->Maximum = maximum;
                row->Sum = row->Sum * fade + total;
                return fade;
            }
            """;

    private static string Values(SimdTile tile, int rows)
    {
        int step = Vectors * tile.Lanes;
        string At(int vector) => vector == 0 ? "" : $" + {vector * tile.Lanes}";
        string Output(int r, int c) => $"outputs + {(r == 0 ? "" : $"{r} * valueDim + ")}d{At(c)}";
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowValues{{rows}}(float* values, nint stride, int count, float* probabilities, nint scoreStride, float* fades, float* outputs, int valueDim, int columns)
            {
                int d = 0;
                for (; d + {{step}} <= columns; d += {{step}})
                {
            {{Indent(Lines(rows, Vectors, (r, c) => $"Reals o{r}_{c} = Reals.Zero;"), 2)}}
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                    {
                        if (Sse.IsSupported)
                            Sse.Prefetch0(v + {{RowsAhead}} * stride);
            {{Indent(
                Lines(Vectors, c => $"Reals x{c} = V.Load(v{At(c)});")
                    + "\n"
                    + Lines(
                        rows,
                        r =>
                            $"Reals p{r} = V.Create(probabilities[{(r == 0 ? "" : $"{r} * scoreStride + ")}j]);\n"
                            + Lines(Vectors, c => $"o{r}_{c} = {Fma(tile)}(p{r}, x{c}, o{r}_{c});")
                    ),
                3
            )}}
                    }
            {{Indent(
                Lines(
                    rows,
                    r =>
                        $"Reals f{r} = V.Create(fades[{r}]);\n"
                        + Lines(
                            Vectors,
                            c => $"{Fma(tile)}(V.Load({Output(r, c)}), f{r}, o{r}_{c}).Store({Output(r, c)});"
                        )
                ),
                2
            )}}
                }
                for (int r = 0; r < {{rows}} && d < columns; r++)
                    RowColumns(values + d, stride, count, probabilities + r * scoreStride, fades[r], outputs + r * valueDim + d, columns - d);
            }
            """;
    }

    private static string RemainingColumns(SimdTile tile) =>
        $$"""
            // Outputs of the last columns of a row.
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowColumns(float* values, nint stride, int count, float* probabilities, float fade, float* outputs, int columns)
            {
                int d = 0;
                for (; d + {{tile.Lanes}} <= columns; d += {{tile.Lanes}})
                {
                    Reals o = Reals.Zero;
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                        o = {{Fma(tile)}}(V.Create(probabilities[j]), V.Load(v), o);
                    {{Fma(tile)}}(V.Load(outputs + d), V.Create(fade), o).Store(outputs + d);
                }
                for (; d < columns; d++)
                {
                    float o = 0;
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                        o += probabilities[j] * *v;
                    outputs[d] = outputs[d] * fade + o;
                }
            }
            """;

    private static string Sums(SimdTile tile)
    {
        const string Pairs =
            "Vector256<float> sums = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));\nreturn sums.GetLower() + sums.GetUpper();";
        string body = tile.VectorBits switch
        {
            512 =>
                "return Sums(a.GetLower() + a.GetUpper(), b.GetLower() + b.GetUpper(), c.GetLower() + c.GetUpper(), d.GetLower() + d.GetUpper());",
            256 => Pairs,
            _ => "return Vector128.Create(V.Sum(a), V.Sum(b), V.Sum(c), V.Sum(d));",
        };
        string halves =
            tile.VectorBits == 512
                ? $$"""


                    [MethodImpl(MethodImplOptions.AggressiveInlining)]
                    private static Vector128<float> Sums(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
                    {
                    {{Indent(Pairs, 1)}}
                    }
                    """
                : "";
        return $$"""
            // The sums of four vectors.
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            private static Vector128<float> Sums(Reals a, Reals b, Reals c, Reals d)
            {
            {{Indent(body, 1)}}
            }{{halves}}

            // The product of a key and a query.
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static float RowProduct(float* key, float* query, int headDim)
            {
                Reals s = Reals.Zero;
                int d = 0;
                for (; d + {{tile.Lanes}} <= headDim; d += {{tile.Lanes}})
                    s = {{Fma(tile)}}(V.Load(key + d), V.Load(query + d), s);
                float t = V.Sum(s);
                for (; d < headDim; d++)
                    t += key[d] * query[d];
                return t;
            }
            """;
    }

    private static string Fma(SimdTile tile) => tile.VectorBits == 128 ? "V.MultiplyAddEstimate" : "V.FusedMultiplyAdd";
}
