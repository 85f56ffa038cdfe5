using Microsoft.CodeAnalysis;

namespace FlashGen.Generators.Report;

/// <summary>
/// Every rule that the generator reports. An id is never reused; each has a page in docs/rules/ and a test. Messages name
/// what was found and what to write instead.
/// </summary>
internal static class DiagnosticCatalog
{
    // The class.

    public static readonly DiagnosticDescriptor NotPartial = Error(
        "FG0001",
        "The class of a variant is partial",
        "'{0}' is not partial, and the generator writes its other half: declare it 'static partial class {0}'"
    );

    public static readonly DiagnosticDescriptor NotStatic = Error(
        "FG0002",
        "The class of a variant is static",
        "'{0}' is not static, and a variant has no instances: declare it 'static partial class {0}'"
    );

    public static readonly DiagnosticDescriptor Generic = Error(
        "FG0003",
        "The class of a variant is not generic",
        "'{0}' is generic, and kernels are written for one closed declaration: declare one class without type parameters per variant"
    );

    public static readonly DiagnosticDescriptor FileLocal = Error(
        "FG0004",
        "The class of a variant is not file-local",
        "'{0}' is file-local, and its generated half stands in another file: make it internal"
    );

    public static readonly DiagnosticDescriptor EnclosingNotPartial = Error(
        "FG0005",
        "The types around a variant are partial",
        "'{0}' is not partial, and the generator writes into '{1}' inside it: make '{0}' partial, or move '{1}' out of it"
    );

    public static readonly DiagnosticDescriptor Inaccessible = Error(
        "FG0006",
        "A variant is visible in its assembly",
        "'{0}' is {1}, and the assembly's index of variants names it: make it internal or public"
    );

    public static readonly DiagnosticDescriptor MemberTaken = Error(
        "FG0007",
        "The generated members' names are free",
        "'{0}' has '{1}' already, which the generator adds: rename yours"
    );

    // The attributes.

    public static readonly DiagnosticDescriptor Dimension = Error(
        "FG0008",
        "Head and value dimensions lie in range",
        "The {0} dimension {1} is outside 1 to {2}: {3}"
    );

    public static readonly DiagnosticDescriptor DeclaredTwice = Error(
        "FG0009",
        "Nothing is declared twice",
        "{0} is declared twice: remove one of them"
    );

    public static readonly DiagnosticDescriptor Contradiction = Error(
        "FG0010",
        "Attributes do not contradict each other",
        "{0} contradicts {1}: {2}"
    );

    public static readonly DiagnosticDescriptor SlidingWindow = Error(
        "FG0011",
        "A sliding window has a bound",
        "[SlidingWindow({0}, {1})] {2}: each side is a number of keys, 0 or more, or -1 for unbounded, and one of them is bounded"
    );

    public static readonly DiagnosticDescriptor ChunkSize = Error(
        "FG0012",
        "A chunk has keys",
        "[Chunked({0})] has no keys in a chunk: write a size of 1 or more"
    );

    public static readonly DiagnosticDescriptor SoftCap = Error(
        "FG0013",
        "A soft cap is finite and above 0",
        "[SoftCap({0})] is no bound: write a finite number above 0, or leave the attribute out"
    );

    public static readonly DiagnosticDescriptor Scale = Error(
        "FG0014",
        "A scale is finite",
        "[Scale({0})] is not finite: write a finite number, [Scale] for a run-time argument, or leave it out for 1 / sqrt(headDim)"
    );

    public static readonly DiagnosticDescriptor BlockSize = Error(
        "FG0015",
        "Block sizes are positive",
        "{0} of [BlockSize] is {1}: write {2}"
    );

    public static readonly DiagnosticDescriptor Choice = Error(
        "FG0016",
        "A choice is one of its enumeration",
        "{0} of [Attention] is {1}: write {2}"
    );

    public static readonly DiagnosticDescriptor NoTarget = Error(
        "FG0017",
        "Every element type has a target",
        "No target of {0} takes {1}: add {2} to Targets, or remove {1} from Types"
    );

    public static readonly DiagnosticDescriptor OverBudget = Error(
        "FG0018",
        "Block sizes fit the target",
        "[BlockSize({0}, {1})] does not fit: {2}"
    );

    // The mods.

    public static readonly DiagnosticDescriptor ModSignature = Error(
        "FG0019",
        "A mod has a mod's signature",
        "The {0} '{1}' {2}: write '{3}'"
    );

    public static readonly DiagnosticDescriptor ModOverloaded = Error(
        "FG0020",
        "A mod has no overloads",
        "The mod '{0}' shares its name with another method of the class: rename one of them"
    );

    public static readonly DiagnosticDescriptor ArgumentClash = Error(
        "FG0021",
        "An argument has one type",
        "The argument '{0}' is {1} here and {2} in {3}: parameters of one name are one argument, so give both one type, or rename one"
    );

    public static readonly DiagnosticDescriptor ArgumentReserved = Error(
        "FG0022",
        "An argument has a name of its own",
        "The argument '{0}' has the name of a parameter that the generated Forward has of its own: rename yours"
    );

    public static readonly DiagnosticDescriptor TableElement = Error(
        "FG0023",
        "A table's elements are of a mod's types",
        "Table<{0}> cannot be captured: its elements are bool, byte, int, uint, long or float{1}"
    );

    // The C# of a mod.

    public static readonly DiagnosticDescriptor Forbidden = Error(
        "FG0024",
        "A mod stays within the C# that every target has",
        "A mod cannot have {0}: {1}"
    );

    public static readonly DiagnosticDescriptor DoubleArithmetic = Error(
        "FG0025",
        "A mod computes in float",
        "A mod computes in float, and {0} is double: {1}"
    );

    public static readonly DiagnosticDescriptor InexactInMask = Error(
        "FG0026",
        "A mask uses exactly rounded operations",
        "A mask cannot use {0}, which no two targets round alike, and one unit in the last place would flip a pair: {1}"
    );

    public static readonly DiagnosticDescriptor Recursion = Error(
        "FG0027",
        "A mod does not recurse",
        "'{0}' calls itself{1}, and helpers are inlined: write the closed form, or read it from a Table"
    );

    public static readonly DiagnosticDescriptor HelperSource = Error(
        "FG0028",
        "A helper's source is in this project",
        "The source of '{0}' is not in this project but in {1}, and helpers are inlined from source: copy it into a static method of this project"
    );

    public static readonly DiagnosticDescriptor TooLarge = Error(
        "FG0029",
        "A mod is of moderate size",
        "The mod '{0}' {1}: read precomputed values from a Table instead"
    );

    // The build.

    public static readonly DiagnosticDescriptor Unoptimised = new(
        "FG0030",
        "Kernels are compiled with optimisation",
        "The kernels of '{0}' are compiled without optimisation and run 10 to 50 times slower: set <Optimize>true</Optimize> in the project, which FlashGen does unless FlashGenOptimize is false",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page("FG0030")
    );

    public static readonly DiagnosticDescriptor GeneratorFailure = Error(
        "FG0031",
        "The generator works",
        "The generator failed on '{0}', which is a fault of FlashGen and not of this code: please report it with this text: {1}"
    );

    public static readonly DiagnosticDescriptor Stray = new(
        "FG0032",
        "Mods and attributes belong to a variant",
        "{0} belongs to no variant, because '{1}' has no [Attention]: mark the class with it, or remove the attribute",
        Category,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        helpLinkUri: Page("FG0032")
    );

    public static readonly DiagnosticDescriptor UsesGeneratedCode = Error(
        "FG0033",
        "A mod stands on written code",
        "The mods of '{0}' use code that a source generator writes, which other generators cannot see: write that code by hand"
    );

    public static readonly DiagnosticDescriptor UnsafeBlocks = Error(
        "FG0034",
        "The project allows unsafe blocks",
        "Kernels work on pointers, and this project does not allow unsafe blocks: set <AllowUnsafeBlocks>true</AllowUnsafeBlocks>, which the package does where it is not overridden"
    );

    public static readonly DiagnosticDescriptor Language = Error(
        "FG0035",
        "The project's C# is recent",
        "Generated files are written in C# {1}, and this project is compiled as C# {0}: remove <LangVersion>, or set it to {1} or later"
    );

    // The tuning file.

    public static readonly DiagnosticDescriptor TuningFileFault = Warning(
        "FG0036",
        "The tuning file can be read",
        "This line of flashgen.plans is not used: {0}"
    );

    public static readonly DiagnosticDescriptor StalePlan = Warning(
        "FG0037",
        "A measured plan is of the variant as it is",
        "The plan that was measured for '{0}' is not used: {1}; flashgen tune measures it again"
    );

    // Names.

    public static readonly DiagnosticDescriptor NameHidden = Error(
        "FG0038",
        "Names that generated files use mean what they mean",
        "'{0}' of {1} hides what generated files call by that name: rename yours, or declare the variant in another namespace"
    );

    private const string Category = "FlashGen";

    private static readonly Dictionary<string, DiagnosticDescriptor> ById = All().ToDictionary(rule => rule.Id);

    /// <summary>The rule of an id.</summary>
    public static DiagnosticDescriptor Find(string id) => ById[id];

    /// <summary>Every rule, by id.</summary>
    public static IEnumerable<DiagnosticDescriptor> All() =>
        typeof(DiagnosticCatalog)
            .GetFields()
            .Select(field => field.GetValue(null))
            .OfType<DiagnosticDescriptor>()
            .OrderBy(rule => rule.Id, StringComparer.Ordinal);

    /// <summary>An error that nothing can turn off: the class that it refuses has no kernels.</summary>
    private static DiagnosticDescriptor Error(string id, string title, string message) =>
        new(
            id,
            title,
            message,
            Category,
            DiagnosticSeverity.Error,
            isEnabledByDefault: true,
            helpLinkUri: Page(id),
            customTags: WellKnownDiagnosticTags.NotConfigurable
        );

    private static DiagnosticDescriptor Warning(string id, string title, string message) =>
        new(id, title, message, Category, DiagnosticSeverity.Warning, isEnabledByDefault: true, helpLinkUri: Page(id));

    private static string Page(string id) => $"docs/rules/{id}.md";
}
