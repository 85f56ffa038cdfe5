using System.Diagnostics;
using FlashGen.Support;
using FlashGen.Tool.Run;
using FlashGen.Tool.Variants;

namespace FlashGen.Tool.Tune;

/// <summary>A call to check and to time candidates on: tensors, arguments, and a device that holds them.</summary>
internal abstract class TimedCase : IDisposable
{
    // Rows that the naive reference computes of a shape that would take it minutes as a whole.
    private const int CheckedRows = 6;

    // A sample takes at least so long: shorter calls are repeated.
    protected const double LeastMilliseconds = 2;

    // Tensors are taken in turns, together larger than any cache.
    protected const long RotatedBytes = 96L << 20;
    protected const int MostSets = 8;

    // What is expected of the call, with and without rounded weights: no candidate changes it.
    private readonly Dictionary<bool, (ReferenceResult Exact, ReferenceResult Naive)> expected = [];

    protected TimedCase(AttentionVariant variant, AttentionShape shape) => (Variant, Shape) = (variant, shape);

    /// <summary>The user's variant.</summary>
    protected AttentionVariant Variant { get; }

    /// <summary>The sizes.</summary>
    protected AttentionShape Shape { get; }

    /// <summary>Runs a candidate and compares some rows with the naive reference.</summary>
    public abstract ErrorReport Check(AttentionVariant candidate);

    /// <summary>Milliseconds of a call.</summary>
    public abstract double Time(AttentionVariant candidate);

    /// <summary>A candidate will not be timed again.</summary>
    public virtual void Forget(AttentionVariant candidate) { }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Compares some rows of a result with the reference.</summary>
    protected ErrorReport Judge<T, TLogSumExp>(
        HostTensors<T, TLogSumExp> tensors,
        ModArguments arguments,
        Target target
    )
        where T : unmanaged
        where TLogSumExp : unmanaged
    {
        bool roundWeights = target is Target.Sm80 or Target.Sm90;
        if (!expected.TryGetValue(roundWeights, out (ReferenceResult Exact, ReferenceResult Naive) of))
        {
            (AttentionVariant variant, AttentionShape shape, int[] rows) = (Variant, Shape, RowsToCheck());
            (T[] query, T[] key, T[] value) = (tensors.Query, tensors.Key, tensors.Value);
            Task<ReferenceResult> naive = Task.Run(() =>
                Reference.Naive<T>(variant, query, key, value, shape, arguments, rows, roundWeights)
            );
            of.Exact = Reference.Forward<T>(variant, query, key, value, shape, arguments, rows);
            of.Naive = naive.GetAwaiter().GetResult();
            expected.Add(roundWeights, of);
        }
        return ErrorRule
            .For(Variant, Elements.TypeOf<T>())
            .Compare<T, TLogSumExp>(tensors.Output, tensors.LogSumExp, Shape, Variant.Layout, of.Exact, of.Naive);
    }

    // Rows at the ends and in the middle, and one of an uneven number.
    private int[] RowsToCheck() =>
        [
            .. Enumerable
                .Range(0, CheckedRows)
                .Select(i => (int)((long)(Shape.QueryLength - 1) * i / (CheckedRows - 1)))
                .Append(Math.Min(Shape.QueryLength - 1, 77))
                .Distinct()
                .Order(),
        ];

    protected static T[] Random<T>(Random random, long length)
        where T : unmanaged
    {
        T[] elements = new T[length];
        for (int i = 0; i < elements.Length; i++)
            elements[i] = Elements.Narrow<T>((random.NextSingle() * 4) - 2);
        return elements;
    }

    protected int Sets(long bytes) => (int)Math.Clamp(RotatedBytes / Math.Max(1, bytes), 1, MostSets);
}

/// <summary>On the CPU's vectors, or on the simulator.</summary>
internal sealed class HostCase<T, TLogSumExp> : TimedCase
    where T : unmanaged
    where TLogSumExp : unmanaged
{
    private readonly Backend backend;
    private readonly AttentionOptions options;
    private readonly ModArguments arguments;
    private readonly HostTensors<T, TLogSumExp>[] sets;
    private int calls = 1;
    private int turn;

    public HostCase(
        AttentionVariant variant,
        AttentionShape shape,
        ModArguments arguments,
        Backend backend,
        int threads
    )
        : base(variant, shape)
    {
        (this.backend, this.arguments) = (backend, arguments);
        options = new() { Threads = threads };
        Random random = new(1);
        (long q, long k) = (shape.QueryElements(variant.Layout), shape.KeyElements(variant.Layout));
        (long v, long o) = (shape.ValueElements(variant.Layout), shape.OutputElements(variant.Layout));
        HostTensors<T, TLogSumExp> first = new(
            Random<T>(random, q),
            Random<T>(random, k),
            Random<T>(random, v),
            new T[o],
            new TLogSumExp[shape.LogSumExpElements]
        );
        int size = Elements.TypeOf<T>().Size();
        sets =
        [
            first,
            .. Enumerable
                .Range(1, Sets((q + k + v + o) * size) - 1)
                .Select(_ =>
                    first with
                    {
                        Query = [.. first.Query],
                        Key = [.. first.Key],
                        Value = [.. first.Value],
                        Output = new T[o],
                    }
                ),
        ];
    }

    public override ErrorReport Check(AttentionVariant candidate)
    {
        HostTensors<T, TLogSumExp> set = sets[0];
        Array.Fill(set.Output, Elements.Narrow<T>(float.NaN));
        Target target = backend.Forward(candidate, set, Shape, arguments, options);
        long start = Stopwatch.GetTimestamp();
        backend.Forward(candidate, set, Shape, arguments, options);
        double once = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        calls = (int)Math.Clamp(Math.Ceiling(LeastMilliseconds / Math.Max(once, 1e-3)), calls, 10_000);
        return Judge(set, arguments, target);
    }

    public override double Time(AttentionVariant candidate)
    {
        long start = Stopwatch.GetTimestamp();
        for (int call = 0; call < calls; call++)
            backend.Forward(candidate, sets[turn++ % sets.Length], Shape, arguments, options);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / calls;
    }

    public override void Dispose() { }
}
