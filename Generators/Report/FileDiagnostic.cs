using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Report;

/// <summary>A diagnostic on a line of a file that is not C#, as a value.</summary>
/// <param name="Id">The rule.</param>
/// <param name="Path">The file.</param>
/// <param name="Line">The line, counted from 1.</param>
/// <param name="Arguments">What the message says.</param>
internal sealed record FileDiagnostic(string Id, string Path, int Line, FSharpList<string> Arguments)
{
    public Diagnostic ToDiagnostic()
    {
        var start = new LinePosition(Line - 1, 0);
        return Diagnostic.Create(
            DiagnosticCatalog.Find(Id),
            Location.Create(Path, default, new LinePositionSpan(start, start)),
            Arguments.ToArray<object>()
        );
    }
}
