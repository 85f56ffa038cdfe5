using FlashGen.Dsl;
using Microsoft.CodeAnalysis;

namespace FlashGen.Generators.Parse;

/// <summary>The types of the C# of a mod, and the types of FlashGen that it meets.</summary>
internal static class ModTypes
{
    public const string Namespace = "FlashGen";

    /// <summary>
    /// The type of expressions that a C# type becomes, or null for one that no mod may compute with. A byte, which only
    /// tables, constants and enumerations give, is an int; an enumeration is its numbers.
    /// </summary>
    public static ScalarType? ScalarOf(ITypeSymbol? type) =>
        Underlying(type) switch
        {
            SpecialType.System_Boolean => ScalarType.Bool,
            SpecialType.System_Byte or SpecialType.System_Int32 => ScalarType.Int,
            SpecialType.System_UInt32 => ScalarType.UInt,
            SpecialType.System_Int64 => ScalarType.Long,
            SpecialType.System_Single => ScalarType.Float,
            _ => null,
        };

    /// <summary>Whether values of a type are bytes: ints from 0 to 255.</summary>
    public static bool IsByte(ITypeSymbol? type) => Underlying(type) == SpecialType.System_Byte;

    private static SpecialType? Underlying(ITypeSymbol? type) =>
        type is INamedTypeSymbol { EnumUnderlyingType: { } numbers } ? numbers.SpecialType : type?.SpecialType;

    /// <summary>The element of a table that a C# type is, or null for one that cannot be captured.</summary>
    public static TableElement? ElementOf(ITypeSymbol type) =>
        type.SpecialType switch
        {
            SpecialType.System_Boolean => TableElement.BoolElement,
            SpecialType.System_Byte => TableElement.ByteElement,
            SpecialType.System_Int32 => TableElement.IntElement,
            SpecialType.System_UInt32 => TableElement.UIntElement,
            SpecialType.System_Int64 => TableElement.LongElement,
            SpecialType.System_Single => TableElement.FloatElement,
            _ => null,
        };

    public static bool IsPosition(ITypeSymbol? type) =>
        IsOurs(type, "Position") && type is INamedTypeSymbol { Arity: 0 };

    public static bool IsTable(ITypeSymbol? type) => IsOurs(type, "Table") && type is INamedTypeSymbol { Arity: 1 };

    /// <summary>The field of a position that a property of FlashGen.Position is, or null.</summary>
    public static Field? FieldOf(string property) =>
        property switch
        {
            "Batch" => Field.Batch,
            "Head" => Field.Head,
            "KeyHead" => Field.KeyHead,
            "Query" => Field.Query,
            "QueryPosition" => Field.QueryPosition,
            "Key" => Field.Key,
            "QueryLength" => Field.QueryLength,
            "KeyLength" => Field.KeyLength,
            _ => null,
        };

    /// <summary>A type as the user writes it.</summary>
    public static string Show(ITypeSymbol type) =>
        type.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat);

    /// <summary>The type of an argument as the user writes it.</summary>
    public static string Show(ArgumentType type) =>
        type switch
        {
            ArgumentType.TableArgument table => $"Table<{Show(table.Item)}>",
            ArgumentType.ScalarArgument scalar => Show(scalar.Item),
            _ when type.IsBiasStridesArgument => "BiasStrides",
            _ => "Dropout",
        };

    public static string Show(ScalarType type) =>
        type.IsBool ? "bool"
        : type.IsInt ? "int"
        : type.IsUInt ? "uint"
        : type.IsLong ? "long"
        : "float";

    private static string Show(TableElement element) =>
        element.IsByteElement ? "byte" : Show(ExprModule.elementType(element));

    private static bool IsOurs(ITypeSymbol? type, string name) =>
        type is { Name: var found, ContainingType: null, ContainingNamespace: var space }
        && found == name
        && space is { Name: Namespace, ContainingNamespace.IsGlobalNamespace: true };
}
