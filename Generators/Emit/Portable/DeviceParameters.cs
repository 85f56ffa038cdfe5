using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>The run-time arguments of a variant on a device: as Forward's parameters, as a kernel's, and on the way between.</summary>
internal static class DeviceParameters
{
    /// <summary>A parameter's type in Forward on a device.</summary>
    public static string Type(ArgumentType type) =>
        type is ArgumentType.TableArgument table
            ? $"global::ILGPU.ArrayView<{Element(table.Item)}>"
            : Names.HostType(type);

    /// <summary>What a table's element is on a device: a bool is a byte.</summary>
    public static string Element(TableElement element) => element.IsBoolElement ? "byte" : Names.TableElement(element);

    /// <summary>The parameters of the call that Forward hands on, each after a comma.</summary>
    public static string OfCore(AttentionSpec spec) =>
        string.Concat(spec.Arguments.Select(argument => $", {Type(argument.Type)} {Names.Argument(argument.Name)}"));

    /// <summary>The arguments that kernels take: those of masks and score changes, and the sink.</summary>
    public static IReadOnlyList<Argument> OfKernels(AttentionSpec spec)
    {
        HashSet<string> ofMods = new(ArgumentUse.OfMods(spec).Select(argument => argument.Name));
        return spec
            .Arguments.Where(argument => ofMods.Contains(argument.Name) || spec.Sink && argument.Name == "sink")
            .ToList();
    }

    /// <summary>The parameters of a kernel, each after a comma.</summary>
    public static string OfKernel(AttentionSpec spec) =>
        string.Concat(OfKernels(spec).Select(argument => ", " + Field(argument)));

    /// <summary>A kernel's own parameters handed on, each after a comma.</summary>
    public static string HandedOn(AttentionSpec spec) =>
        string.Concat(OfKernels(spec).Select(argument => ", " + Names.Argument(argument.Name)));

    /// <summary>One of Forward's arguments as a kernel takes it.</summary>
    public static string PassedOne(Argument argument) =>
        argument.Type is ArgumentType.ScalarArgument { Item: { IsBool: true } }
            ? $"(byte)({Names.Argument(argument.Name)} ? 1 : 0)"
            : Names.Argument(argument.Name);

    // A kernel's parameter, or a field that keeps it.
    private static string Field(Argument argument) => $"{KernelType(argument.Type)} {Names.Argument(argument.Name)}";

    /// <summary>The fields of a struct that keeps a kernel's own parameters, each on a line of its own after the last.</summary>
    public static string Fields(AttentionSpec spec) =>
        string.Concat(OfKernels(spec).Select(argument => $"\n    public {Field(argument)};"));

    /// <summary>That struct, made of a kernel's own parameters.</summary>
    public static string Struct(AttentionSpec spec) =>
        OfKernels(spec).Count == 0
            ? "default"
            : "new() { "
                + string.Join(
                    ", ",
                    OfKernels(spec)
                        .Select(argument => $"{Names.Argument(argument.Name)} = {Names.Argument(argument.Name)}")
                )
                + " }";

    /// <summary>The type of a portable kernel's parameter for all arguments.</summary>
    public static string ChainType(AttentionSpec spec) =>
        Chain(
            spec,
            "int",
            (argument, rest) => $"global::FlashGen.Support.PortableArguments<{KernelType(argument.Type)}, {rest}>"
        );

    /// <summary>Forward's arguments as that parameter.</summary>
    public static string PassedChain(AttentionSpec spec) =>
        Chain(spec, "0", (argument, rest) => $"new({PassedOne(argument)}, {rest})");

    /// <summary>Statements that take that parameter's value apart into the fields of a struct.</summary>
    public static string FromChain(AttentionSpec spec) =>
        string.Concat(
            OfKernels(spec)
                .Select(
                    (argument, i) =>
                        $" {Names.Argument(argument.Name)} = value.{string.Concat(Enumerable.Repeat("Rest.", i))}First;"
                )
        );

    /// <summary>Where a kernel's expression finds an argument: its name, `name.Part` of strides, or `name.Length` of a table.</summary>
    public static Func<string, string> InKernel(AttentionSpec spec)
    {
        HashSet<string> bools = new(
            spec.Arguments.Where(argument => argument.Type is ArgumentType.ScalarArgument { Item: { IsBool: true } })
                .Select(argument => argument.Name)
        );
        return name =>
        {
            if (name.EndsWith(Names.LengthPart, StringComparison.Ordinal))
                return $"PortableScalars.Length({Names.Argument(name.Substring(0, name.Length - Names.LengthPart.Length))})";
            if (bools.Contains(name))
                return $"({Names.Argument(name)} != 0)";
            int dot = name.IndexOf('.');
            return dot < 0 ? Names.Argument(name) : Names.Argument(name.Substring(0, dot)) + name.Substring(dot);
        };
    }

    private static string Chain(AttentionSpec spec, string end, Func<Argument, string, string> link) =>
        OfKernels(spec).Reverse().Aggregate(end, (rest, argument) => link(argument, rest));

    // A bool is no type of a kernel's parameter.
    private static string KernelType(ArgumentType type) =>
        type is ArgumentType.ScalarArgument { Item: { IsBool: true } } ? "byte" : Type(type);
}
