using System.Diagnostics;
using System.Text.Json;
using FlashGen.Bench.Machine;
using FlashGen.Bench.Measure;
using FlashGen.Bench.Peers;
using Spectre.Console;

namespace FlashGen.Bench.Cpu;

/// <summary>The table of what must hold on a CPU: measured, printed, drawn and written down.</summary>
static class CpuBench
{
    private const string Folder = "artifacts/bench";

    /// <summary>Seconds for all cases; on a busy machine races are cut short to stay within.</summary>
    private const double Budget = 480;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, NewLine = "\n" };

    /// <param name="only">Words of which a case's name must hold one; none means every case.</param>
    public static void Run(string[] only)
    {
        long start = Stopwatch.GetTimestamp();
        using Roof roof = new();
        Machine machine = Describe(roof);
        CpuCase[] cases =
        [
            .. new[]
            {
                Prefill.Cases(),
                Masks.Cases(),
                Formats.Cases(),
                Decoding.Cases(),
                Accuracy.Cases(),
                Children.Cases(),
            }
                .SelectMany(group => group)
                .Where(one => only.Length == 0 || only.Any(one.Name.Contains)),
            .. only.Contains(OtherShapes.Word) ? OtherShapes.Cases() : [],
        ];
        if (cases.Length == 0)
            throw new ArgumentException($"No case's name has one of the words {string.Join(", ", only)}.");

        Directory.CreateDirectory(Folder);
        List<CpuResult> results = Measure(roof, cases);
        CpuTable.Print(results, roof, Stopwatch.GetElapsedTime(start));
        CpuCharts.Draw(results, roof, machine, Folder);
        Console.WriteLine($"written: {Folder}/cpu.json, cpu-ratios.png, cpu-roofline.png");
        CpuTable.PrintMissing(results);
        Console.WriteLine(CpuTable.Worst(results));
    }

    private static Machine Describe(Roof roof)
    {
        Console.WriteLine(
            $"{Environment.ProcessorCount} cores, .NET {Environment.Version}, kernels in vectors of {roof.Vectors} bits"
        );
        Console.WriteLine("FMA peak of one core, float32:");
        foreach (int bits in new[] { 512, 256, 128 }.Where(bits => bits <= roof.Vectors))
            Console.WriteLine($"  {bits} bits {Roof.PeakAt(bits) / 1e9, 6:F0} GFLOP/s");
        double[] bandwidths = new double[roof.Threads + 1];
        for (int threads = 1; threads <= roof.Threads; threads++)
        {
            bandwidths[threads] = roof.Bandwidth(threads, 512L << 20);
            Console.WriteLine(
                $"{threads} thread{(threads == 1 ? " " : "s")} {roof.Peak(threads) / 1e9, 6:F0} GFLOP/s; "
                    + $"512 MB read at {bandwidths[threads] / 1e9:F1} GB/s, "
                    + $"128 MB again and again at {roof.Bandwidth(threads, 128L << 20) / 1e9:F1} GB/s"
            );
        }
        Console.WriteLine("libtorch: " + (Libtorch.WhyNot is string torch ? "skipped, " + torch : "runs"));
        Console.WriteLine("ONNX Runtime: " + (OnnxSession.WhyNot is string onnx ? "skipped, " + onnx : "runs"));
        return new(bandwidths);
    }

    private static List<CpuResult> Measure(Roof roof, CpuCase[] cases)
    {
        List<CpuResult> results = [];
        AnsiConsole
            .Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn()
            )
            .Start(context =>
            {
                ProgressTask bar = context.AddTask("cases", maxValue: cases.Length);
                long start = Stopwatch.GetTimestamp();
                for (int n = 0; n < cases.Length; n++)
                {
                    CpuCase one = cases[n];
                    bar.Description = one.Name.EscapeMarkup();
                    double left = Budget - Stopwatch.GetElapsedTime(start).TotalSeconds;
                    Race.Patience = Math.Min(Race.MostPatience, left / (cases.Length - n) / roof.Threads);
                    foreach (int threads in (one.OnThreads ?? [1, 2]).Where(threads => threads <= roof.Threads))
                        results.AddRange(one.Measure(roof, threads));
                    bar.Increment(1);
                    // After each case, so that a run that is stopped leaves what it has.
                    Write(results);
                }
            });
        return results;
    }

    private static void Write(List<CpuResult> results) =>
        File.WriteAllText(Path.Combine(Folder, "cpu.json"), JsonSerializer.Serialize(results, Json) + "\n");

    /// <summary>What the roofline needs of the machine beside its peak: bytes a second by number of threads.</summary>
    public sealed record Machine(double[] Bandwidths);
}
