using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>What a tensor-core kernel depends on: variants with the same tile share its text. Its types differ by a few words of PTX.</summary>
internal readonly record struct TensorTile(
    TargetKind Target,
    int BlockM,
    int BlockN,
    int HeadDim,
    int ValueDim,
    int Warps,
    int Stages,
    int Groups
)
{
    public static TensorTile Of(TilePlan plan)
    {
        TensorSchedule schedule = ((Schedule.TensorSchedule)plan.Schedule).Item;
        return new(
            plan.Target,
            plan.BlockM,
            plan.BlockN,
            plan.Dims.HeadDim,
            plan.Dims.ValueDim,
            schedule.Warps,
            schedule.Stages,
            TilePlanModule.tensorGroups(plan)
        );
    }

    /// <summary>Threads of a group.</summary>
    public int Threads => 32 * Warps + (Target.IsSm90 ? 128 : 0);

    /// <summary>Dynamic shared memory of a group in bytes.</summary>
    public int SharedBytes => Target.IsSm90 ? new Sm90Emitter(this).SharedBytes : new Sm80Emitter(this).SharedBytes;

    /// <summary>The struct of the kernel, in namespace FlashGen.Generated.</summary>
    public string ClassName =>
        $"{Target}_{BlockM}x{BlockN}x{HeadDim}{(ValueDim == HeadDim ? "" : $"x{ValueDim}")}_{Warps}w{Stages}s";
}
