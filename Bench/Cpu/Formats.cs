using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;
using FlashGen.Kernels;

namespace FlashGen.Bench.Cpu;

/// <summary>Element types, grouped heads and layouts, each beside our own kernel in the plain form.</summary>
static class Formats
{
    public static IEnumerable<CpuCase> Cases()
    {
        yield return Types(64);
        yield return Types(128);
        Heads decoding = new(32, 8, 1, 4096, 128);
        yield return Types(decoding, Decoding.Name(decoding), null, null);
        yield return Grouped();
        yield return Layout();
    }

    private static CpuCase Types(int dim)
    {
        Heads heads = Heads.Of(8, 2048, dim);
        return Types(heads, Prefill.Name(heads, false), 1 / 1.08, 1 / 1.15);
    }

    private static CpuCase Types(Heads heads, string name, double? bfloat16AtLeast, double? float16AtLeast)
    {
        return new($"16-bit storage, {name}", Measure);

        IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            using Tensors t = new(heads);
            return
            [
                .. Stored("bfloat16", x => (BFloat16)x, Full.Forward, bfloat16AtLeast),
                .. Stored("float16", x => (Half)x, Full.Forward, float16AtLeast),
            ];

            IEnumerable<CpuResult> Stored<T>(string type, Func<float, T> convert, ForwardOf<T> forward, double? atLeast)
                where T : unmanaged
            {
                AttentionOptions options = new() { Threads = threads };
                AttentionShape shape = heads.Shape;
                Buffer<T> query = t.Held(Noise.Converted(t.Query, convert));
                Buffer<T> key = t.Held(Noise.Converted(t.Key, convert));
                Buffer<T> value = t.Held(Noise.Converted(t.Value, convert));
                Buffer<T> output = t.Held(new Buffer<T>(t.Output.Length));
                return Duel.Run(
                    roof,
                    threads,
                    $"{type} {name}",
                    () => forward(query.Span, key.Span, value.Span, output.Span, shape, default, options),
                    [new("float32", Prefill.Ours(t, false, threads), atLeast)],
                    heads.Flops
                );
            }
        }
    }

    private delegate void ForwardOf<T>(
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        Span<T> output,
        in AttentionShape shape,
        Span<float> logSumExp,
        AttentionOptions? options
    );

    private static CpuCase Grouped()
    {
        const string name = "32 heads over 8, causal, 1024 x 128";
        return new(name, Measure);

        static IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            Heads grouped = new(32, 8, 1024, 1024, 128);
            using Tensors t = new(grouped);
            using Tensors plain = new(Heads.Of(32, 1024, 128));
            return
            [
                .. Duel.Run(
                    roof,
                    threads,
                    name,
                    Prefill.Ours(t, true, threads),
                    [
                        new("32 heads over 32", Prefill.Ours(plain, true, threads), 1 / 1.08),
                        .. t.Onnx(true, threads, null),
                    ],
                    grouped.Flops / 2
                ),
            ];
        }
    }

    private static CpuCase Layout()
    {
        const string name = "(batch, sequence, head), full 8 x 2048 x 64";
        return new(name, Measure);

        static IEnumerable<CpuResult> Measure(Roof roof, int threads)
        {
            Heads heads = Heads.Of(8, 2048, 64);
            using Tensors t = new(heads);
            TensorStrides strides = TensorStrides.Contiguous(
                TensorLayout.BatchSequenceHead,
                heads.Query,
                heads.Queries,
                heads.Dim
            );
            AttentionShape shape = heads.Shape with
            {
                QueryStrides = strides,
                KeyStrides = strides,
                ValueStrides = strides,
                OutputStrides = strides,
            };
            AttentionOptions options = new() { Threads = threads };
            return
            [
                .. Duel.Run(
                    roof,
                    threads,
                    name,
                    () => Full.Forward(t.Query.Span, t.Key.Span, t.Value.Span, t.Output.Span, shape, options: options),
                    [new("(batch, head, sequence)", Prefill.Ours(t, false, threads), 1 / 1.08)],
                    heads.Flops
                ),
            ];
        }
    }
}
