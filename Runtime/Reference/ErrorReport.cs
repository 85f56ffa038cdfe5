using System.Globalization;

namespace FlashGen;

/// <summary>How one tensor compares with the reference under <see cref="ErrorRule"/>.</summary>
/// <param name="Passed">Whether every element is within its tolerance.</param>
/// <param name="Error">The worst element's |ours - reference|; infinite where one is NaN or infinite and the other is not.</param>
/// <param name="Tolerance">What that element was allowed.</param>
/// <param name="Actual">Ours at that element.</param>
/// <param name="Expected">The reference at that element.</param>
/// <param name="Batch">The batch entry of that element.</param>
/// <param name="Head">The query head of that element.</param>
/// <param name="Row">The query row of that element.</param>
/// <param name="Dim">The place in the output row; 0 for log-sum-exp.</param>
/// <param name="Elements">How many elements were compared.</param>
public sealed record ErrorFigure(
    bool Passed,
    double Error,
    double Tolerance,
    double Actual,
    double Expected,
    int Batch,
    int Head,
    int Row,
    int Dim,
    long Elements
)
{
    /// <summary>The figure in one line.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(Passed ? "within" : "beyond")} tolerance: error {Error:g3}, allowed {Tolerance:g3}, at batch {Batch}, head {Head}, row {Row}, dim {Dim}: {Actual:g9} for {Expected:g9}"
        );
}

/// <summary>How a result compares with the reference under <see cref="ErrorRule"/>.</summary>
/// <param name="Output">The output.</param>
/// <param name="LogSumExp">The log-sum-exp; null when there was none to compare.</param>
public sealed record ErrorReport(ErrorFigure Output, ErrorFigure? LogSumExp)
{
    /// <summary>Rows that were left out, because their scores are beyond <see cref="ErrorRule.LargestScore"/>.</summary>
    public long RowsNotJudged { get; init; }

    /// <summary>Whether both are within their tolerances.</summary>
    public bool Passed => Output.Passed && LogSumExp is null or { Passed: true };

    /// <summary>The figures, one a line, and how many rows were not judged where there are some.</summary>
    public override string ToString() =>
        $"output {Output}"
        + (LogSumExp is null ? "" : $"\nlog-sum-exp {LogSumExp}")
        + (
            RowsNotJudged == 0
                ? ""
                : $"\n{RowsNotJudged} rows not judged: their scores are too large to multiply by log2(e)"
        );
}
