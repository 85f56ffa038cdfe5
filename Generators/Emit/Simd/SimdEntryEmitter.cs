using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>Forward on the CPU: checks, pinned arguments, and the choice of the vector width.</summary>
internal static class SimdEntryEmitter
{
    public static string Emit(Declaration declaration)
    {
        List<string> members = new() { Arguments(declaration) };
        if (ProbeEmitter.IsNeeded(declaration.Spec))
            members.Add(ProbeEmitter.Emit(declaration.Spec));
        members.AddRange(declaration.Spec.Types.Select(type => Forward(declaration, type)));
        string usings = """
            using global::System;
            using global::FlashGen;
            using global::FlashGen.Support;
            """;
        return $$"""
            {{Header}}
            {{Names.InType(declaration, usings, string.Join("\n\n", members))}}
            """.Replace("\r\n", "\n");
    }

    private static IEnumerable<(string Name, string Element)> Tables(AttentionSpec spec) =>
        ArgumentUse
            .OfMods(spec)
            .Where(argument => argument.Type is ArgumentType.TableArgument)
            .Select(argument => (argument.Name, Names.TableElement(((ArgumentType.TableArgument)argument.Type).Item)));

    private static string Arguments(Declaration declaration)
    {
        IEnumerable<string> fields = ArgumentUse
            .OfMods(declaration.Spec)
            .Select(argument =>
                argument.Type is ArgumentType.TableArgument table
                    ? $"public {Names.TableElement(table.Item)}* {Names.Argument(argument.Name)};\n    public int lengthOf_{argument.Name};"
                    : $"public {Names.HostType(argument.Type)} {Names.Argument(argument.Name)};"
            );
        string body = string.Concat(fields.Select(field => "\n    " + field));
        return $$"""
            /// <summary>What masks and score changes read at run time.</summary>
            private unsafe struct SimdArguments
            {{{body}}
            }
            """;
    }

    private static string Forward(Declaration declaration, ElementType type)
    {
        AttentionSpec spec = declaration.Spec;
        string element = Names.Element(type);
        string Kernel(int bits) => type.IsFloat64 ? $"SimdWide{bits}" : $"Simd{bits}<{element}>";
        string scale =
            spec.Scale.IsRuntimeScale ? Names.Argument("scale")
            : spec.Scale is Scale.ConstantScale constant ? Dialect.Literal(Literal.NewFloatLiteral(constant.bits))
            : "1 / Math.Sqrt(shape.HeadDim)";
        string pins = string.Concat(
            Tables(spec)
                .Select(table => $"\nfixed ({table.Element}* pinned_{table.Name} = {Names.Argument(table.Name)})")
        );
        IEnumerable<string> fields = ArgumentUse
            .OfMods(spec)
            .SelectMany(argument =>
                argument.Type is ArgumentType.TableArgument
                    ? new[]
                    {
                        $"{Names.Argument(argument.Name)} = pinned_{argument.Name}",
                        $"lengthOf_{argument.Name} = {Names.Argument(argument.Name)}.Length",
                    }
                    : new[] { $"{Names.Argument(argument.Name)} = {Names.Argument(argument.Name)}" }
            );
        string sink = spec.Sink ? Names.Argument("sink") : "default";
        string probe = ProbeEmitter.IsNeeded(spec) ? ProbeEmitter.Name : "NoProbe<SimdArguments>";
        string dropout = spec.Dropout ? Names.Argument("dropout") : "default";
        string run =
            $$"""
            {{pins.TrimStart('\n')}}
            {
                SimdArguments arguments = new() { {{string.Join(", ", fields)}} };
                SimdOutcome outcome = SimdForward.Run<{{element}}, {{Names.LogSumExp(type)}}, {{Kernel(512)}}, {{Kernel(
                256
            )}}, {{Kernel(128)}}, {{probe}}, SimdArguments>(
                    Variant, query, key, value, output, in shape, {{scale}}, {{sink}}, {{dropout}}, in arguments, logSumExp, options);
                if (outcome.Faulted)
                    FaultReport.Explain(Variant, in shape, in outcome, {{NamedArguments(spec)}});
            }
            """.TrimStart();
        return $$"""
            static partial void ForwardCore({{SurfaceEmitter.CoreParameters(declaration, type)}})
            {
                CallCheck.Forward(Variant, query, key, value, output, in shape, logSumExp);{{Checks(spec)}}
                unsafe
                {
            {{Indent(run, 2)}}
                }
            }
            """;
    }

    private static string Checks(AttentionSpec spec)
    {
        List<string> checks = new();
        foreach (Argument argument in spec.Arguments.Where(argument => argument.Type is ArgumentType.TableArgument))
        foreach (string result in new[] { "output", "logSumExp" })
            checks.Add(
                $"CallCheck.Disjoint(nameof({result}), {result}, \"{argument.Name}\", {Names.Argument(argument.Name)});"
            );
        return Indent(ReadyMadeChecks.Of(spec), 1) + string.Concat(checks.Select(check => "\n    " + check));
    }

    private static string NamedArguments(AttentionSpec spec) =>
        "new ModArguments()"
        + string.Concat(
            spec.Arguments.Select(argument =>
                argument.Type is ArgumentType.TableArgument
                    ? $".Add(\"{argument.Name}\", {Names.Argument(argument.Name)}.ToArray())"
                    : $".Add(\"{argument.Name}\", {Names.Argument(argument.Name)})"
            )
        );
}
