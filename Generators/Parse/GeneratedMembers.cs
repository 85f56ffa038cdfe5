using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;

namespace FlashGen.Generators.Parse;

/// <summary>The members that the generator adds to a class: what the class must not have already.</summary>
internal static class GeneratedMembers
{
    /// <summary>The parameters that Forward has of its own, on the CPU or on a device; the user's arguments have other names.</summary>
    public static readonly IReadOnlyList<string> ForwardParameters =
    [
        "query",
        "key",
        "value",
        "output",
        "shape",
        "logSumExp",
        "options",
        "stream",
        "workspace",
        "fault",
        "tileCounts",
    ];

    private const string Forward = "Forward";
    private const string Load = "Load";

    /// <summary>The names of all generated members, private ones included; a test holds the emitters to them.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "Variant",
        "Describe",
        "DescribeCore",
        "Kernels",
        Forward,
        "ForwardCore",
        Load,
        "NamedCalls",
        "Probe",
        "SimdArguments",
        "Simd128",
        "Simd256",
        "Simd512",
        "SimdWide128",
        "SimdWide256",
        "SimdWide512",
    ];

    /// <summary>
    /// What generated files call by its name alone: types that they use, and short names for vectors. A test holds the emitters to them.
    /// </summary>
    public static readonly IReadOnlyList<string> UsedNames =
    [
        "_",
        "AcceleratorStream",
        "Alignment",
        "ArgumentInfo",
        "ArgumentKind",
        "ArgumentNullException",
        "ArrayView",
        "AttentionKernels",
        "AttentionOptions",
        "AttentionShape",
        "CallCheck",
        "ElementType",
        "ElementTypes",
        "FaultReport",
        "Floats",
        "Group",
        "Group16",
        "Group32",
        "Group64",
        "Group128",
        "Group256",
        "InvalidOperationException",
        "Ints",
        "KernelArguments",
        "KernelConfig",
        "Lanes",
        "Longs",
        "MaskDelegate",
        "Math",
        "MethodImpl",
        "MethodImplOptions",
        "MicroKernels",
        "ModArguments",
        "NoProbe",
        "NotSupportedException",
        "PhiloxKeys",
        "PlanInfo",
        "Position",
        "ReadOnlySpan",
        "ScoreDelegate",
        "Span",
        "Target",
        "TargetRefusal",
        "TensorLayout",
        "TileKind",
        "UInts",
        "V",
        "VariantEntry",
    ];

    // What the names of FlashGen.Support's types begin with that only generated files call by them.
    private static readonly string[] KernelTypes = ["Portable", "Simd", "Tensor"];

    /// <summary>Reports members of the user's that are in the way; true when there is none.</summary>
    public static bool AreFree(INamedTypeSymbol type, AttentionSpec spec, ParseContext context)
    {
        var free = true;
        foreach (var member in type.GetMembers().Where(member => IsTaken(member, spec)))
        {
            context.Report(DiagnosticCatalog.MemberTaken, PlaceOf(member), type.Name, member.Name);
            free = false;
        }
        if (Names.Contains(type.Name))
        {
            // A member cannot be named as the type around it.
            context.Report(DiagnosticCatalog.MemberTaken, ClassShape.NameOf(type), type.Name, type.Name);
            free = false;
        }
        foreach (var (name, around, place) in Hiding(type, context.Compilation))
        {
            context.Report(DiagnosticCatalog.NameHidden, place, name, around);
            free = false;
        }
        return free;
    }

    // What stands nearer to generated code than what it uses: members of the class and of the types around it, and what its namespace has.
    // Namespaces further out hide nothing, for files name what they use inside the innermost one.
    private static IEnumerable<(string Name, string Around, Location? Place)> Hiding(
        INamedTypeSymbol type,
        Compilation compilation
    )
    {
        var support = compilation.GetTypeByMetadataName("FlashGen.Support.CallCheck")?.ContainingNamespace;
        for (INamedTypeSymbol? scope = type; scope is not null; scope = scope.ContainingType)
            foreach (
                var member in scope
                    .GetMembers()
                    .Concat(Inherited(scope))
                    .Where(member => !member.IsImplicitlyDeclared && IsUsed(member.Name, support))
            )
                yield return (member.Name, member.ContainingType.Name, PlaceOf(member) ?? PlaceOf(type));
        var home = type.ContainingNamespace;
        foreach (var member in home.GetMembers().Where(member => IsUsed(member.Name, support)))
            yield return (
                member.Name,
                home.IsGlobalNamespace ? "the global namespace" : home.ToDisplayString(),
                PlaceOf(member)
            );
    }

    // What a type that stands around a variant has from others.
    private static IEnumerable<ISymbol> Inherited(INamedTypeSymbol type)
    {
        // Members of the interfaces of an interface are its own; those of a class are not.
        foreach (var other in type.AllInterfaces.Where(_ => type.TypeKind == TypeKind.Interface))
        foreach (var member in other.GetMembers())
            yield return member;
        for (
            var other = type.BaseType;
            other is not null && other.SpecialType != SpecialType.System_Object;
            other = other.BaseType
        )
            foreach (
                var member in other.GetMembers().Where(member => member.DeclaredAccessibility != Accessibility.Private)
            )
                yield return member;
    }

    // Beside those names, FlashGen.Support's types of kernels.
    private static bool IsUsed(string name, INamespaceSymbol? support) =>
        UsedNames.Contains(name)
        || KernelTypes.Any(start => name.StartsWith(start, StringComparison.Ordinal))
            && support is not null
            && !support.GetTypeMembers(name).IsEmpty;

    private static bool IsTaken(ISymbol member, AttentionSpec spec) =>
        !member.IsImplicitlyDeclared
        && Names.Contains(member.Name)
        && member switch
        {
            // Overloads of one's own are welcome.
            IMethodSymbol { Name: Forward } method => spec.Types.Any(type =>
                HasParameters(method, ForwardTypes(type, spec))
            ),
            IMethodSymbol { Name: Load } method => HasParameters(method, ["ILGPU.Runtime.Accelerator"]),
            _ => true,
        };

    private static bool HasParameters(IMethodSymbol method, IReadOnlyList<string> types) =>
        method.Arity == 0 && method.Parameters.Select(parameter => TypeName(parameter.Type)).SequenceEqual(types);

    private static string TypeName(ITypeSymbol type) =>
        type.WithNullableAnnotation(NullableAnnotation.None)
            .ToDisplayString(SymbolDisplayFormat.CSharpErrorMessageFormat)
            .Replace("?", "");

    private static IReadOnlyList<string> ForwardTypes(ElementType type, AttentionSpec spec)
    {
        var element =
            type.IsFloat16 ? "System.Half"
            : type.IsBFloat16 ? "FlashGen.BFloat16"
            : type.IsFloat32 ? "float"
            : "double";
        var input = $"System.ReadOnlySpan<{element}>";
        var logSumExp = type.IsFloat64 ? "System.Span<double>" : "System.Span<float>";
        return
        [
            input,
            input,
            input,
            $"System.Span<{element}>",
            "FlashGen.AttentionShape",
            .. spec.Arguments.Select(argument => ForwardType(argument.Type)),
            logSumExp,
            "FlashGen.AttentionOptions",
        ];
    }

    private static string ForwardType(ArgumentType type) =>
        type switch
        {
            ArgumentType.TableArgument => ModTypes.Show(type).Replace("Table<", "System.ReadOnlySpan<"),
            ArgumentType.ScalarArgument => ModTypes.Show(type),
            _ => $"FlashGen.{ModTypes.Show(type)}",
        };

    private static Location? PlaceOf(ISymbol member) =>
        member.Locations.FirstOrDefault(location => location.IsInSource);
}
