using System.Reflection;
using System.Runtime.Loader;
using FlashGen.Dsl;
using FlashGen.Generators.Emit;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.FSharp.Collections;

namespace FlashGen.Tool.Tune;

/// <summary>What a candidate came to before it could be timed.</summary>
internal sealed class CandidateException(TuneOutcome outcome, string message) : Exception(message)
{
    public TuneOutcome Outcome { get; } = outcome;
}

/// <summary>
/// A variant with one plan in place of the planner's: emitted by the generator's own code, compiled in memory and loaded. It has no mods of
/// its own, so the reference is asked of the user's variant, never of this one.
/// </summary>
internal sealed class CandidateBuild : IDisposable
{
    private const string Namespace = "FlashGen.Tuning";
    private const string ClassName = "Candidate";

    private static readonly Lazy<IReadOnlyList<MetadataReference>> References = new(FindReferences);

    private readonly AssemblyLoadContext context;

    private CandidateBuild(AssemblyLoadContext context, AttentionVariant variant) =>
        (this.context, Variant) = (context, variant);

    /// <summary>The variant, to be called by name.</summary>
    public AttentionVariant Variant { get; }

    /// <summary>Builds a variant with a plan.</summary>
    /// <param name="spec">The user's spec.</param>
    /// <param name="plan">The plan; null leaves it to the planner.</param>
    /// <param name="dims">The dimensions of the kernel that is wanted: of a variant for any, no device kernels of others are written.</param>
    /// <param name="target">The target to write kernels for.</param>
    /// <param name="type">The element type to write kernels for.</param>
    /// <exception cref="CandidateException">The plan is refused, or its kernels do not compile.</exception>
    public static CandidateBuild Create(
        AttentionSpec spec,
        TilePlan? plan,
        HeadDims dims,
        TargetKind target,
        Dsl.ElementType type
    )
    {
        if (spec.Dims.IsEmpty && !target.IsSimd)
        {
            dims = new(dims.ValueDim, dims.ValueDim);
            plan = plan is null ? null : PlanCandidates.transfer(type, dims, plan.ShapeClass, plan);
        }
        Dsl.Declaration declaration = Declare(Narrow(spec, plan, dims, target, type), plan);
        string[] files;
        try
        {
            files =
            [
                SurfaceEmitter.Emit(declaration),
                .. KernelEmitter.Emit(declaration).Select(file => file.Text),
                .. PanelsEmitter
                    .Emit([.. PanelsEmitter.Needs(declaration).Order(StringComparer.Ordinal)])
                    .Select(file => file.Text),
            ];
        }
        catch (InvalidOperationException e)
        {
            throw new CandidateException(TuneOutcome.Refused, e.Message);
        }
        AssemblyLoadContext context = new(ClassName, isCollectible: true);
        AttentionVariant variant = AttentionVariant.In(Load(context, Compile(files))).Single();
        if (plan is not null && !variant.Plans.Any(info => info.Canonical == PlanText.print(plan)))
            throw new CandidateException(TuneOutcome.Refused, "No kernel of the variant takes this plan.");
        return new(context, variant);
    }

    /// <inheritdoc/>
    public void Dispose() => context.Unload();

    // Of the variant only what the candidate is about; device kernels of tensor cores need the portable ones beside them.
    private static AttentionSpec Narrow(
        AttentionSpec spec,
        TilePlan? plan,
        HeadDims dims,
        TargetKind target,
        Dsl.ElementType type
    )
    {
        TargetKind[] targets = target.IsSimd || target.IsPortable ? [target] : [TargetKind.Portable, target];
        bool keepsDims = target.IsSimd ? plan is null || spec.Dims.IsEmpty : !spec.Dims.IsEmpty;
        return new(
            $"{Namespace}.{ClassName}",
            keepsDims ? spec.Dims : ListModule.OfArray(new[] { dims }),
            ListModule.OfArray(new[] { type }),
            spec.Align,
            spec.Layout,
            ListModule.OfArray(targets),
            spec.Scale,
            spec.Scores,
            spec.Masks,
            spec.Sink,
            spec.Dropout,
            FSharpList<BlockSize>.Empty,
            spec.Arguments
        );
    }

    private static Dsl.Declaration Declare(AttentionSpec spec, TilePlan? plan) =>
        new(
            spec,
            Namespace,
            ListModule.OfArray(new[] { new PartialType("public static partial", "class", ClassName) }),
            "public",
            FSharpList<ModMethod>.Empty,
            true,
            false,
            plan is null
                ? FSharpList<TunedPlan>.Empty
                : ListModule.OfArray(new[] { new TunedPlan("candidate", plan, 1, 1) })
        );

    private static MemoryStream Compile(IEnumerable<string> files)
    {
        CSharpParseOptions parsing = new(LanguageVersion.Latest);
        CSharpCompilation compilation = CSharpCompilation.Create(
            $"{Namespace}.{Guid.NewGuid():N}",
            files.Select(file => CSharpSyntaxTree.ParseText(file, parsing)),
            References.Value,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                optimizationLevel: OptimizationLevel.Release,
                allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Enable
            )
        );
        MemoryStream image = new();
        var result = compilation.Emit(image);
        if (!result.Success)
        {
            Diagnostic error = result.Diagnostics.First(found => found.Severity == DiagnosticSeverity.Error);
            throw new CandidateException(TuneOutcome.Failed, $"It does not compile: {error}");
        }
        image.Position = 0;
        return image;
    }

    private static Assembly Load(AssemblyLoadContext context, MemoryStream image)
    {
        using (image)
            return context.LoadFromStream(image);
    }

    // What the tool itself runs on: a machine needs no SDK.
    private static IReadOnlyList<MetadataReference> FindReferences()
    {
        string trusted = (string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "";
        return
        [
            .. trusted
                .Split(Path.PathSeparator)
                .Where(path =>
                    Path.GetFileNameWithoutExtension(path) is { } name
                    && (
                        name.StartsWith("System.", StringComparison.Ordinal)
                        || name is "netstandard" or "mscorlib" or "FlashGen" or "ILGPU"
                    )
                )
                .Select(path => MetadataReference.CreateFromFile(path)),
        ];
    }
}
