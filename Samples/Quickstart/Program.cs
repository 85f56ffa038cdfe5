// FlashGen in one page: declare, run, check, compare. Variants.cs declares the attention; its kernels were written at compile time.
using System.Runtime.Intrinsics;
using FlashGen;
using Quickstart;
using Spectre.Console;

const int Tokens = 4096;
const int Heads = 8;
const int Dim = 64;
const int Globals = 64;

int bits =
    Vector512.IsHardwareAccelerated ? 512
    : Vector256.IsHardwareAccelerated ? 256
    : 128;
Console.WriteLine(
    $"{Heads} heads of {Dim}, {Tokens} tokens, float32; {Environment.ProcessorCount} cores, vectors of {bits} bits"
);

AttentionShape shape = new(batch: 1, Heads, Heads, Tokens, Tokens, Dim);
float[] query = Noise(1, Tokens);
float[] key = Noise(2, Tokens);
float[] value = Noise(3, Tokens);
float[] local = new float[query.Length];
float[] global = new float[query.Length];
float[] logSumExp = new float[shape.LogSumExpElements];
float[] slope = [.. Enumerable.Range(0, Heads).Select(head => 1f / (1 << head))];

// 1. Run. A variant is a static class; what its mods ask for has become arguments of Forward.
AnsiConsole
    .Progress()
    .Start(context =>
    {
        AttentionOptions Watched(string name)
        {
            ProgressTask bar = context.AddTask(name, maxValue: 1);
            return new() { Progress = new Bar(bar) };
        }
        LocalAttention.Forward(query, key, value, local, shape, options: Watched("LocalAttention"));
        LocalAndGlobal.Forward(query, key, value, global, shape, Globals, slope, logSumExp, Watched("LocalAndGlobal"));
    });

// 2. Check, against the naive attention in float64, which knows nothing of the kernels; some rows are enough for a demo.
Section("Compared with FlashGen.Reference");
ModArguments arguments = new() { { "globals", Globals }, { "slope", slope } };
int[] rows = [0, 1, 511, 512, 1023, 1024, 2047, Tokens - 1];
bool isRight =
    Judge(
        "LocalAttention",
        Reference.Verify<float, float>(LocalAttention.Variant, query, key, value, local, default, shape, rows: rows)
    )
    & Judge(
        "LocalAndGlobal",
        Reference.Verify<float, float>(
            LocalAndGlobal.Variant,
            query,
            key,
            value,
            global,
            logSumExp,
            shape,
            arguments,
            rows
        )
    );

// 3. Time, against a loop over TensorPrimitives: Dot, SoftMax, MultiplyAdd. Both use all cores.
Section("Timed against TensorPrimitives by hand, both on all cores (best of 3)");
Race(
    "LocalAttention",
    () => LocalAttention.Forward(query, key, value, local, shape),
    hand => ByHand.Forward(query, key, value, hand, shape, window: 1024),
    local
);
Race(
    "LocalAndGlobal",
    () => LocalAndGlobal.Forward(query, key, value, global, shape, Globals, slope),
    hand => ByHand.Forward(query, key, value, hand, shape, window: 512, Globals, slope),
    global
);

// 4. Memory. What a call takes beside its tensors, at growing lengths.
Section("Memory beside the tensors during LocalAttention.Forward");
Console.WriteLine($"{"tokens", 8} {"tensors", 12} {"GC", 12} {"process", 12} {"a score matrix would be", 26}");
for (int tokens = 1024; tokens <= 8192; tokens *= 2)
{
    AttentionShape longer = new(1, Heads, Heads, tokens, tokens, Dim);
    (float[] q, float[] k, float[] v) = (Noise(1, tokens), Noise(2, tokens), Noise(3, tokens));
    float[] output = Noise(4, tokens);
    GC.Collect();
    MemoryWatch watch = new();
    long allocated = GC.GetTotalAllocatedBytes(precise: true);
    LocalAttention.Forward(q, k, v, output, longer, options: new() { Progress = watch });
    allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
    Console.WriteLine(
        $"{tokens, 8} {Megabytes(16L * q.Length), 12} {Megabytes(allocated), 12} {Megabytes(watch.Grown), 12} {Megabytes(4L * Heads * tokens * tokens), 26}"
    );
}
int scratch = LocalAttention.Variant.Plans.Max(plan => plan.SharedBytes);
Console.WriteLine($"A thread keeps its scratch from call to call: {scratch / 1024} KB at most, whatever the length.");

// 5. The example of the tutorials, classic beside tiled.
Section("Four tokens of four numbers, softmax(X X^T / 2) X");
TutorialExample.Print();

// 6. See. Which tiles the second variant's mask leaves to compute.
Section("Tile coverage of LocalAndGlobal");
CoverageMap map = CoverageMap.Of(LocalAndGlobal.Variant, shape, arguments, blockM: 64, blockN: 64);
string folder = Directory.CreateDirectory("artifacts").FullName;
string svg = Path.Combine(folder, "coverage.svg");
string png = Path.Combine(folder, "coverage.png");
File.WriteAllText(svg, CoverageSvg.Write(map, LocalAndGlobal.Variant.Name));
Picture.WritePng(map, png);
Console.WriteLine(
    $"64 x 64 tiles: {map.Count(TileCoverage.Full)} full, {map.Count(TileCoverage.Partial)} partial, {map.Count(TileCoverage.Empty)} empty; drawn in\n{svg}\n{png}"
);
return isRight ? 0 : 1;

static float[] Noise(int seed, int tokens)
{
    Random random = new(seed);
    return [.. Enumerable.Range(0, Heads * tokens * Dim).Select(_ => random.NextSingle() * 2 - 1)];
}

static bool Judge(string name, ErrorReport report)
{
    Console.WriteLine(
        $"{name}: {(report.Passed ? "within" : "BEYOND")} tolerance, worst error {report.Output.Error:g2} of {report.Output.Tolerance:g2} allowed, {report.Output.Elements} numbers"
    );
    return report.Passed;
}

static void Race(string name, Action ours, Action<float[]> byHand, float[] output)
{
    float[] hand = new float[output.Length];
    (double a, double b) = Measure.Best(ours, () => byHand(hand), runs: 3);
    float apart = Enumerable.Range(0, hand.Length).Max(i => MathF.Abs(hand[i] - output[i]));
    Console.WriteLine(
        $"{name}: {a * 1e3:f0} ms, by hand {b * 1e3:f0} ms, {b / a:f1} times faster; the two differ by {apart:g2} at most"
    );
}

static void Section(string title) => Console.WriteLine($"\n{title}");

static string Megabytes(long bytes) => $"{bytes / 1048576.0:f1} MB";

/// Progress of a call, shown.
sealed class Bar(ProgressTask task) : IProgress<double>
{
    public void Report(double done) => task.Value = done;
}
