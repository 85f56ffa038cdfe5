using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit;

/// <summary>
/// What a class shows to its users: Variant, Forward, Load. Bodies are partial methods, implemented beside the kernels, so that typing
/// costs no kernel; a refused class has bodies that throw, so that calls of it are no further errors.
/// </summary>
internal static class SurfaceEmitter
{
    public static string Emit(Declaration declaration)
    {
        string index = declaration.Rejected
            ? ""
            : $"[assembly: global::FlashGen.AttentionVariantIndex(typeof({FullName(declaration)}))]\n\n";
        string members = Members(declaration) + "\n\n" + Kernels(declaration);
        return Header
            + "\n"
            + Names
                .InType(declaration, "using global::System;", members, index, withModifiers: true)
                .Replace("\r\n", "\n");
    }

    /// <summary>Variant, Forward and Load.</summary>
    public static string Members(Declaration declaration)
    {
        List<string> members = new() { Variant(declaration) };
        members.AddRange(declaration.Spec.Types.Select(type => Forward(declaration, type)));
        members.Add(Load(declaration));
        return string.Join("\n\n", members);
    }

    /// <summary>The class of what Load returns.</summary>
    public static string Kernels(Declaration declaration) => DeviceSurface.Kernels(declaration, Refused(declaration));

    /// <summary>The declaration's type, from anywhere.</summary>
    public static string FullName(Declaration declaration) =>
        "global::"
        + (declaration.Namespace.Length > 0 ? declaration.Namespace + "." : "")
        + string.Join(".", declaration.Types.Select(type => type.TypeName));

    /// <summary>The parameters of the call that Forward on the CPU hands on.</summary>
    public static string CoreParameters(Declaration declaration, ElementType type)
    {
        string element = Names.Element(type);
        string arguments = string.Concat(
            declaration.Spec.Arguments.Select(argument =>
                $", {Names.HostType(argument.Type)} {Names.Argument(argument.Name)}"
            )
        );
        return $"ReadOnlySpan<{element}> query, ReadOnlySpan<{element}> key, ReadOnlySpan<{element}> value, Span<{element}> output, "
            + $"in global::FlashGen.AttentionShape shape{arguments}, Span<{Names.LogSumExp(type)}> logSumExp, "
            + "global::FlashGen.AttentionOptions options";
    }

    private static string Refused(Declaration declaration) =>
        $"throw new InvalidOperationException(\"{declaration.Spec.Name} was refused by the generator; see the build's errors.\");";

    private static string Variant(Declaration declaration)
    {
        string body = declaration.Rejected
            ? $"=> {Refused(declaration)}"
            : """
                { get; } = Describe();

                private static global::FlashGen.AttentionVariant Describe()
                {
                    global::FlashGen.AttentionVariant? variant = null;
                    DescribeCore(ref variant);
                    return variant!;
                }

                static partial void DescribeCore(ref global::FlashGen.AttentionVariant? variant);
                """;
        return $$"""
            /// <summary>The declaration as data: its canonical text, plans, arguments and the user's own mods.</summary>
            public static global::FlashGen.AttentionVariant Variant
                {{Indent(body, 0)}}
            """;
    }

    private static string Forward(Declaration declaration, ElementType type)
    {
        string element = Names.Element(type);
        string logSumExp = Names.LogSumExp(type);
        string call = declaration.Rejected
            ? Refused(declaration)
            : $"{FullName(declaration)}.ForwardCore(query, key, value, output, in shape{Names.Pass(declaration)}, logSumExp, options ?? global::FlashGen.AttentionOptions.Default);";
        string core = declaration.Rejected
            ? ""
            : $"\n\nstatic partial void ForwardCore({CoreParameters(declaration, type)});";
        return $$"""
            /// <summary>Computes attention on the CPU, with vectors as wide as the machine has.</summary>
            /// <param name="query">(batch, queryHeads, queryLength, headDim), by the shape's strides.</param>
            /// <param name="key">(batch, keyHeads, keyLength, headDim), by the shape's strides.</param>
            /// <param name="value">(batch, keyHeads, keyLength, valueDim), by the shape's strides.</param>
            /// <param name="output">(batch, queryHeads, queryLength, valueDim), by the shape's strides; overlaps nothing.</param>
            /// <param name="shape">Sizes, and optionally strides, key lengths and query offsets.</param>
            {{ArgumentDocs(
                declaration
            )}}/// <param name="logSumExp">Natural log-sum-exp of each row, (batch, queryHeads, queryLength); empty when it is not wanted.</param>
            /// <param name="options">Threads, cancellation, progress; never what is computed.</param>
            /// <exception cref="ArgumentException">An argument does not fit the shape; nothing was written.</exception>
            public static void Forward(
                ReadOnlySpan<{{element}}> query,
                ReadOnlySpan<{{element}}> key,
                ReadOnlySpan<{{element}}> value,
                Span<{{element}}> output,
                in global::FlashGen.AttentionShape shape{{Names.HostParameters(declaration).Replace(
                ", ",
                ",\n    "
            )}},
                Span<{{logSumExp}}> logSumExp = default,
                global::FlashGen.AttentionOptions? options = null
            )
            {
                {{call}}
            }{{core}}
            """;
    }

    /// <summary>The doc comments of the run-time arguments, each a line.</summary>
    public static string ArgumentDocs(Declaration declaration) =>
        string.Concat(
            declaration.Spec.Arguments.Select(argument =>
                $"/// <param name=\"{argument.Name}\">{ArgumentText.Meaning(argument)}</param>\n"
            )
        );

    private static string Load(Declaration declaration) => DeviceSurface.Load(declaration, Refused(declaration));
}
