using FlashGen.Bench.Machine;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Tool.Tune.Report;

/// <summary>What a machine can do at most, a second; 0 where it is not known.</summary>
/// <param name="Bytes">Bytes read from memory.</param>
/// <param name="Float32">Operations in float32, in which narrower types are computed too.</param>
/// <param name="Float64">Operations in float64.</param>
/// <param name="Tensor">Operations of tensor cores on 16-bit types.</param>
/// <param name="Source">Where the numbers come from, in words.</param>
internal sealed record MachineRoofs(double Bytes, double Float32, double Float64, double Tensor, string Source)
{
    // About half a millisecond a probe; a clock that others share reaches its best now and then.
    private const int ProbeRounds = 80_000;
    private const double ProbeSeconds = 0.5;
    private const long StreamBytes = 256L << 20;
    private const int Streams = 4;

    /// <summary>Of the CPU, measured here and now: independent multiply-adds in registers, and one long read.</summary>
    public static MachineRoofs OfCpu(int vectorBits, int threads)
    {
        int count = threads > 0 ? threads : System.Environment.ProcessorCount;
        using Crew crew = new(count);
        double[] rates = new double[count];
        double best = 0;
        for (
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds < ProbeSeconds;

        )
        {
            crew.Run(count, member => rates[member] = FmaChains.Rate(vectorBits, ProbeRounds));
            best = Math.Max(best, rates.Sum());
        }
        using Buffer<float> buffer = new(StreamBytes / sizeof(float));
        double seconds = double.MaxValue;
        for (int run = 0; run < Streams; run++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            StreamRead.Run(crew, count, buffer);
            seconds = Math.Min(seconds, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return new(
            StreamBytes / seconds,
            best,
            best / 2,
            0,
            $"measured on {count} {(count == 1 ? "thread" : "threads")}: multiply-adds in registers, and memory read once from end to end"
        );
    }

    /// <summary>Of the CUDA device that ILGPU takes, from what its driver states; null where there is none.</summary>
    public static MachineRoofs? OfCuda()
    {
        using Context context = Context.Create(builder => builder.Cuda());
        if (context.Devices.OfType<CudaDevice>().FirstOrDefault() is not { Architecture: { } architecture } device)
            return null;
        // Operations a cycle of a multiprocessor (CUDA C++ Programming Guide, arithmetic throughput; whitepapers of A100 and H100).
        (double float32, double float64, double tensor) = (architecture.Major, architecture.Minor) switch
        {
            (8, 0) => (128.0, 64.0, 2048.0),
            (8, _) => (256.0, 4.0, 0.0),
            (9, 0) => (256.0, 128.0, 4096.0),
            _ => (0.0, 0.0, 0.0),
        };
        double cycles = 1e6 * device.ClockRate * device.NumMultiprocessors;
        // Memory moves data on both edges of its clock.
        double bytes = 2e6 * device.MemoryClockRate * device.MemoryBusWidth / 8;
        return new(
            bytes,
            float32 * cycles,
            float64 * cycles,
            tensor * cycles,
            "stated by the driver: clocks, multiprocessors and width of the memory bus"
        );
    }

    /// <summary>Operations a second that bound a kernel, and what they are called.</summary>
    public (double Rate, string Name) Of(Target target, ElementType type) =>
        target is Target.Sm80 or Target.Sm90 ? (Tensor, "tensor cores")
        : type == ElementType.Float64 ? (Float64, "float64")
        : (Float32, "float32");
}
