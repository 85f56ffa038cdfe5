using FlashGen.Kernels;

namespace FlashGen.Tool.Variants;

/// <summary>The variants that a command works on: the gallery's, or those of the assembly given.</summary>
internal sealed class VariantCatalog
{
    private const int MostSuggestions = 5;

    private VariantCatalog(string? assembly, IReadOnlyList<AttentionVariant> variants)
    {
        Source = assembly is null ? "FlashGen.Kernels" : Path.GetFileName(assembly);
        Option = assembly is null ? "" : $" --assembly {assembly}";
        Variants = variants;
    }

    /// <summary>Where they come from, for headings.</summary>
    public string Source { get; }

    /// <summary>What a command line says to have them, with a space before it; nothing for the gallery.</summary>
    public string Option { get; }

    /// <summary>The variants, in ordinal order of their names.</summary>
    public IReadOnlyList<AttentionVariant> Variants { get; }

    /// <summary>The variants of an assembly; null means the gallery.</summary>
    public static VariantCatalog Open(string? assembly) =>
        assembly is null
            ? new(null, AttentionVariant.In(typeof(Causal).Assembly))
            : new(assembly, VariantAssembly.Load(assembly));

    /// <summary>The variants of an assembly that the command line names by itself, without an option.</summary>
    public static VariantCatalog OfFile(string path) => new(path, VariantAssembly.Load(path, ""));

    /// <summary>The name without namespace and enclosing classes.</summary>
    public static string ShortName(AttentionVariant variant) =>
        variant.Name[(variant.Name.LastIndexOfAny(['.', '+']) + 1)..];

    /// <summary>A variant by its full name or the end of it, such as Causal for FlashGen.Kernels.Causal; case counts only between two that differ by it.</summary>
    /// <exception cref="ToolException">None has the name, or several.</exception>
    public AttentionVariant Find(string name)
    {
        foreach (
            StringComparison comparison in (StringComparison[])
                [StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase]
        )
        {
            AttentionVariant[] whole = [.. Variants.Where(v => v.Name.Equals(name, comparison))];
            AttentionVariant[] found =
                whole.Length != 0 ? whole : [.. Variants.Where(v => EndsIn(v.Name, name, comparison))];
            if (found.Length == 1)
                return found[0];
            if (found.Length > 1)
                throw new ToolException(
                    $"'{name}' is several variants of {Source}: {string.Join(", ", found.Select(v => v.Name))}. Give more of the name."
                );
        }
        string[] near = Near(name);
        throw new ToolException(
            $"{Source} has no variant '{name}'. "
                + (near.Length != 0 ? $"Did you mean {string.Join(" or ", near)}? " : "")
                + $"`flashgen list{Option}` shows all."
        );
    }

    private static bool EndsIn(string name, string end, StringComparison comparison) =>
        end.Length != 0
        && name.Length > end.Length
        && name.EndsWith(end, comparison)
        && name[name.Length - end.Length - 1] is '.' or '+';

    private string[] Near(string name) =>
        [
            .. Variants
                .Select(v =>
                    (Name: ShortName(v), Distance: Distance(ShortName(v).ToLowerInvariant(), name.ToLowerInvariant()))
                )
                .Where(v =>
                    v.Distance <= Math.Max(2, name.Length / 3)
                    || (name.Length > 2 && v.Name.Contains(name, StringComparison.OrdinalIgnoreCase))
                )
                .OrderBy(v => v.Distance)
                .ThenBy(v => v.Name, StringComparer.Ordinal)
                .Select(v => v.Name)
                .Distinct(StringComparer.Ordinal)
                .Take(MostSuggestions),
        ];

    // Levenshtein: letters to add, drop or change.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
