using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The CPU's micro-kernels for a few query rows against many keys (decoding). Lanes are dimensions in the products and keys in the
/// softmax, so no lane is idle, and keys and values stream through once: what bounds it is memory.
/// </summary>
internal static class RowKernelsEmitter
{
    private const int KeysPerStep = 4;
    private const int VectorsPerStep = 8;

    public static string Emit(SimdTile tile) =>
        $$"""
            /// <summary>Scores of one row: scores[j] = sum over d of keys[j][d] * query[d]. Returns nothing but them.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RowScores(float* keys, nint stride, int count, float* query, int headDim, float* scores)
            {
                int vectors = headDim & ~{{tile.Lanes - 1}};
                int j = 0;
                for (; j + {{KeysPerStep}} <= count; j += {{KeysPerStep}}, keys += {{KeysPerStep}} * stride)
                {
                    float* k0 = keys;
            {{Indent(string.Join("\n", Enumerable.Range(1, KeysPerStep - 1).Select(i => $"float* k{i} = k{i - 1} + stride;")), 2)}}
            {{Indent(Lines(KeysPerStep, i => $"Reals s{i} = Reals.Zero;"), 2)}}
                    int d = 0;
                    for (; d < vectors; d += {{tile.Lanes}})
                    {
                        Reals q = V.Load(query + d);
            {{Indent(Lines(KeysPerStep, i => $"s{i} = {Fma(tile)}(V.Load(k{i} + d), q, s{i});"), 3)}}
                    }
            {{Indent(Lines(KeysPerStep, i => $"float t{i} = V.Sum(s{i});"), 2)}}
                    for (; d < headDim; d++)
                    {
            {{Indent(Lines(KeysPerStep, i => $"t{i} += k{i}[d] * query[d];"), 3)}}
                    }
            {{Indent(Lines(KeysPerStep, i => $"scores[j + {i}] = t{i};"), 2)}}
                }
                for (; j < count; j++, keys += stride)
                {
                    Reals s = Reals.Zero;
                    int d = 0;
                    for (; d < vectors; d += {{tile.Lanes}})
                        s = {{Fma(tile)}}(V.Load(keys + d), V.Load(query + d), s);
                    float t = V.Sum(s);
                    for (; d < headDim; d++)
                        t += keys[d] * query[d];
                    scores[j] = t;
                }
            }

            /// <summary>The greatest of the scores, and of what was found before.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static float RowMaximum(float* scores, int count, float maximum)
            {
                Reals top = V.Create(maximum);
                int j = 0;
                for (; j + {{tile.Lanes}} <= count; j += {{tile.Lanes}})
                    top = V.MaxNative(top, V.Load(scores + j));
                for (int i = 0; i < {{tile.Lanes}}; i++)
                    maximum = top[i] > maximum ? top[i] : maximum;
                for (; j < count; j++)
                    maximum = scores[j] > maximum ? scores[j] : maximum;
                return maximum;
            }

            /// <summary>Turns scores into probabilities against a maximum; returns their sum.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static float RowSoftmax(float* scores, int count, float maximum)
            {
                Reals origin = V.Create(float.IsNegativeInfinity(maximum) ? 0 : maximum);
                Reals sum = Reals.Zero;
                int j = 0;
                for (; j + {{tile.Lanes}} <= count; j += {{tile.Lanes}})
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
                return total;
            }

            /// <summary>By what sums and outputs shrink when the maximum moves: exactly 1 where it does not.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static float RowFade(float before, float after) =>
                Exp(V.Create(before - (float.IsNegativeInfinity(after) ? 0 : after)))[0];

            /// <summary>Outputs of one row: outputs[d] = outputs[d] * fade + sum over keys of probabilities[j] * values[j][d].</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void RowValues(float* values, nint stride, int count, float* probabilities, float fade, float* outputs, int valueDim)
            {
                int d = 0;
                for (; d + {{VectorsPerStep * tile.Lanes}} <= valueDim; d += {{VectorsPerStep * tile.Lanes}})
                {
            {{Indent(Lines(VectorsPerStep, i => $"Reals o{i} = Reals.Zero;"), 2)}}
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                    {
                        Reals p = V.Create(probabilities[j]);
            {{Indent(Lines(VectorsPerStep, i => $"o{i} = {Fma(tile)}(p, V.Load(v + {i * tile.Lanes}), o{i});"), 3)}}
                    }
                    Reals f = V.Create(fade);
            {{Indent(
                Lines(
                    VectorsPerStep,
                    i =>
                        $"{Fma(tile)}(V.Load(outputs + d + {i * tile.Lanes}), f, o{i}).Store(outputs + d + {i * tile.Lanes});"
                ),
                2
            )}}
                }
                for (; d + {{tile.Lanes}} <= valueDim; d += {{tile.Lanes}})
                {
                    Reals o = Reals.Zero;
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                        o = {{Fma(tile)}}(V.Create(probabilities[j]), V.Load(v), o);
                    {{Fma(tile)}}(V.Load(outputs + d), V.Create(fade), o).Store(outputs + d);
                }
                for (; d < valueDim; d++)
                {
                    float o = 0;
                    float* v = values + d;
                    for (int j = 0; j < count; j++, v += stride)
                        o += probabilities[j] * *v;
                    outputs[d] = outputs[d] * fade + o;
                }
            }
            """;

    private static string Fma(SimdTile tile) => tile.VectorBits == 128 ? "V.MultiplyAddEstimate" : "V.FusedMultiplyAdd";
}
