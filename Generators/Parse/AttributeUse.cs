using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace FlashGen.Generators.Parse;

/// <summary>One use of an attribute of FlashGen: its values, and where each of them is written.</summary>
internal sealed class AttributeUse(AttributeData data)
{
    private readonly AttributeSyntax? _syntax = data.ApplicationSyntaxReference?.GetSyntax() as AttributeSyntax;

    /// <summary>The attribute's name without its suffix.</summary>
    public string Name { get; } =
        data.AttributeClass!.Name is var name && name.EndsWith("Attribute", StringComparison.Ordinal)
            ? name.Substring(0, name.Length - "Attribute".Length)
            : name;

    /// <summary>The compiler refuses this use and says so; a property's value that it cannot convert it leaves out.</summary>
    public bool RefusedByCompiler =>
        data.AttributeConstructor is null
        || data.ConstructorArguments.Any(IsError)
        || data.NamedArguments.Any(argument => IsError(argument.Value))
        || Written().Count(argument => argument.NameEquals is not null) != data.NamedArguments.Length;

    public SyntaxReference? Reference => data.ApplicationSyntaxReference;

    public Location? Location => _syntax?.GetLocation();

    /// <summary>The uses of FlashGen's attributes on a symbol, in source order within each of its parts.</summary>
    public static IEnumerable<AttributeUse> On(ISymbol symbol) =>
        symbol.GetAttributes().Where(data => IsOurs(data.AttributeClass)).Select(data => new AttributeUse(data));

    public static bool Has(ISymbol symbol, string name) => On(symbol).Any(use => use.Name == name);

    /// <summary>The values of a constructor parameter; several for a params array.</summary>
    public IReadOnlyList<object?> Values(int parameter)
    {
        var argument = data.ConstructorArguments[parameter];
        return argument.Kind == TypedConstantKind.Array
            ? argument.IsNull
                ? []
                : [.. argument.Values.Select(value => value.Value)]
            : [argument.Value];
    }

    public int ParameterCount => data.ConstructorArguments.Length;

    public int Int(int parameter) => (int)Values(parameter)[0]!;

    public float Float(int parameter) => (float)Values(parameter)[0]!;

    /// <summary>The value of a property, an enumeration's as its number, or null where it is not written.</summary>
    public int? Property(string name) => (int?)Named(name);

    /// <summary>Whether a bool property is given as true.</summary>
    public bool Flag(string name) => Named(name) is true;

    private object? Named(string name)
    {
        foreach (var argument in data.NamedArguments)
        {
            if (argument.Key == name)
                return argument.Value.Value;
        }
        return null;
    }

    /// <summary>Where a constructor argument is written, the nth one for a params array; else the attribute.</summary>
    public Location? ArgumentLocation(int parameter, int element = 0)
    {
        var name = data.AttributeConstructor?.Parameters[parameter].Name;
        var written = Written().Where(argument => argument.NameEquals is null).ToList();
        var named = written.Find(argument => argument.NameColon?.Name.Identifier.ValueText == name);
        var found = named ?? written.ElementAtOrDefault(parameter + element) ?? written.ElementAtOrDefault(parameter);
        return found?.Expression.GetLocation() ?? Location;
    }

    /// <summary>Where a property is given its value; else the attribute.</summary>
    public Location? PropertyLocation(string name) =>
        Written()
            .FirstOrDefault(argument => argument.NameEquals?.Name.Identifier.ValueText == name)
            ?.Expression.GetLocation()
        ?? Location;

    private IEnumerable<AttributeArgumentSyntax> Written() =>
        _syntax?.ArgumentList?.Arguments ?? Enumerable.Empty<AttributeArgumentSyntax>();

    private static bool IsError(TypedConstant constant) =>
        constant.Kind == TypedConstantKind.Error
        || (constant.Kind == TypedConstantKind.Array && !constant.IsNull && constant.Values.Any(IsError));

    private static bool IsOurs(INamedTypeSymbol? attribute) =>
        attribute
            is {
                ContainingType: null,
                ContainingNamespace: { Name: ModTypes.Namespace, ContainingNamespace.IsGlobalNamespace: true }
            };
}
