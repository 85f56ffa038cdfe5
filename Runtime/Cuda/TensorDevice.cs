using System.Globalization;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>What decides which tensor-core kernels a device runs.</summary>
/// <param name="Name">The device's name.</param>
/// <param name="IsCuda">Whether it is one of NVIDIA's, through CUDA; the rest is 0 where it is not.</param>
/// <param name="Major">Its compute capability.</param>
/// <param name="Minor">The compute capability's second number.</param>
/// <param name="Driver">The driver's version as major * 1000 + minor * 10.</param>
/// <param name="SharedBytes">The most shared memory that a group can ask for.</param>
internal readonly record struct TensorDevice(
    string Name,
    bool IsCuda,
    int Major,
    int Minor,
    int Driver,
    int SharedBytes
)
{
    // Kernels are PTX 8.0, of CUDA 12, which brought wgmma, setmaxnreg and tensor maps.
    private const int LeastDriver = 12000;

    [ThreadStatic]
    private static Target? asked;

    /// <summary>The best target that is wanted.</summary>
    public Target Best { get; init; } = Target.Sm90;

    /// <summary>Loads kernels of a target at best.</summary>
    /// <param name="target">The target.</param>
    /// <param name="load">Loads them; it asks for the device on this thread.</param>
    public static AttentionKernels AtBest(Target target, Func<AttentionKernels> load)
    {
        Target? before = asked;
        asked = target;
        try
        {
            return load();
        }
        finally
        {
            asked = before;
        }
    }

    /// <summary>What an accelerator has.</summary>
    public static TensorDevice Of(Accelerator accelerator)
    {
        Target best = asked ?? Target.Sm90;
        return accelerator is CudaAccelerator { Architecture: { } architecture } cuda
            ? new(
                cuda.Name,
                true,
                architecture.Major,
                architecture.Minor,
                CudaDriver.Version,
                CudaDriver.MaxSharedBytes(cuda.DeviceId)
            )
            {
                Best = best,
            }
            : new(accelerator.Name, false, 0, 0, 0, 0) { Best = best };
    }

    /// <summary>Why the device does not run a tensor-core plan; null when it does.</summary>
    public string? Refusal(PlanInfo plan)
    {
        if (plan.Target > Best)
            return $"Kernels of {Best} at best were asked for.";
        if (!IsCuda)
            return $"{Name} is no CUDA device.";
        if (Driver < LeastDriver)
            return Text(
                $"The driver of {Name} is of CUDA {Driver / 1000}.{Driver % 1000 / 10}; tensor-core kernels need that of CUDA 12.0 or later."
            );
        // Hopper's instructions are of 9.0 alone; Ampere's came to stay.
        if (plan.Target == Target.Sm90 && (Major, Minor) != (9, 0))
            return Text(
                $"{Name} has compute capability {Major}.{Minor}; Hopper's instructions are those of 9.0 alone."
            );
        if (Major < 8)
            return Text($"{Name} has compute capability {Major}.{Minor}; the kernel needs 8.0 or later.");
        return plan.SharedBytes > SharedBytes
            ? Text(
                $"The kernel needs {plan.SharedBytes} bytes of shared memory; a group of {Name} can have {SharedBytes}."
            )
            : null;
    }

    /// <summary>The best target of some plans that the device runs.</summary>
    public Target BestOf(IEnumerable<PlanInfo> plans)
    {
        TensorDevice device = this;
        return plans
            .Where(plan => plan.Target is Target.Sm80 or Target.Sm90 && device.Refusal(plan) is null)
            .Select(plan => plan.Target)
            .DefaultIfEmpty(Target.Portable)
            .Max();
    }

    /// <summary>Why the device does not run tensor-core targets that some plans are for: one reason for each target that has one.</summary>
    public IEnumerable<TargetRefusal> Refusals(IEnumerable<PlanInfo> plans)
    {
        TensorDevice device = this;
        return plans
            .Where(plan => plan.Target is Target.Sm80 or Target.Sm90)
            .Select(plan => (plan.Target, Reason: device.Refusal(plan)))
            .Where(refusal => refusal.Reason is not null)
            .DistinctBy(refusal => refusal.Target)
            .OrderBy(refusal => refusal.Target)
            .Select(refusal => new TargetRefusal(refusal.Target, refusal.Reason!));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
