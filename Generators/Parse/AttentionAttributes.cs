using FlashGen.Dsl;
using FlashGen.Generators.Report;

namespace FlashGen.Generators.Parse;

/// <summary>What the [Attention] attributes of a class say together.</summary>
internal sealed record AttentionChoices(
    IReadOnlyList<HeadDims> Dims,
    IReadOnlyList<ElementType> Types,
    Alignment Align,
    TensorLayout Layout,
    IReadOnlyList<TargetKind> Targets
);

/// <summary>Reads the [Attention] attributes of a class.</summary>
internal static class AttentionAttributes
{
    /// <summary>The largest dimension that the language has.</summary>
    private const int LargestDimension = 1024;

    /// <summary>The largest dimension that a target takes today.</summary>
    private const int LargestOnTargets = 256;

    private const int DefaultTypes = 4 | 1;

    // In the order of the enumerations' bits.
    private static readonly ElementType[] AllTypes =
    [
        ElementType.Float16,
        ElementType.BFloat16,
        ElementType.Float32,
        ElementType.Float64,
    ];

    private static readonly TargetKind[] AllTargets =
    [
        TargetKind.Simd,
        TargetKind.Portable,
        TargetKind.Sm80,
        TargetKind.Sm90,
    ];

    private static readonly int EveryTarget = (1 << AllTargets.Length) - 1;

    public static AttentionChoices Parse(IReadOnlyList<AttributeUse> uses, ParseContext context)
    {
        var types = Flags(
            uses,
            "Types",
            DefaultTypes,
            AllTypes,
            "at least one of Float16, BFloat16, Float32 and Float64",
            context
        );
        var targets = Flags(
            uses,
            "Targets",
            EveryTarget,
            AllTargets,
            "at least one of Simd, Portable, Sm80 and Sm90",
            context
        );
        var align = Choice(uses, "Align", 2, "Alignment.BottomRight or Alignment.TopLeft", context);
        var layout = Choice(
            uses,
            "Layout",
            2,
            "TensorLayout.BatchHeadSequence or TensorLayout.BatchSequenceHead",
            context
        );
        CheckTargets(uses, types, targets, context);
        return new AttentionChoices(
            Dims(uses, context),
            types,
            align == 0 ? Alignment.BottomRight : Alignment.TopLeft,
            layout == 0 ? TensorLayout.BatchHeadSequence : TensorLayout.BatchSequenceHead,
            targets
        );
    }

    /// <summary>The targets that a number of FlashGen.Targets names; bits that name none are ignored.</summary>
    public static IReadOnlyList<TargetKind> TargetsOf(int bits) => Members(bits, AllTargets);

    public static bool IsEveryTarget(int bits) => bits == EveryTarget;

    private static List<HeadDims> Dims(IReadOnlyList<AttributeUse> uses, ParseContext context)
    {
        var dims = new List<HeadDims>();
        foreach (var use in uses)
        {
            var headDims = use.Values(0);
            var valueDim = use.Property("ValueDim") ?? 0;
            if (valueDim != 0 && !IsDimension(valueDim, "value", use, use.PropertyLocation("ValueDim"), context))
                continue;
            if (headDims.Count == 0)
                CheckOpen(use, uses, valueDim, context);
            for (var i = 0; i < headDims.Count; i++)
            {
                var headDim = (int)headDims[i]!;
                var at = use.ArgumentLocation(0, i);
                if (!IsDimension(headDim, "head", use, at, context))
                    continue;
                var pair = new HeadDims(headDim, valueDim == 0 ? headDim : valueDim);
                if (dims.Contains(pair))
                {
                    var shown = $"The head dimension {pair.HeadDim} with value dimension {pair.ValueDim}";
                    context.Report(DiagnosticCatalog.DeclaredTwice, at, shown);
                }
                else
                {
                    dims.Add(pair);
                }
            }
        }
        return dims;
    }

    private static bool IsDimension(
        int dimension,
        string what,
        AttributeUse use,
        Microsoft.CodeAnalysis.Location? at,
        ParseContext context
    )
    {
        if (dimension is >= 1 and <= LargestOnTargets)
            return true;
        var (largest, advice) = dimension is >= 1 and <= LargestDimension
            ? (LargestOnTargets, "the language allows 1024, but no target takes more than 256 yet, so split the heads")
            : (LargestDimension, "write the width of one head, which is 64 or 128 in most models");
        context.Report(DiagnosticCatalog.Dimension, at ?? use.Location, what, Show(dimension), Show(largest), advice);
        return false;
    }

    /// <summary>[Attention] without a number takes every head dimension, and so stands alone.</summary>
    private static void CheckOpen(
        AttributeUse use,
        IReadOnlyList<AttributeUse> uses,
        int valueDim,
        ParseContext context
    )
    {
        if (valueDim != 0)
        {
            context.Report(
                DiagnosticCatalog.Contradiction,
                use.PropertyLocation("ValueDim"),
                "A value dimension",
                "[Attention] without a head dimension",
                "without a number values are as wide as keys, so name the head dimension too"
            );
        }
        if (uses.Count > 1)
        {
            context.Report(
                DiagnosticCatalog.Contradiction,
                use.Location,
                "[Attention] without a head dimension",
                "another [Attention]",
                "it takes every head dimension up to 256 already, so remove one of them"
            );
        }
    }

    private static void CheckTargets(
        IReadOnlyList<AttributeUse> uses,
        IReadOnlyList<ElementType> types,
        IReadOnlyList<TargetKind> targets,
        ParseContext context
    )
    {
        if (targets.Count == 0)
            return;
        foreach (var type in types.Where(type => !targets.Any(target => Takes(target, type))))
        {
            context.Report(
                DiagnosticCatalog.NoTarget,
                (uses.FirstOrDefault(use => use.Property("Targets") is not null) ?? uses[0]).PropertyLocation(
                    "Targets"
                ),
                string.Join(", ", targets),
                type.ToString(),
                "Simd or Portable"
            );
        }
    }

    /// <summary>Tensor cores multiply 16-bit numbers; float32 waits for a path of equal accuracy (DESIGN 7).</summary>
    private static bool Takes(TargetKind target, ElementType type) =>
        target.IsSimd || target.IsPortable || type.IsFloat16 || type.IsBFloat16;

    private static IReadOnlyList<T> Flags<T>(
        IReadOnlyList<AttributeUse> uses,
        string property,
        int whenMissing,
        T[] members,
        string allowed,
        ParseContext context
    )
    {
        var (use, bits) = Single(uses, property, context);
        if (use is null)
            return Members(whenMissing, members);
        if (bits != 0 && bits >> members.Length == 0)
            return Members(bits, members);
        context.Report(DiagnosticCatalog.Choice, use.PropertyLocation(property), property, Show(bits), allowed);
        return Members(whenMissing, members);
    }

    private static int Choice(
        IReadOnlyList<AttributeUse> uses,
        string property,
        int count,
        string allowed,
        ParseContext context
    )
    {
        var (use, number) = Single(uses, property, context);
        if (use is not null && (number < 0 || number >= count))
            context.Report(DiagnosticCatalog.Choice, use.PropertyLocation(property), property, Show(number), allowed);
        return number;
    }

    /// <summary>What the attributes say of a property; they may repeat it but not differ.</summary>
    private static (AttributeUse? Use, int Value) Single(
        IReadOnlyList<AttributeUse> uses,
        string property,
        ParseContext context
    )
    {
        var written = uses.Where(use => use.Property(property) is not null).ToList();
        if (written.Count == 0)
            return (null, 0);
        var first = written[0].Property(property)!.Value;
        foreach (var use in written.Where(use => use.Property(property) != first))
        {
            context.Report(
                DiagnosticCatalog.Contradiction,
                use.PropertyLocation(property),
                $"{property} of this [Attention]",
                "that of another one",
                "a class is one variant, so say it once, or declare two classes"
            );
        }
        return (written[0], first);
    }

    private static IReadOnlyList<T> Members<T>(int bits, T[] members) =>
        [.. members.Where((_, bit) => (bits & (1 << bit)) != 0)];

    private static string Show(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
