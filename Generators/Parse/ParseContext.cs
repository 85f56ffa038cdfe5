using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Parse;

/// <summary>What the parsers of one declaration share: the compilation, and the diagnostics that they find.</summary>
internal sealed class ParseContext(Compilation compilation, CancellationToken cancellation)
{
    private readonly List<DiagnosticRecord> _diagnostics = [];
    private readonly Dictionary<SyntaxTree, SemanticModel> _models = [];

    public Compilation Compilation { get; } = compilation;

    public CancellationToken Cancellation { get; } = cancellation;

    /// <summary>
    /// The compiler itself refuses some of this code and says so; the class is refused without a word of ours, so that one
    /// mistake gives one error.
    /// </summary>
    public bool RefusedByCompiler { get; private set; }

    /// <summary>Some error was found.</summary>
    public bool Rejected =>
        RefusedByCompiler
        || _diagnostics.Exists(record => DiagnosticCatalog.Find(record.Id).DefaultSeverity == DiagnosticSeverity.Error);

    /// <summary>What was found, once each: a helper that two mods call is walked twice.</summary>
    public FSharpList<DiagnosticRecord> Diagnostics => ListModule.OfSeq(_diagnostics.Distinct());

    public void Report(DiagnosticDescriptor rule, Location? location, params string[] arguments) =>
        _diagnostics.Add(DiagnosticRecord.Create(rule, Compilation, location, arguments));

    /// <summary>
    /// Takes back what was reported since there were so many diagnostics, if the compiler has errors in the same code: ours
    /// may be their consequences.
    /// </summary>
    public void YieldToCompiler(int since, IEnumerable<SyntaxNode> code)
    {
        if (_diagnostics.Count == since || !code.Any(HasErrors))
            return;
        _diagnostics.RemoveRange(since, _diagnostics.Count - since);
        LeaveToCompiler();
    }

    public int Count => _diagnostics.Count;

    public void LeaveToCompiler() => RefusedByCompiler = true;

    private bool HasErrors(SyntaxNode code) =>
        ModelOf(code.SyntaxTree)
            .GetDiagnostics(code.Span, Cancellation)
            .Any(diagnostic => diagnostic.DefaultSeverity == DiagnosticSeverity.Error);

    public SemanticModel ModelOf(SyntaxTree tree)
    {
        if (!_models.TryGetValue(tree, out var model))
        {
            model = Compilation.GetSemanticModel(tree);
            _models.Add(tree, model);
        }
        return model;
    }
}
