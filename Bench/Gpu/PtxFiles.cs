using System.Reflection;
using FlashGen.Support;

namespace FlashGen.Bench.Gpu;

/// <summary>The PTX of tensor-core kernels as files, for an assembler's report of registers and spills.</summary>
internal static class PtxFiles
{
    /// <summary>
    /// Writes two files for each variant and kernel whose name has a text in it: as most calls run it, and as one that puts parts together, where
    /// it ever does.
    /// </summary>
    public static void Write(string folder, string wanted)
    {
        Directory.CreateDirectory(folder);
        foreach (Assembly assembly in new[] { typeof(FlashGen.Kernels.Causal).Assembly, typeof(PtxFiles).Assembly })
        foreach (AttentionVariant variant in AttentionVariant.In(assembly))
        foreach ((PlanInfo plan, TensorKernel kernel) in TensorKernels.Of(variant))
        {
            string shapes = plan.ShapeClass == "long" ? "" : "." + plan.ShapeClass;
            string name = $"{variant.Name.Split('.')[^1]}.{plan.Target}.{plan.ElementType}.{plan.HeadDim}{shapes}";
            if (!name.Contains(wanted, StringComparison.Ordinal))
                continue;
            string target = plan.Target == Target.Sm90 ? "sm_90a" : "sm_80";
            bool isBFloat16 = plan.ElementType == ElementType.BFloat16;
            foreach (bool isMerging in new[] { false, true })
            {
                if (isMerging && !TensorKernels.MayMerge(plan, variant.Plans))
                    continue;
                string path = Path.Combine(folder, name + (isMerging ? ".merging.ptx" : ".ptx"));
                File.WriteAllText(path, TensorCompiler.Compile(kernel, target, isBFloat16, isMerging).Ptx);
            }
        }
    }
}
