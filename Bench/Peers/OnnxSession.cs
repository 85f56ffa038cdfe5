using FlashGen.Bench.Machine;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace FlashGen.Bench.Peers;

/// <summary>ONNX Runtime on a model of one attention node, its tensors bound to the bench's memory once.</summary>
sealed unsafe class OnnxSession : IDisposable
{
    private readonly InferenceSession session;
    private readonly OrtIoBinding binding;
    private readonly RunOptions options = new();
    private readonly List<OrtValue> values = [];

    private OnnxSession(byte[] model, int threads, (OnnxModel.Port Port, Buffer<float> Buffer)[] tensors)
    {
        using SessionOptions settings = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        // Its threads spin for work while it runs, as they do by default, but not on into another candidate's turn.
        settings.AddSessionConfigEntry("session.force_spinning_stop", "1");
        session = new(model, settings);
        binding = session.CreateIoBinding();
        foreach ((OnnxModel.Port port, Buffer<float> buffer) in tensors)
        {
            OrtValue value = OrtValue.CreateTensorValueWithData(
                OrtMemoryInfo.DefaultInstance,
                TensorElementType.Float,
                port.Shape,
                (nint)buffer.Pointer,
                buffer.Length * sizeof(float)
            );
            values.Add(value);
            if (port.Name == "output")
                binding.BindOutput(port.Name, value);
            else
                binding.BindInput(port.Name, value);
        }
    }

    /// <summary>Why ONNX Runtime does not run here; null where it does.</summary>
    public static string? WhyNot { get; } = Try();

    /// <summary>
    /// The contributed operator MultiHeadAttention, ONNX Runtime's fastest path on CPUs. Its tensors are (batch, length, heads * dim),
    /// so it reads the same memory as other numbers: for timing only. Key heads must equal query heads.
    /// </summary>
    public static OnnxSession MultiHeadAttention(
        Heads heads,
        bool isCausal,
        int threads,
        Buffer<float> query,
        Buffer<float> key,
        Buffer<float> value,
        Buffer<float> output
    )
    {
        long width = (long)heads.Query * heads.Dim;
        OnnxModel.Port q = new("query", [1, heads.Queries, width]);
        OnnxModel.Port k = new("key", [1, heads.Keys, width]);
        OnnxModel.Port v = new("value", [1, heads.Keys, width]);
        OnnxModel.Port o = new("output", [1, heads.Queries, width]);
        byte[] model = OnnxModel.Of(
            "MultiHeadAttention",
            "com.microsoft",
            [("num_heads", heads.Query), ("unidirectional", isCausal ? 1 : 0)],
            [q, k, v],
            [o]
        );
        return new(model, threads, [(q, query), (k, key), (v, value), (o, output)]);
    }

    /// <summary>The standard operator Attention of opset 23, on (batch, heads, length, dim).</summary>
    public static OnnxSession Attention(
        Heads heads,
        bool isCausal,
        int threads,
        Buffer<float> query,
        Buffer<float> key,
        Buffer<float> value,
        Buffer<float> output
    )
    {
        OnnxModel.Port q = new("query", [1, heads.Query, heads.Queries, heads.Dim]);
        OnnxModel.Port k = new("key", [1, heads.Key, heads.Keys, heads.Dim]);
        OnnxModel.Port v = new("value", [1, heads.Key, heads.Keys, heads.Dim]);
        OnnxModel.Port o = new("output", [1, heads.Query, heads.Queries, heads.Dim]);
        byte[] model = OnnxModel.Of("Attention", "", [("is_causal", isCausal ? 1 : 0)], [q, k, v], [o]);
        return new(model, threads, [(q, query), (k, key), (v, value), (o, output)]);
    }

    public void Run() => session.RunWithBinding(options, binding);

    public void Dispose()
    {
        values.ForEach(value => value.Dispose());
        options.Dispose();
        binding.Dispose();
        session.Dispose();
    }

    private static string? Try()
    {
        try
        {
            OrtEnv.Instance();
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or OnnxRuntimeException)
        {
            return (e.InnerException ?? e).Message.ReplaceLineEndings(" ");
        }
    }
}

/// <summary>The sizes of a call of batch 1.</summary>
sealed record Heads(int Query, int Key, int Queries, int Keys, int Dim)
{
    /// <summary>Self-attention without grouped heads.</summary>
    public static Heads Of(int heads, int length, int dim) => new(heads, heads, length, length, dim);

    /// <summary>Operations of both products over all pairs: 4 * heads * queries * keys * dim.</summary>
    public double Flops => 4.0 * Query * Queries * Keys * Dim;

    public AttentionShape Shape => new(1, Query, Key, Queries, Keys, Dim);
}
