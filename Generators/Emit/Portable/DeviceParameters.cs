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

    /// <summary>The parameters of Forward, each after a comma.</summary>
    public static string Public(AttentionSpec spec) =>
        string.Concat(spec.Arguments.Select(argument => $", {Type(argument.Type)} {Keywords.Escape(argument.Name)}"));

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
        string.Concat(OfKernels(spec).Select(argument => $", {KernelType(argument.Type)} {KernelName(argument.Name)}"));

    /// <summary>A kernel's own parameters handed on, each after a comma.</summary>
    public static string HandedOn(AttentionSpec spec) =>
        string.Concat(OfKernels(spec).Select(argument => ", " + KernelName(argument.Name)));

    /// <summary>Forward's arguments as a kernel takes them, each after a comma.</summary>
    public static string Passed(AttentionSpec spec) =>
        string.Concat(OfKernels(spec).Select(argument => ", " + PassedOne(argument)));

    /// <summary>One of Forward's arguments as a kernel takes it.</summary>
    public static string PassedOne(Argument argument) =>
        argument.Type is ArgumentType.ScalarArgument { Item: { IsBool: true } }
            ? $"(byte)({Keywords.Escape(argument.Name)} ? 1 : 0)"
            : Keywords.Escape(argument.Name);

    /// <summary>A kernel's parameter, or a field that keeps it: type and name.</summary>
    public static string Field(Argument argument) => $"{KernelType(argument.Type)} {KernelName(argument.Name)}";

    /// <summary>Where a kernel's expression finds an argument: its name, `name.Part` of strides, or `lengthOf_name` of a table.</summary>
    public static Func<string, string> InKernel(AttentionSpec spec)
    {
        HashSet<string> bools = new(
            spec.Arguments.Where(argument => argument.Type is ArgumentType.ScalarArgument { Item: { IsBool: true } })
                .Select(argument => argument.Name)
        );
        return name =>
        {
            const string Length = "lengthOf_";
            if (name.StartsWith(Length, StringComparison.Ordinal))
                return $"PortableScalars.Length({KernelName(name.Substring(Length.Length))})";
            if (bools.Contains(name))
                return $"({KernelName(name)} != 0)";
            int dot = name.IndexOf('.');
            return dot < 0 ? KernelName(name) : KernelName(name.Substring(0, dot)) + name.Substring(dot);
        };
    }

    // A kernel's own names have no underscore in front.
    private static string KernelName(string argument) => "arg_" + argument;

    // A bool is no type of a kernel's parameter.
    private static string KernelType(ArgumentType type) =>
        type is ArgumentType.ScalarArgument { Item: { IsBool: true } } ? "byte" : Type(type);
}
