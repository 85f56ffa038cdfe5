using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using FlashGen.Generators.Emit.Portable;
using FlashGen.Generators.Emit.Tensor;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit;

/// <summary>Load, and the kernels that it returns, as their users see them.</summary>
internal static class DeviceSurface
{
    public static string Load(Declaration declaration, string refused)
    {
        string load =
            declaration.Rejected ? refused
            : HasKernels(declaration) ? "return new Kernels(accelerator);"
            : $"throw new NotSupportedException(\"The Targets of {declaration.Spec.Name} leave out Portable, without which nothing runs on devices.\");";
        return $$"""
            /// <summary>Loads the best kernels that a device can run. Dispose them before the accelerator.</summary>
            /// <exception cref="NotSupportedException">None was generated that this device can run.</exception>
            public static Kernels Load(global::ILGPU.Runtime.Accelerator accelerator)
            {
                {{load}}
            }
            """;
    }

    private static bool HasKernels(Declaration declaration) =>
        !declaration.Rejected && declaration.Spec.Targets.Contains(TargetKind.Portable);

    public static string Kernels(Declaration declaration, string refused)
    {
        List<string> members = new() { Members(declaration, refused) };
        members.AddRange(declaration.Spec.Types.Select(type => Forward(declaration, type, refused)));
        members.Add(ForwardByName(declaration, refused));
        return $$"""
            /// <summary>
            /// The variant's kernels on one device. Nothing here allocates on the device or waits for it; context, accelerator and
            /// streams stay the caller's.
            /// </summary>
            public sealed partial class Kernels : global::FlashGen.AttentionKernels
            {
            {{Indent(string.Join("\n\n", members), 1)}}
            }
            """;
    }

    private static bool HasTensor(Declaration declaration) =>
        HasKernels(declaration) && TensorPlans.All(declaration.Spec).Any();

    private static string Members(Declaration declaration, string refused)
    {
        if (!HasKernels(declaration))
            return """
                internal Kernels(global::ILGPU.Runtime.Accelerator accelerator)
                    : base(global::FlashGen.Target.Portable, accelerator) { }

                /// <inheritdoc/>
                public override long WorkspaceSize(in global::FlashGen.AttentionShape shape) => throw new NotSupportedException();

                /// <inheritdoc/>
                public override global::FlashGen.PlanInfo PlanFor(global::FlashGen.ElementType type, in global::FlashGen.AttentionShape shape) => throw new NotSupportedException();
                """;
        bool hasTensor = HasTensor(declaration);
        string target = hasTensor
            ? "global::FlashGen.Support.TensorEngine.TargetOn(Variant, accelerator)"
            : "global::FlashGen.Target.Portable";
        string load = hasTensor ? "\n    LoadTensorCore(ref tensorEngine);" : "";
        string declare = hasTensor
            ? "\n\npartial void LoadTensorCore(ref global::FlashGen.Support.TensorEngine? engine);"
            : "";
        string plan = hasTensor
            ? "tensorEngine?.PlanFor(type, in shape) ?? engine.PlanFor(type, in shape)"
            : "engine.PlanFor(type, in shape)";
        string workspace = hasTensor
            ? "engine.WorkspaceSize(in shape) + (tensorEngine?.WorkspaceSize(in shape) ?? 0)"
            : "engine.WorkspaceSize(in shape)";
        return $$"""
            private readonly global::FlashGen.Support.PortableEngine engine;
            {{(hasTensor ? "private readonly global::FlashGen.Support.TensorEngine? tensorEngine;\n" : "")}}
            internal Kernels(global::ILGPU.Runtime.Accelerator accelerator)
                : base({{target}}, accelerator)
            {
                global::FlashGen.Support.PortableEngine? loaded = null;
                LoadCore(ref loaded);
                engine = loaded!;{{load}}
            }

            partial void LoadCore(ref global::FlashGen.Support.PortableEngine? engine);{{declare}}

            /// <inheritdoc/>
            public override long WorkspaceSize(in global::FlashGen.AttentionShape shape)
            {
                ThrowIfDisposed();
                return {{workspace}};
            }

            /// <inheritdoc/>
            public override global::FlashGen.PlanInfo PlanFor(global::FlashGen.ElementType type, in global::FlashGen.AttentionShape shape)
            {
                ThrowIfDisposed();
                return {{plan}};
            }

            /// <inheritdoc/>
            protected override void Dispose(bool disposing)
            {
                engine.Dispose();{{(hasTensor ? "\n    tensorEngine?.Dispose();" : "")}}
            }
            """;
    }

    private static string Forward(Declaration declaration, ElementType type, string refused)
    {
        string view = $"global::ILGPU.ArrayView<{Names.Element(type)}>";
        string arguments = string.Concat(
            declaration.Spec.Arguments.Select(argument =>
                $"\n    {DeviceParameters.Type(argument.Type)} {Keywords.Escape(argument.Name)},"
            )
        );
        string body =
            declaration.Rejected ? refused
            : !HasKernels(declaration) ? "throw new NotSupportedException();"
            : $"this.ThrowIfDisposed();\n    this.ForwardCore(stream, query, key, value, output, in shape{Names.Pass(declaration)}, logSumExp, workspace, fault, default);";
        string core = HasKernels(declaration)
            ? $"\n\npartial void ForwardCore({PortableEntryEmitter.CoreParameters(declaration, type)});"
            : "";
        return $$"""
            /// <summary>Queues attention on a stream; returns before the device is done.</summary>
            /// <param name="stream">The stream, of this accelerator.</param>
            /// <param name="query">(batch, queryHeads, queryLength, headDim), by the shape's strides.</param>
            /// <param name="key">(batch, keyHeads, keyLength, headDim), by the shape's strides.</param>
            /// <param name="value">(batch, keyHeads, keyLength, valueDim), by the shape's strides.</param>
            /// <param name="output">(batch, queryHeads, queryLength, valueDim), by the shape's strides; overlaps nothing.</param>
            /// <param name="shape">Sizes, and optionally strides, key lengths and query offsets.</param>
            {{SurfaceEmitter.ArgumentDocs(
                declaration
            )}}/// <param name="logSumExp">Natural log-sum-exp of each row, (batch, queryHeads, queryLength); empty when it is not wanted.</param>
            /// <param name="workspace">Scratch of WorkspaceSize(shape) bytes, aligned to 16; free again when the stream has passed the call.</param>
            /// <param name="fault">One word, set to other than 0 when a mod reads outside a table or divides by zero; empty when it is not wanted.</param>
            /// <exception cref="ArgumentException">An argument does not fit the shape; nothing was queued.</exception>
            /// <exception cref="ObjectDisposedException">The kernels were disposed.</exception>
            public void Forward(
                global::ILGPU.Runtime.AcceleratorStream stream,
                {{view}} query,
                {{view}} key,
                {{view}} value,
                {{view}} output,
                in global::FlashGen.AttentionShape shape,{{arguments}}
                global::ILGPU.ArrayView<{{Names.LogSumExp(type)}}> logSumExp = default,
                global::ILGPU.ArrayView<byte> workspace = default,
                global::ILGPU.ArrayView<int> fault = default
            )
            {
                {{body}}
            }{{core}}
            """;
    }

    private static string ForwardByName(Declaration declaration, string refused)
    {
        const string Signature = """
            /// <inheritdoc/>
            public override void Forward(global::ILGPU.Runtime.AcceleratorStream stream, global::FlashGen.DeviceTensors tensors, in global::FlashGen.AttentionShape shape, global::FlashGen.DeviceArguments arguments)
            """;
        if (!HasKernels(declaration))
            return $$"""
                {{Signature}}
                {
                    {{(declaration.Rejected ? refused : "throw new NotSupportedException();")}}
                }
                """;
        string cases = string.Join("\n", declaration.Spec.Types.Select(type => ByNameCase(declaration, type)));
        return $$"""
            {{Signature}}
            {
                ThrowIfDisposed();
                ArgumentNullException.ThrowIfNull(tensors);
                ArgumentNullException.ThrowIfNull(arguments);
                global::FlashGen.Support.CallCheck.Declared(Variant, tensors.ElementType);
                arguments.CheckNames(Variant);
                switch (tensors.ElementType)
                {
            {{Indent(cases, 2)}}
                }
            }
            """;
    }

    private static string ByNameCase(Declaration declaration, ElementType type)
    {
        string Typed(string element, string name) =>
            $"global::FlashGen.Support.CallCheck.Typed<{element}>(\"{char.ToLowerInvariant(name[0]) + name.Substring(1)}\", tensors.{name})";
        string element = Names.Element(type);
        string arguments = string.Concat(
            declaration.Spec.Arguments.Select(argument => "        " + ByName(argument) + ",\n")
        );
        return $$"""
            case global::FlashGen.ElementType.{{type}}:
                ForwardCore(
                    stream,
                    {{Typed(element, "Query")}},
                    {{Typed(element, "Key")}},
                    {{Typed(element, "Value")}},
                    {{Typed(element, "Output")}},
                    in shape,
            {{arguments}}        {{Typed(Names.LogSumExp(type), "LogSumExp")}},
                    tensors.Workspace,
                    tensors.Fault,
                    tensors.TileCounts
                );
                break;
            """;
    }

    private static string ByName(Argument argument) =>
        argument.Type is ArgumentType.TableArgument table
            ? $"arguments.View<{DeviceParameters.Element(table.Item)}>(\"{argument.Name}\")"
            : $"arguments.Scalar<{Names.HostType(argument.Type)}>(\"{argument.Name}\")";
}
