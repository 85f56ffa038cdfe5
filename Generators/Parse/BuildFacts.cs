using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace FlashGen.Generators.Parse;

/// <summary>What matters of a project's settings; equal by value.</summary>
/// <param name="Optimizes">The compiler optimises.</param>
/// <param name="AllowsUnsafe">Unsafe blocks are allowed: kernels work on pointers.</param>
/// <param name="Language">The version of C#, as the compiler numbers it.</param>
internal sealed record BuildFacts(bool Optimizes, bool AllowsUnsafe, LanguageVersion Language)
{
    /// <summary>What generated files are written in: C# 14, which the compiler that this is built against does not name yet.</summary>
    public const LanguageVersion Required = (LanguageVersion)1400;

    public bool CanCompileKernels => AllowsUnsafe && KnowsLanguage;

    public bool KnowsLanguage => Language >= Required;

    public static BuildFacts Of(Compilation compilation)
    {
        var language = (compilation as CSharpCompilation)?.LanguageVersion ?? LanguageVersion.Default;
        var unsafely = compilation.Options is CSharpCompilationOptions { AllowUnsafe: true };
        return new BuildFacts(
            compilation.Options.OptimizationLevel == OptimizationLevel.Release,
            unsafely,
            language.MapSpecifiedToEffectiveVersion()
        );
    }

    /// <summary>What keeps kernels from being compiled: told once for a project, not for each of its variants.</summary>
    public IEnumerable<Diagnostic> Diagnostics()
    {
        if (!AllowsUnsafe)
            yield return Diagnostic.Create(DiagnosticCatalog.UnsafeBlocks, Location.None);
        if (!KnowsLanguage)
        {
            yield return Diagnostic.Create(
                DiagnosticCatalog.Language,
                Location.None,
                Language.ToDisplayString(),
                Required.ToDisplayString()
            );
        }
    }
}
