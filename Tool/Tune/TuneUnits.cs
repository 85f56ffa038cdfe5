using FlashGen.Dsl;

namespace FlashGen.Tool.Tune;

/// <summary>A kernel text of a variant: the types and dimensions that share it, the one that stands for all of them first.</summary>
/// <param name="Target">The target.</param>
/// <param name="Kernels">Type and dimensions, with the planner's own plan for long shapes.</param>
internal sealed record TuneUnit(TargetKind Target, IReadOnlyList<TilePlan> Kernels);

/// <summary>What there is to tune of a variant.</summary>
internal static class TuneUnits
{
    private static readonly TargetKind[] Kinds =
    [
        TargetKind.Simd,
        TargetKind.Portable,
        TargetKind.Sm80,
        TargetKind.Sm90,
    ];

    private static readonly Dsl.ElementType[] Types =
    [
        Dsl.ElementType.Float16,
        Dsl.ElementType.BFloat16,
        Dsl.ElementType.Float32,
        Dsl.ElementType.Float64,
    ];

    public static TargetKind Kind(Target target) => Kinds[(int)target];

    public static Dsl.ElementType Kind(ElementType type) => Types[(int)type];

    public static Target Target(TargetKind kind) => (Target)Array.IndexOf(Kinds, kind);

    public static ElementType Type(Dsl.ElementType type) => (ElementType)Array.IndexOf(Types, type);

    /// <summary>The class of a name.</summary>
    public static ShapeClass Class(string name) =>
        name switch
        {
            "short" => ShapeClass.Short,
            "decode" => ShapeClass.Decode,
            _ => ShapeClass.Long,
        };

    /// <summary>The shape on which a kernel is timed.</summary>
    public static AttentionShape Shape(AttentionVariant variant, TuneKernel kernel, WorkerKind kind)
    {
        // A bucket of device kernels holds declared dimensions: the widest of them is timed.
        (int HeadDim, int ValueDim) dims = variant
            .Dims.Where(dim => dim.HeadDim <= kernel.HeadDim && dim.ValueDim <= kernel.ValueDim)
            .OrderByDescending(dim => dim.HeadDim + dim.ValueDim)
            .FirstOrDefault((kernel.HeadDim, kernel.ValueDim));
        return TimedShapes.Of(
            new(dims.HeadDim, dims.ValueDim),
            variant.Dims.Count == 0,
            Class(kernel.ShapeClass),
            kind
        );
    }

    /// <summary>The kernel texts of a variant on a target, for some element types.</summary>
    /// <param name="spec">The variant's spec.</param>
    /// <param name="target">The target.</param>
    /// <param name="types">The types wanted.</param>
    /// <param name="vectorBits">On the CPU, the vectors.</param>
    public static IEnumerable<TuneUnit> Of(
        AttentionSpec spec,
        TargetKind target,
        IReadOnlyCollection<Dsl.ElementType> types,
        int vectorBits
    )
    {
        // float32 stands for the types that are computed in float.
        Dsl.ElementType[] wanted = [.. spec.Types.Where(types.Contains).OrderBy(type => type.IsFloat32 ? 0 : 1)];
        foreach (bool isWide in (bool[])[false, true])
        {
            Dsl.ElementType[] ofText = [.. wanted.Where(type => type.IsFloat64 == isWide)];
            if (ofText.Length == 0)
                continue;
            TilePlan[] plans =
            [
                .. from type in ofText
                from dims in PlanChoiceModule.dims(target, type, spec)
                let plan = Own(spec, target, type, dims, vectorBits)
                where plan is not null
                select plan,
            ];
            // One text for all dimensions on the CPU, one for each bucket on devices.
            foreach (
                IGrouping<HeadDims, TilePlan> group in plans.GroupBy(plan => target.IsSimd ? plans[0].Dims : plan.Dims)
            )
                yield return new(target, [.. group]);
        }
    }

    // What the planner chooses where nothing is declared or measured.
    private static TilePlan? Own(
        AttentionSpec spec,
        TargetKind target,
        Dsl.ElementType type,
        HeadDims dims,
        int vectorBits
    )
    {
        AttentionSpec open = new(
            spec.Name,
            spec.Dims,
            spec.Types,
            spec.Align,
            spec.Layout,
            spec.Targets,
            spec.Scale,
            spec.Scores,
            spec.Masks,
            spec.Sink,
            spec.Dropout,
            Microsoft.FSharp.Collections.FSharpList<BlockSize>.Empty,
            spec.Arguments
        );
        var plan =
            target.IsSimd ? Planner.simd(vectorBits, type, dims, open)
            : target.IsPortable ? Planner.portable(type, dims, open)
            : TensorPlanner.plan(target, type, dims, open);
        return plan.IsOk ? plan.ResultValue : null;
    }
}
