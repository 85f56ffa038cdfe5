using BenchmarkDotNet.Attributes;
using FlashGen.Kernels;

namespace FlashGen.Bench.Micro;

/// <summary>
/// The kernels on one thread and one head, small enough to stay in the nearest caches: what a panel of queries costs, by mask and
/// type, with the call's own checks.
/// </summary>
public class KernelBenchmarks
{
    private readonly AttentionOptions options = new() { Threads = 1 };
    private readonly int[] documents = new int[Length];
    private AttentionShape shape;
    private float[] query = [],
        key = [],
        value = [],
        output = [];
    private Half[] query16 = [],
        output16 = [];
    private BFloat16[] queryB = [],
        outputB = [];

    private const int Length = 256;

    [Params(64, 128)]
    public int HeadDim { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        shape = new(1, 1, 1, Length, Length, HeadDim);
        Random random = new(1);
        query = [.. Enumerable.Range(0, Length * HeadDim).Select(_ => random.NextSingle() - 0.5f)];
        key = [.. query.Reverse()];
        value = [.. query];
        output = new float[query.Length];
        query16 = [.. query.Select(x => (Half)x)];
        output16 = new Half[query.Length];
        queryB = [.. query.Select(x => (BFloat16)x)];
        outputB = new BFloat16[query.Length];
    }

    [Benchmark(Baseline = true)]
    public void NoMask() => Full.Forward(query, key, value, output, shape, options: options);

    [Benchmark]
    public void NoMaskFloat16() => Full.Forward(query16, query16, query16, output16, shape, options: options);

    [Benchmark]
    public void NoMaskBFloat16() => Full.Forward(queryB, queryB, queryB, outputB, shape, options: options);

    [Benchmark]
    public void CausalMask() => Causal.Forward(query, key, value, output, shape, options: options);

    [Benchmark]
    public void CausalSoftCap() => SoftCap.Forward(query, key, value, output, shape, options: options);

    [Benchmark]
    public void OneDocument() =>
        Documents.Forward(query, key, value, output, shape, documents, documents, options: options);

    [Benchmark]
    public void WithDropout() =>
        CausalDropout.Forward(query, key, value, output, shape, new Dropout(0.1f, 1), options: options);
}

/// <summary>One query of one head against keys in the caches: the kernel of decoding.</summary>
public class DecodeBenchmarks
{
    private const int HeadDim = 128;
    private readonly AttentionOptions options = new() { Threads = 1 };
    private AttentionShape shape;
    private float[] query = [],
        key = [],
        output = [];

    [Params(256, 2048)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        shape = new(1, 1, 1, 1, Keys, HeadDim);
        Random random = new(1);
        query = [.. Enumerable.Range(0, HeadDim).Select(_ => random.NextSingle() - 0.5f)];
        key = [.. Enumerable.Range(0, Keys * HeadDim).Select(_ => random.NextSingle() - 0.5f)];
        output = new float[HeadDim];
    }

    [Benchmark]
    public void OneQuery() => Full.Forward(query, key, key, output, shape, options: options);
}
