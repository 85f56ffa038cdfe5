using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Portable;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The file of a variant's tensor-core kernels: which there are, their one entry, and the variant as they take it.</summary>
internal static class TensorEntryEmitter
{
    public static string Emit(Declaration declaration, Coverage coverage)
    {
        AttentionSpec spec = declaration.Spec;
        List<PlanChoice> plans = TensorPlans.Choices(declaration).ToList();
        List<string> members = new() { Engine(plans.Select(choice => choice.Plan), spec, coverage), Entry(spec) };
        members.AddRange(new TensorModsEmitter(spec, coverage, new PortableModsEmitter(spec, coverage)).Emit());
        string body = $$"""
            public sealed partial class Kernels
            {
            {{Indent(string.Join("\n\n", members), 1)}}
            }
            """;
        string usings = """
            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::FlashGen;
            using global::FlashGen.Generated;
            using global::FlashGen.Support;
            using global::ILGPU;
            """;
        return $$"""
            {{Header}}
            // {{spec.Name}} on NVIDIA's tensor cores.
            {{string.Join("\n", plans.Select(PlanReason.Line))}}
            {{CoverageText.Describe(coverage, "// ")}}

            {{Names.InType(declaration, usings, body)}}
            """.Replace("\r\n", "\n");
    }

    /// <summary>Hands Forward's arguments to a kernel, each after a blank.</summary>
    public static string Parameters(AttentionSpec spec) =>
        string.Concat(
            DeviceParameters
                .OfKernels(spec)
                .Select(argument => $" _parameters.Add({DeviceParameters.PassedOne(argument)});")
        );

    private static string Engine(IEnumerable<TilePlan> plans, AttentionSpec spec, Coverage coverage)
    {
        string kernels = string.Join(
            "\n",
            plans.Select(plan =>
            {
                TensorTile tile = TensorTile.Of(plan);
                string method = $"static () => ((TensorBody)Tensor<{tile.ClassName}>).Method";
                return $"    new({Number(tile.Threads)}, {Number(tile.BlockM)}, {Number(tile.BlockN)}, {Number(tile.SharedBytes)}, {Number(tile.Groups)}, {method}),";
            })
        );
        int limit = PositionNumbers.LengthLimit(spec.Scores);
        string reach = Reach(coverage);
        string most = limit == int.MaxValue ? "" : $", maxLength: {Number(limit)}";
        return $$"""
            private delegate void TensorBody({{Signature(spec)}});

            partial void LoadTensorCore(ref TensorEngine? engine) => engine = TensorEngine.Load(Variant, Accelerator, TensorKernels, {{reach}}{{most}});

            /// <summary>The tensor-core kernels, in the order of their plans.</summary>
            internal static TensorKernel[] TensorKernels => new TensorKernel[]
            {
            {{kernels}}
            };
            """;
    }

    private static string Reach(Coverage coverage)
    {
        bool isAny = !coverage.Conditions.IsEmpty || !coverage.First.IsEmpty || !coverage.Rest.IsEmpty;
        return "global::FlashGen.Support.KeyReach."
            + (
                isAny ? "Some"
                : coverage.Last.IsEmpty ? "All"
                : "FromFirst"
            );
    }

    private static string Signature(AttentionSpec spec) =>
        "TensorMap queryMap, TensorMap keyMap, TensorMap valueMap, PortableCall call, TensorWork work, PhiloxKeys dropoutKeys, long query, long key, long value, long output, long logSumExp, long parts, long arrivals, "
        + "float scale, float exponentScale, float outputScale, int isWide, int isScaledFirst, "
        + "ArrayView<int> lengths, ArrayView<int> fault, ArrayView<long> tileCounts"
        + DeviceParameters.OfKernel(spec);

    private static string Entry(AttentionSpec spec) =>
        $$"""
            private static void Tensor<TKernel>({{Signature(spec)}})
                where TKernel : struct, ITensorKernel
            {
                TensorMemory memory = default;
                memory.Query = query;
                memory.Key = key;
                memory.Value = value;
                memory.Output = output;
                memory.LogSumExp = logSumExp;
                memory.Parts = parts;
                memory.Arrivals = arrivals;
                memory.Work = work;
                memory.Lengths = lengths;
                memory.Fault = fault;
                memory.TileCounts = tileCounts;
                memory.Scale = scale;
                memory.ExponentScale = exponentScale;
                memory.OutputScale = outputScale;
                memory.IsWide = isWide;
                memory.IsScaledFirst = isScaledFirst;
                TensorMods mods = {{DeviceParameters.Struct(spec)}};
                TKernel.Forward<TensorMods, TensorRow>(call, memory, mods);
            }
            """;
}
