namespace FlashGen.Generators;

/// <summary>Names of the generator's steps, by which tests see what an edit runs again.</summary>
internal static class Steps
{
    public const string Parse = "Parse";
    public const string Declarations = "Declarations";
    public const string Substituted = "Substituted";
    public const string Accepted = "Accepted";
    public const string TuningFiles = "TuningFiles";
    public const string Tuned = "Tuned";
    public const string Stale = "Stale";
    public const string Panels = "Panels";
    public const string AmbiguousNames = "AmbiguousNames";
    public const string LeftToCompiler = "LeftToCompiler";
    public const string Settings = "Settings";
    public const string HasVariants = "HasVariants";
    public const string Diagnostics = "Diagnostics";
    public const string Stray = "Stray";
}
