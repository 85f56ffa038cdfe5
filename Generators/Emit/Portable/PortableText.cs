using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>What a portable kernel's text depends on: variants, types and group sizes with the same one share it.</summary>
/// <param name="Wide">Whether it computes in double.</param>
/// <param name="Rows">Query rows of a thread.</param>
/// <param name="BlockN">Keys of a tile.</param>
/// <param name="Columns">Value columns.</param>
/// <param name="HeadSlice">How much of the head dimension is in shared memory at a time.</param>
/// <param name="ValueSlice">How many value columns are.</param>
internal readonly record struct PortableText(
    bool Wide,
    int Rows,
    int BlockN,
    int Columns,
    int HeadSlice,
    int ValueSlice
)
{
    public static PortableText Of(TilePlan plan)
    {
        PortableSchedule schedule = PortablePlans.Schedule(plan);
        return new(
            plan.Type.IsFloat64,
            schedule.ThreadRows,
            plan.BlockN,
            plan.Dims.ValueDim,
            schedule.HeadSlice,
            schedule.ValueSlice
        );
    }

    /// <summary>float or double.</summary>
    public string Real => Wide ? "double" : "float";

    /// <summary>The class of the kernel, in namespace FlashGen.Generated.</summary>
    public string ClassName =>
        $"Portable{(Wide ? "Wide" : "")}_{Number(Rows)}x{Number(BlockN)}x{Number(Columns)}_{Number(HeadSlice)}x{Number(ValueSlice)}";
}
