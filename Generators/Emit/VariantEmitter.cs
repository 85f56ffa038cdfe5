using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using FlashGen.Generators.Emit.Tensor;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit;

/// <summary>The description behind <c>Variant</c>, and the same calls with arguments by name.</summary>
internal static class VariantEmitter
{
    public static string Emit(Declaration declaration, IEnumerable<PlanChoice> plans)
    {
        AttentionSpec spec = declaration.Spec;
        string List(IEnumerable<string> items) => string.Concat(items.Select(item => $"\n            {item},"));
        string body = $$"""
            static partial void DescribeCore(ref global::FlashGen.AttentionVariant? variant) =>
                variant = new()
                {
                    Name = {{Quote(spec.Name)}},
                    Declaration = typeof({{SurfaceEmitter.FullName(declaration)}}),
                    Spec = {{Quote(Text.printSpec(spec))}},
                    SpecHash = {{Quote(Text.hash(spec))}},
                    Dims = new (int, int)[] { {{string.Join(", ", spec.Dims.Select(dims => $"({Number(dims.HeadDim)}, {Number(dims.ValueDim)})"))}} },
                    Types = {{string.Join(" | ", spec.Types.Select(type => "ElementTypes." + type))}},
                    Align = Alignment.{{spec.Align}},
                    Layout = TensorLayout.{{spec.Layout}},
                    Optimized = {{(declaration.Optimized ? "true" : "false")}},
                    Arguments = new ArgumentInfo[]
                    {{{List(
                        spec.Arguments.Select(argument =>
                            $"new({Quote(argument.Name)}, ArgumentKind.{ArgumentText.Kind(argument)}, {Quote(ArgumentText.TypeName(argument))}, {Quote(ArgumentText.Meaning(argument))})"
                        )
                    )}}
                    },
                    Plans = new PlanInfo[]
                    {{{List(plans.Select(plan => Plan(declaration.Spec, plan)))}}
                    },
                    Refusals = new TargetRefusal[]
                    {{{List(Refusals(declaration))}}
                    },
                    Masks = new MaskDelegate[]
                    {{{List(declaration.Methods.Where(method => method.IsMask).Select(method => Delegate(declaration, method)))}}
                    },
                    Scores = new ScoreDelegate[]
                    {{{List(declaration.Methods.Where(method => !method.IsMask).Select(method => Delegate(declaration, method)))}}
                    },
                    Entry = new NamedCalls(),
                };

            private sealed class NamedCalls : VariantEntry
            {
            {{Indent(string.Join("\n\n", spec.Types.Select(type => NamedCall(declaration, type))), 1)}}

                public override AttentionKernels Load(global::ILGPU.Runtime.Accelerator accelerator) => {{SurfaceEmitter.FullName(declaration)}}.Load(accelerator);
            }
            """;
        string usings = """
            using global::System;
            using global::FlashGen;
            using global::FlashGen.Support;
            """;
        return $$"""
            {{Header}}
            {{Names.InType(declaration, usings, body)}}
            """.Replace("\r\n", "\n");
    }

    private static string NamedCall(Declaration declaration, ElementType type)
    {
        string element = Names.Element(type);
        string arguments = string.Concat(
            declaration.Spec.Arguments.Select(argument => ", " + Names.FromArguments(argument, "arguments"))
        );
        return $$"""
            public override void Forward(ReadOnlySpan<{{element}}> query, ReadOnlySpan<{{element}}> key, ReadOnlySpan<{{element}}> value, Span<{{element}}> output, in AttentionShape shape, ModArguments arguments, Span<{{Names.LogSumExp(
                type
            )}}> logSumExp, AttentionOptions options) =>
                {{SurfaceEmitter.FullName(
                declaration
            )}}.Forward(query, key, value, output, in shape{{arguments}}, logSumExp, options);
            """;
    }

    // The user's own method, as it was compiled.
    private static string Delegate(Declaration declaration, ModMethod method)
    {
        string Argument(ModParameter parameter) =>
            parameter switch
            {
                { IsScoreParameter: true } => "score",
                { IsPositionParameter: true } => "at",
                ModParameter.ArgumentParameter { Item2: ArgumentType.TableArgument table } named =>
                    $"arguments.Table<{Names.TableElement(table.Item)}>({Quote(named.name)})",
                ModParameter.ArgumentParameter { Item2: ArgumentType.ScalarArgument scalar } named =>
                    $"arguments.Scalar<{Names.Scalar(scalar.Item)}>({Quote(named.name)})",
                _ => "default",
            };
        string parameters = method.IsMask
            ? "in Position at, ModArguments arguments"
            : "float score, in Position at, ModArguments arguments";
        return $"static ({parameters}) => {SurfaceEmitter.FullName(declaration)}.{Keywords.Escape(method.Method)}({string.Join(", ", method.Parameters.Select(Argument))})";
    }

    private static string Plan(AttentionSpec spec, PlanChoice choice)
    {
        TilePlan plan = choice.Plan;
        Budget budget = TilePlanModule.budget(plan);
        List<string> more = new();
        if (plan.Schedule.IsTensorSchedule && plan.ShapeClass.IsShort)
            more.Add($"MaxKeys = {Number(TensorPlanner.shortKeys(spec))}");
        if (plan.Schedule.IsTensorSchedule && plan.ShapeClass.IsDecode)
            more.Add($"MaxKeys = {Number(TensorPlanner.decodeKeys(spec))}, MaxRows = {Number(plan.BlockM)}");
        if (!choice.Source.IsFromPlanner || !choice.Others.IsEmpty)
            more.Add($"Source = PlanSource.{Source(choice)}, Reason = {Quote(PlanReason.Of(choice))}");
        return $"new(Target.{plan.Target}, ElementType.{plan.Type}, {Number(plan.Dims.HeadDim)}, {Number(plan.Dims.ValueDim)}, "
            + $"{Quote(TilePlanModule.shapeClassName(plan.ShapeClass))}, {Quote(PlanText.print(plan))}, {Number(budget.Registers)}, {Number(budget.MemoryBytes)})"
            + (more.Count == 0 ? "" : $" {{ {string.Join(", ", more)} }}");
    }

    private static string Source(PlanChoice choice) =>
        choice.Source.IsFromPlanner ? "Planner"
        : choice.Source.IsFromBlockSize ? "BlockSize"
        : "Tuned";

    private static IEnumerable<string> Refusals(Declaration declaration)
    {
        foreach (TargetKind target in new[] { TargetKind.Sm80, TargetKind.Sm90 })
            if (
                declaration.Spec.Targets.Contains(target)
                && !TensorPlans.All(declaration.Spec).Any(plan => plan.Target.Equals(target))
            )
                yield return $"new(Target.{target}, {Quote(TensorPlans.Refusal(target, declaration.Spec))})";
        foreach (TargetKind target in new[] { TargetKind.Simd, TargetKind.Portable, TargetKind.Sm80, TargetKind.Sm90 })
            if (!declaration.Spec.Targets.Contains(target))
                yield return $"new(Target.{target}, \"The declaration's Targets leaves it out.\")";
    }

    private static string Quote(string text) =>
        "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n").Replace("\r", "\\r") + "\"";
}
