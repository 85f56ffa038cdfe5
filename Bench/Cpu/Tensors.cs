using FlashGen.Bench.Machine;
using FlashGen.Bench.Peers;

namespace FlashGen.Bench.Cpu;

/// <summary>The tensors of one case, and the peers over them.</summary>
sealed class Tensors : IDisposable
{
    private readonly List<IDisposable> held = [];

    public Tensors(Heads heads, float logits = 1)
    {
        Heads = heads;
        // The products of normal numbers, times 1 / sqrt(dim), have deviation 1; queries carry what is wanted beyond.
        Query = Held(Noise.Normal((long)heads.Query * heads.Queries * heads.Dim, 1, logits));
        Key = Held(Noise.Normal((long)heads.Key * heads.Keys * heads.Dim, 2));
        Value = Held(Noise.Normal((long)heads.Key * heads.Keys * heads.Dim, 3));
        Output = Held(new Buffer<float>(Query.Length));
    }

    public Heads Heads { get; }

    public Buffer<float> Query { get; }

    public Buffer<float> Key { get; }

    public Buffer<float> Value { get; }

    public Buffer<float> Output { get; }

    /// <summary>Keeps something until the case is over.</summary>
    public T Held<T>(T thing)
        where T : IDisposable
    {
        held.Add(thing);
        return thing;
    }

    /// <summary>libtorch; where it cannot run, a rival that says why.</summary>
    public Rival Torch(bool isCausal, int threads, double? atLeast)
    {
        const string name = "libtorch";
        if (Libtorch.WhyNot is string why)
            return new(name, null, atLeast) { IsPeer = true, Note = "skipped: " + why };
        Libtorch.Tensor query = Held(Libtorch.Wrap(Query, Heads.Query, Heads.Queries, Heads.Dim));
        Libtorch.Tensor key = Held(Libtorch.Wrap(Key, Heads.Key, Heads.Keys, Heads.Dim));
        Libtorch.Tensor value = Held(Libtorch.Wrap(Value, Heads.Key, Heads.Keys, Heads.Dim));
        return new(name, () => Libtorch.Attend(query, key, value, isCausal, threads), atLeast) { IsPeer = true };
    }

    /// <summary>
    /// libtorch over grouped heads: the query heads of a group are laid as query rows of their key head, which is the quickest that its
    /// user can do, and the same result where there is one query.
    /// </summary>
    public Rival TorchPacked(int threads, double? atLeast)
    {
        const string name = "libtorch, heads packed as rows";
        if (Libtorch.WhyNot is string why)
            return new(name, null, atLeast) { IsPeer = true, Note = "skipped: " + why };
        int rows = Heads.Query / Heads.Key * Heads.Queries;
        Libtorch.Tensor query = Held(Libtorch.Wrap(Query, Heads.Key, rows, Heads.Dim));
        Libtorch.Tensor key = Held(Libtorch.Wrap(Key, Heads.Key, Heads.Keys, Heads.Dim));
        Libtorch.Tensor value = Held(Libtorch.Wrap(Value, Heads.Key, Heads.Keys, Heads.Dim));
        return new(name, () => Libtorch.Attend(query, key, value, false, threads), atLeast) { IsPeer = true };
    }

    /// <summary>ONNX Runtime's two ways; the contributed one only without grouped heads.</summary>
    public IEnumerable<Rival> Onnx(bool isCausal, int threads, double? atLeast)
    {
        if (Heads.Query == Heads.Key)
            yield return Onnx("ONNX Runtime MultiHeadAttention", OnnxSession.MultiHeadAttention);
        yield return Onnx("ONNX Runtime Attention-23", OnnxSession.Attention);

        Rival Onnx(
            string name,
            Func<Heads, bool, int, Buffer<float>, Buffer<float>, Buffer<float>, Buffer<float>, OnnxSession> open
        )
        {
            if (OnnxSession.WhyNot is string why)
                return new(name, null, atLeast) { IsPeer = true, Note = "skipped: " + why };
            Buffer<float> output = Held(new Buffer<float>(Output.Length));
            OnnxSession session = Held(open(Heads, isCausal, threads, Query, Key, Value, output));
            return new(name, session.Run, atLeast) { IsPeer = true };
        }
    }

    public Rival Primitives(bool isCausal, int threads) =>
        new(
            "TensorPrimitives by hand",
            () => ByPrimitives.Attend(Heads, isCausal, threads, Query, Key, Value, Output),
            null
        )
        {
            IsPeer = true,
        };

    public void Dispose()
    {
        // Sessions and handles first: they stand on the buffers.
        for (int n = held.Count - 1; n >= 0; n--)
            held[n].Dispose();
    }
}
