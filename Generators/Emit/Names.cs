using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;

namespace FlashGen.Generators.Emit;

/// <summary>The C# names of what a declaration speaks of.</summary>
internal static class Names
{
    public static string Element(ElementType type) =>
        type.Tag switch
        {
            ElementType.Tags.Float16 => "global::System.Half",
            ElementType.Tags.BFloat16 => "global::FlashGen.BFloat16",
            ElementType.Tags.Float32 => "float",
            _ => "double",
        };

    /// <summary>The type of a log-sum-exp (semantics 9).</summary>
    public static string LogSumExp(ElementType type) => type.IsFloat64 ? "double" : "float";

    public static string TableElement(TableElement element) =>
        element.Tag switch
        {
            Dsl.TableElement.Tags.BoolElement => "bool",
            Dsl.TableElement.Tags.ByteElement => "byte",
            Dsl.TableElement.Tags.IntElement => "int",
            Dsl.TableElement.Tags.UIntElement => "uint",
            Dsl.TableElement.Tags.LongElement => "long",
            _ => "float",
        };

    public static string Scalar(ScalarType type) => new ScalarDialect().TypeName(type);

    /// <summary>A parameter's type in Forward on the CPU.</summary>
    public static string HostType(ArgumentType type) =>
        type switch
        {
            ArgumentType.TableArgument table => $"global::System.ReadOnlySpan<{TableElement(table.Item)}>",
            ArgumentType.ScalarArgument scalar => Scalar(scalar.Item),
            { IsBiasStridesArgument: true } => "global::FlashGen.BiasStrides",
            _ => "global::FlashGen.Dropout",
        };

    /// <summary>The value of an argument taken from a ModArguments.</summary>
    public static string FromArguments(Argument argument, string arguments) =>
        argument.Type switch
        {
            ArgumentType.TableArgument table =>
                $"{arguments}.Values<{TableElement(table.Item)}>(\"{argument.Name}\").Span",
            _ => $"{arguments}.Scalar<{HostType(argument.Type)}>(\"{argument.Name}\")",
        };

    /// <summary>
    /// A run-time argument as generated bodies call it. None of their own names begins so: whatever a user calls an argument, it meets no other name.
    /// </summary>
    public static string Argument(string name) => ArgumentPrefix + name;

    public const string ArgumentPrefix = "arg_";

    /// <summary>What follows the name of a table whose length is meant, as `.Batch` follows that of strides.</summary>
    public const string LengthPart = ".Length";

    /// <summary>The argument list `a, b, c` of a declaration's run-time arguments, each after a comma.</summary>
    public static string Pass(Declaration declaration) =>
        string.Concat(declaration.Spec.Arguments.Select(argument => ", " + Keywords.Escape(argument.Name)));

    /// <summary>The parameters of a declaration's run-time arguments, each after a comma, as users see them.</summary>
    public static string HostParameters(Declaration declaration) =>
        string.Concat(
            declaration.Spec.Arguments.Select(argument =>
                $", {HostType(argument.Type)} {Keywords.Escape(argument.Name)}"
            )
        );

    /// <summary>
    /// The text inside a declaration's namespace and partial types, which it opens and closes. What it uses stands inside the namespace too,
    /// from global:: on: there nothing around that namespace hides it, be it called Math or System.
    /// </summary>
    /// <param name="declaration">The declaration.</param>
    /// <param name="usings">What the text uses.</param>
    /// <param name="body">The text.</param>
    /// <param name="attributes">The assembly's attributes, each with a blank line behind it.</param>
    /// <param name="withModifiers">Whether the types' modifiers are repeated.</param>
    public static string InType(
        Declaration declaration,
        string usings,
        string body,
        string attributes = "",
        bool withModifiers = false
    )
    {
        int depth = 0;
        List<string> open = new(),
            close = new();
        foreach (PartialType type in declaration.Types)
        {
            string margin = new(' ', 4 * depth++);
            string modifiers = withModifiers && type.Modifiers.Length > 0 ? type.Modifiers : "partial";
            open.Add($"{margin}{modifiers} {type.Keyword} {type.TypeName}\n{margin}{{");
            close.Insert(0, margin + "}");
        }
        string head =
            declaration.Namespace.Length > 0
                ? $"{attributes}namespace {declaration.Namespace};\n\n{usings}\n\n"
                : $"{usings}\n\n{attributes}";
        return head
            + string.Join("\n", open)
            + "\n"
            + CodeText.Indent(body, depth)
            + "\n"
            + string.Join("\n", close)
            + "\n";
    }
}
