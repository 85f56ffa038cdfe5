using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using FlashGen.Generators.Emit.Tensor;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>The portable target's file: checks and launches of Forward on a device, the kernels' entries, and the variant as they take it.</summary>
internal static class PortableEntryEmitter
{
    public static string Emit(Declaration declaration, Coverage coverage)
    {
        AttentionSpec spec = declaration.Spec;
        PortableModsEmitter mods = new(spec, coverage);
        List<string> members = new() { Engine(declaration, mods) };
        members.AddRange(spec.Types.Select(type => Forward(declaration, type)));
        members.AddRange(mods.Emit());
        members.Add(new PortableStructEmitter(spec, coverage, mods).Emit(Widths(spec)));
        string body = $$"""
            public sealed partial class Kernels
            {
            {{Indent(string.Join("\n\n", members), 1)}}
            }
            """;
        string usings = $$"""
            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::FlashGen;
            using global::FlashGen.Generated;
            using global::FlashGen.Support;
            using global::ILGPU;
            using global::ILGPU.Runtime;
            using KernelArguments = {{DeviceParameters.ChainType(spec)}};
            """;
        return $$"""
            {{Header}}
            // {{spec.Name}} on any ILGPU device.
            {{string.Join("\n", PortablePlans.Kernels(declaration).Select(PlanReason.Line))}}
            {{CoverageText.Describe(coverage, "// ")}}

            {{Names.InType(declaration, usings, body)}}
            """.Replace("\r\n", "\n");
    }

    /// <summary>The parameters of the partial method behind a Forward on a device.</summary>
    public static string CoreParameters(Declaration declaration, ElementType type)
    {
        string view = $"global::ILGPU.ArrayView<{Names.Element(type)}>";
        return $"global::ILGPU.Runtime.AcceleratorStream stream, {view} query, {view} key, {view} value, {view} output, "
            + $"in global::FlashGen.AttentionShape shape{DeviceParameters.OfCore(declaration.Spec)}, "
            + $"global::ILGPU.ArrayView<{Names.LogSumExp(type)}> logSumExp, global::ILGPU.ArrayView<byte> workspace, "
            + "global::ILGPU.ArrayView<int> fault, global::ILGPU.ArrayView<long> tileCounts";
    }

    // What memory holds of an element, and how it is read.
    private static (string Stored, string Element) Stored(ElementType type) =>
        type.Tag switch
        {
            ElementType.Tags.Float16 => ("ushort", "PortableFloat16"),
            ElementType.Tags.BFloat16 => ("ushort", "PortableBFloat16"),
            ElementType.Tags.Float32 => ("float", "PortableFloat32"),
            _ => ("double", "PortableFloat64"),
        };

    private static string Engine(Declaration declaration, PortableModsEmitter mods)
    {
        // The group sizes of one text and type share a line.
        IEnumerable<string> kernels = PortablePlans
            .All(declaration)
            .Select(choice => choice.Plan)
            .GroupBy(plan => (plan.Type, plan.Dims))
            .Select(group => "    " + string.Join(" ", group.Select(plan => Kernel(plan, mods))));
        return $$"""
            private delegate void Body<TStored, TReal>(PortableCall call, PortableTensors<TStored, TReal> tensors, KernelArguments arguments)
                where TStored : unmanaged
                where TReal : unmanaged;

            private delegate void Launch<TStored, TReal>(AcceleratorStream stream, KernelConfig config, PortableCall call, PortableTensors<TStored, TReal> tensors, KernelArguments arguments)
                where TStored : unmanaged
                where TReal : unmanaged;

            partial void LoadCore(ref PortableEngine? engine) => engine = new(Variant, Accelerator, PortableKernels);

            /// <summary>The portable kernels, in the order of their plans.</summary>
            internal static PortableKernel[] PortableKernels => new PortableKernel[]
            {
            {{string.Join("\n", kernels)}}
            };
            """;
    }

    private static string Kernel(TilePlan plan, PortableModsEmitter mods)
    {
        (string stored, string element) = Stored(plan.Type);
        string threads = Number(PortablePlans.Schedule(plan).Threads);
        string leaves = PortableStructEmitter.Leaves(mods);
        return $"new({threads}, {Number(plan.BlockM)}, {Number(plan.Dims.ValueDim)}, static () => ((Body<{stored}, {Names.LogSumExp(plan.Type)}>){PortableText.Of(plan).ClassName}.Forward<{stored}, {element}, Group{threads}, PortableMods, KernelArguments, {leaves}>).Method),";
    }

    // Whether kernels compute in double: both, where the variant has types for both.
    private static IEnumerable<bool> Widths(AttentionSpec spec) =>
        spec.Types.Select(type => type.IsFloat64).Distinct().OrderBy(wide => wide);

    private static string Forward(Declaration declaration, ElementType type)
    {
        AttentionSpec spec = declaration.Spec;
        string element = Names.Element(type);
        string stored = Stored(type).Stored;
        string real = Names.LogSumExp(type);
        string scale =
            spec.Scale.IsRuntimeScale ? Names.Argument("scale")
            : spec.Scale is Scale.ConstantScale constant ? Dialect.Literal(Literal.NewFloatLiteral(constant.bits))
            : type.IsFloat64 ? "1 / Math.Sqrt(shape.HeadDim)"
            : "(float)(1 / Math.Sqrt(shape.HeadDim))";
        string tables = string.Concat(
            spec.Arguments.Where(argument => argument.Type is ArgumentType.TableArgument)
                .Select(argument =>
                    $"\n    {Names.Argument(argument.Name)} = _launch.Table(\"{argument.Name}\", {Names.Argument(argument.Name)});"
                )
        );
        string dropout = spec.Dropout ? Names.Argument("dropout") : "default";
        string tensor =
            TilePlanModule.storageBytes(type) == 2 && TensorPlans.All(spec).Any()
                ? $"\n    if (_launch.RunTensor(tensorEngine, {scale}, {dropout}, {(spec.Scores.IsEmpty ? "false" : "true")}, _parameters => {{{TensorEntryEmitter.Parameters(spec)} }}))\n        return;"
                : "";
        return $$"""
            partial void ForwardCore({{CoreParameters(declaration, type)}})
            {
                PortableLaunch<{{element}}, {{stored}}, {{real}}> _launch = new(engine, stream, query, key, value, output, in shape, logSumExp, workspace, fault, tileCounts);{{Indent(ReadyMadeChecks.Of(
                spec
            ), 1)}}{{tables}}{{tensor}}
                _launch.Run<Launch<{{stored}}, {{real}}>>({{scale}}, {{dropout}}, (_kernel, _stream, _config, _call, _tensors) =>
                    _kernel(_stream, _config, _call, _tensors, {{DeviceParameters.PassedChain(spec)}}));
            }
            """;
    }
}
