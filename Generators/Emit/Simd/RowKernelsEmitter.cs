using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The CPU's micro-kernels for a few query rows against many keys (decoding). Lanes are dimensions in the products and keys in the
/// softmax, so no lane is idle. What bounds it is memory: the rows of a group share each key and value that is loaded.
///
/// A row or two take keys and values in the order of their addresses, for that is what the hardware fetches ahead by itself; several
/// keys in turns took 1.6 times as long. More rows compute so much between two lines that it falls behind: each line is fetched
/// into the second-level cache long before.
/// </summary>
internal static class RowKernelsEmitter
{
    private const int KeysPerStep = 4;

    /// <summary>Keys that stay in the first-level cache while all rows go over them.</summary>
    private const int KeysInCache = 16;

    /// <summary>Keys ahead that are fetched: 16 KB of 128 floats. Half of it is too late, four times as much gains nothing.</summary>
    private const int KeysAhead = 32;

    /// <summary>Rows from which on time goes more into arithmetic than into memory.</summary>
    private const int ManyRows = 8;

    /// <summary>Rows that share the keys that are loaded: as many as leave the accumulators in registers.</summary>
    private static int Rows(SimdTile tile) => tile.VectorBits == 512 ? 4 : 2;

    /// <summary>Register tiles of the values, widest first: vectors of columns, and how many rows share them.</summary>
    private static (int Vectors, int[] Rows)[] ValueTiles(SimdTile tile) =>
        tile.VectorBits == 512 ? [(8, [2, 1]), (4, [4, 2, 1])] : [(4, [2, 1])];

    public static string Emit(SimdTile tile)
    {
        int together = Rows(tile);
        return $$"""
            /// <summary>Scores of some rows: scores[row][j] = sum over d of keys[j][d] * queries[row][d].</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RowScores(float* keys, nint stride, int count, float* queries, int headDim, int rows, float* scores, nint scoreStride)
            {
                for (int j = 0; j < count; j += {{KeysInCache}}, keys += {{KeysInCache}} * stride)
                {
                    int some = count - j < {{KeysInCache}} ? count - j : {{KeysInCache}}, r = 0;
                    for (; r + {{together}} <= rows; r += {{together}})
                        RowScores{{together}}(keys, stride, some, queries + r * headDim, headDim, scores + r * scoreStride + j, scoreStride);
                    for (; r < rows; r++)
                        RowScores1(keys, stride, some, queries + r * headDim, headDim, scores + r * scoreStride + j);
                }
            }

            {{Scores(tile, together)}}

            {{SingleScores(tile)}}

            {{Softmax(tile)}}

            {{AllValues(tile)}}

            {{string.Join(
                "\n\n",
                ValueTiles(tile).SelectMany(of => of.Rows.Select(rows => Values(tile, rows, of.Vectors)))
            )}}

            {{RemainingColumns(tile)}}

            {{Sums(tile)}}

            {{Products(tile)}}
            """;
    }

    private static string Scores(SimdTile tile, int rows) =>
        $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowScores{{rows}}(float* keys, nint stride, int count, float* queries, int headDim, float* scores, nint scoreStride)
            {
                int vectors = headDim & ~{{tile.Lanes - 1}};
                nint ahead = {{KeysAhead}} * stride;
                int j = 0;
                for (; j + {{KeysPerStep}} <= count; j += {{KeysPerStep}}, keys += {{KeysPerStep}} * stride)
                {
                    float* k0 = keys;
            {{Indent(string.Join("\n", Enumerable.Range(1, KeysPerStep - 1).Select(k => $"float* k{k} = k{k - 1} + stride;")), 2)}}
            {{Indent(Lines(rows, KeysPerStep, (r, k) => $"Reals s{r}_{k} = Reals.Zero;"), 2)}}
                    for (int d = 0; d < vectors; d += {{tile.Lanes}})
                    {
                        if (Sse.IsSupported)
                        {
            {{Indent(Lines(KeysPerStep, k => $"Sse.Prefetch1(k{k} + d + ahead);"), 4)}}
                        }
            {{Indent(
                Lines(KeysPerStep, k => $"Reals x{k} = V.Load(k{k} + d);")
                    + "\n"
                    + Lines(
                        rows,
                        r =>
                            $"Reals q{r} = V.Load(queries + {(r == 0 ? "" : $"{r} * headDim + ")}d);\n"
                            + Lines(KeysPerStep, k => $"s{r}_{k} = {tile.Fma}(x{k}, q{r}, s{r}_{k});")
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

    private static string SingleScores(SimdTile tile) =>
        $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowScores1(float* keys, nint stride, int count, float* query, int headDim, float* scores)
            {
                int vectors = headDim & ~{{tile.Lanes - 1}};
                int j = 0;
                for (; j + {{KeysPerStep}} <= count; j += {{KeysPerStep}}, keys += {{KeysPerStep}} * stride)
                {
            {{Indent(
                Lines(
                    KeysPerStep,
                    k => $"Reals s{k} = Products(keys{(k == 0 ? "" : $" + {k} * stride")}, query, vectors);"
                ),
                2
            )}}
                    Sums({{string.Join(
                ", ",
                Enumerable.Range(0, KeysPerStep).Select(k => $"s{k}")
            )}}).Store(scores + j);
                    if (vectors < headDim)
                        for (int k = 0; k < {{KeysPerStep}}; k++)
                            scores[j + k] += RowProduct(keys + k * stride + vectors, query + vectors, headDim - vectors);
                }
                for (; j < count; j++, keys += stride)
                    scores[j] = RowProduct(keys, query, headDim);
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
            {{Indent(Greatest(tile), 1)}}
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

    // The greatest lane: halves against halves.
    private static string Greatest(SimdTile tile)
    {
        string halves = "";
        string of = "top";
        for (int bits = tile.VectorBits / 2; bits >= 128; bits /= 2)
        {
            halves += $"Vector{bits}<float> top{bits} = Vector{bits}.MaxNative({of}.GetLower(), {of}.GetUpper());\n";
            of = $"top{bits}";
        }
        return $"{halves}for (int i = 0; i < 4; i++)\n    maximum = {of}[i] > maximum ? {of}[i] : maximum;";
    }

    private static string AllValues(SimdTile tile)
    {
        string Group(int rows, int vectors) =>
            $"for (; r + {rows} <= rows; r += {rows})\n"
            + $"    RowValues{rows}x{vectors}(values + d, stride, ahead, some, probabilities + r * scoreStride, scoreStride, outputs + r * valueDim + d, valueDim);";
        string Columns(int vectors, int[] rows)
        {
            int columns = vectors * tile.Lanes;
            // Wide tiles keep the order of addresses, which matters less the more rows there are to compute.
            string few = vectors == 8 ? $"rows < {ManyRows} && " : "";
            return $$"""
                for (; {{few}}d + {{columns}} <= valueDim; d += {{columns}})
                {
                    int r = 0;
                {{Indent(string.Join("\n", rows.Select(some => Group(some, vectors))), 1)}}
                }
                """;
        }
        return $$"""
            /// <summary>Outputs of some rows: outputs[row][d] = outputs[row][d] * fades[row] + sum over keys of probabilities[row][j] * values[j][d].</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RowValues(float* values, nint stride, int count, float* probabilities, nint scoreStride, float* fades, int rows, float* outputs, int valueDim)
            {
                for (int r = 0; r < rows; r++)
                    if (fades[r] != 1)
                        for (int d = 0; d < valueDim; d++)
                            outputs[r * valueDim + d] *= fades[r];
                nint ahead = rows > 2 || valueDim > {{ValueTiles(tile)[0].Vectors
                * tile.Lanes}} ? {{KeysAhead}} * stride : 0;
                for (int j = 0; j < count; j += {{KeysInCache}}, values += {{KeysInCache}} * stride, probabilities += {{KeysInCache}})
                {
                    int some = count - j < {{KeysInCache}} ? count - j : {{KeysInCache}}, d = 0;
            {{Indent(string.Join("\n", ValueTiles(tile).Select(of => Columns(of.Vectors, of.Rows))), 2)}}
                    for (int r = 0; r < rows && d < valueDim; r++)
                        RowColumns(values + d, stride, some, probabilities + r * scoreStride, outputs + r * valueDim + d, valueDim - d);
                }
            }
            """;
    }

    private static string Values(SimdTile tile, int rows, int vectors)
    {
        string At(int vector) => vector == 0 ? "" : $" + {vector * tile.Lanes}";
        string Output(int r, int c) => $"outputs{(r == 0 ? "" : $" + {r} * valueDim")}{At(c)}";
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowValues{{rows}}x{{vectors}}(float* values, nint stride, nint ahead, int count, float* probabilities, nint scoreStride, float* outputs, int valueDim)
            {
            {{Indent(Lines(rows, vectors, (r, c) => $"Reals o{r}_{c} = Reals.Zero;"), 1)}}
                for (int j = 0; j < count; j++, values += stride)
                {
                    if (Sse.IsSupported && ahead != 0)
                    {
            {{Indent(Lines(vectors, c => $"Sse.Prefetch1(values + ahead{At(c)});"), 3)}}
                    }
            {{Indent(
                Lines(vectors, c => $"Reals x{c} = V.Load(values{At(c)});")
                    + "\n"
                    + Lines(
                        rows,
                        r =>
                            $"Reals p{r} = V.Create(probabilities[{(r == 0 ? "" : $"{r} * scoreStride + ")}j]);\n"
                            + Lines(vectors, c => $"o{r}_{c} = {tile.Fma}(p{r}, x{c}, o{r}_{c});")
                    ),
                2
            )}}
                }
            {{Indent(Lines(rows, vectors, (r, c) => $"(V.Load({Output(r, c)}) + o{r}_{c}).Store({Output(r, c)});"), 1)}}
            }
            """;
    }

    private static string RemainingColumns(SimdTile tile) =>
        $$"""
            // Outputs of the last columns of a row.
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void RowColumns(float* values, nint stride, int count, float* probabilities, float* outputs, int columns)
            {
                int d = 0;
                for (; d + {{tile.Lanes}} <= columns; d += {{tile.Lanes}})
                {
                    Reals o = Reals.Zero;
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                        o = {{tile.Fma}}(V.Create(probabilities[j]), V.Load(v), o);
                    (V.Load(outputs + d) + o).Store(outputs + d);
                }
                for (; d < columns; d++)
                {
                    float o = 0;
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                        o += probabilities[j] * *v;
                    outputs[d] += o;
                }
            }
            """;

    private static string Sums(SimdTile tile)
    {
        string body = tile.VectorBits switch
        {
            512 => """
                Reals ab = Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b);
                Reals cd = Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d);
                Vector512<double> low = Avx512F.UnpackLow(ab.AsDouble(), cd.AsDouble()), high = Avx512F.UnpackHigh(ab.AsDouble(), cd.AsDouble());
                Reals quarters = low.AsSingle() + high.AsSingle();
                Vector256<float> halves = quarters.GetLower() + quarters.GetUpper();
                return halves.GetLower() + halves.GetUpper();
                """,
            256 => """
                Vector256<float> halves = Avx.HorizontalAdd(Avx.HorizontalAdd(a, b), Avx.HorizontalAdd(c, d));
                return halves.GetLower() + halves.GetUpper();
                """,
            _ => "return Vector128.Create(V.Sum(a), V.Sum(b), V.Sum(c), V.Sum(d));",
        };
        return $$"""
            // The sums of four vectors.
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            private static Vector128<float> Sums(Reals a, Reals b, Reals c, Reals d)
            {
            {{Indent(body, 1)}}
            }
            """;
    }

    private static string Products(SimdTile tile) =>
        $$"""
            // Products of whole vectors of a key and a query, still to be summed.
            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            private static Reals Products(float* key, float* query, int count)
            {
                Reals s0 = Reals.Zero, s1 = Reals.Zero;
                int d = 0;
                for (; d + {{2 * tile.Lanes}} <= count; d += {{2 * tile.Lanes}})
                {
                    s0 = {{tile.Fma}}(V.Load(key + d), V.Load(query + d), s0);
                    s1 = {{tile.Fma}}(V.Load(key + d + {{tile.Lanes}}), V.Load(query + d + {{tile.Lanes}}), s1);
                }
                return d < count ? {{tile.Fma}}(V.Load(key + d), V.Load(query + d), s0 + s1) : s0 + s1;
            }

            // The product of a key and a query.
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static float RowProduct(float* key, float* query, int headDim)
            {
                int d = headDim & ~{{tile.Lanes - 1}};
                float t = V.Sum(Products(key, query, d));
                for (; d < headDim; d++)
                    t += key[d] * query[d];
                return t;
            }
            """;
}
