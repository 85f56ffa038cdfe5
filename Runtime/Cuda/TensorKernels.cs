using System.Reflection;

namespace FlashGen.Support;

/// <summary>A variant's tensor-core kernels, without a device.</summary>
internal static class TensorKernels
{
    /// <summary>The kernels that a first call is the likeliest to be of: the first that is not for few rows, for each head dimension that most models have, 128 before 64.</summary>
    /// <param name="kernels">Those that a device runs, one at least.</param>
    public static IEnumerable<TensorKernel> Likely((PlanInfo Plan, TensorKernel Kernel)[] kernels) =>
        kernels
            .Where(kernel => kernel.Plan.HeadDim is 64 or 128 && kernel.Plan.MaxRows == 0)
            .DistinctBy(kernel => kernel.Plan.HeadDim)
            .OrderByDescending(kernel => kernel.Plan.HeadDim)
            .DefaultIfEmpty(kernels[0])
            .Select(kernel => kernel.Kernel);

    /// <summary>Whether a kernel ever puts parts together: only calls of few rows do, and where there is a kernel for those, no other takes them.</summary>
    /// <param name="plan">The kernel's plan.</param>
    /// <param name="plans">Those of its variant.</param>
    public static bool MayMerge(PlanInfo plan, IEnumerable<PlanInfo> plans) =>
        plan.MaxRows > 0
        || !plans.Any(other =>
            other.MaxRows >= TensorLastPart.MostRowsOfFew
            && (other.Target, other.ElementType, other.HeadDim, other.ValueDim)
                == (plan.Target, plan.ElementType, plan.HeadDim, plan.ValueDim)
        );

    /// <summary>A variant's tensor-core kernels with their plans, without a device.</summary>
    public static IEnumerable<(PlanInfo Plan, TensorKernel Kernel)> Of(AttentionVariant variant)
    {
        const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic;
        object? kernels = variant
            .Declaration.GetNestedType("Kernels", Any)
            ?.GetProperty("TensorKernels", Any | BindingFlags.Static)
            ?.GetValue(null);
        return variant
            .Plans.Where(plan => plan.Target is Target.Sm80 or Target.Sm90)
            .Zip((TensorKernel[]?)kernels ?? []);
    }
}
