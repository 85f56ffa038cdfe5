using System.Diagnostics;
using System.Globalization;
using FlashGen.Tool.Commands;
using Spectre.Console;

namespace FlashGen.Tool.Tune;

/// <summary>Told how a tuning goes.</summary>
internal interface ITuneProgress
{
    /// <summary>Candidates of a kernel and class start.</summary>
    void Begin(TuneKernel kernel, int candidates);

    /// <summary>So many are left, and the best takes this share of the planner's time.</summary>
    void Racing(int left, double best);

    /// <summary>The plan of a kernel and class.</summary>
    void Chosen(TuneRecord record);
}

/// <summary>A bar with candidates left, best so far and time left where someone watches; a line for each kernel elsewhere.</summary>
internal sealed class TuneProgress(Terminal terminal, ProgressTask? bar, int kernels) : ITuneProgress
{
    private readonly long start = Stopwatch.GetTimestamp();
    private int done;
    private string kernel = "";

    public void Begin(TuneKernel next, int candidates)
    {
        kernel = Name(next);
        Say($"{candidates} candidates");
    }

    public void Racing(int left, double best) =>
        Say(FormattableString.Invariant($"{left} candidates left, best so far {Gain(best)}"));

    public void Chosen(TuneRecord record)
    {
        done++;
        if (bar is not null)
            bar.Value = Math.Min(1, (double)done / Math.Max(1, kernels));
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        TimeSpan left = TimeSpan.FromSeconds(elapsed / done * Math.Max(0, kernels - done));
        if (bar is null)
            terminal.ErrorWriter.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"[{done}/{kernels}, {left:hh\\:mm\\:ss} left] {record.Variant} {Describe.Type(record.Type)} {record.ShapeClass}: {record.Milliseconds:0.0000} ms, {Gain(record.Milliseconds / record.DefaultMilliseconds)}: {Sizes(record.Plan)}"
                )
            );
    }

    /// <summary>A plan without target, type, dimensions and class.</summary>
    public static string Sizes(string plan)
    {
        int at = plan.IndexOf(" m=", StringComparison.Ordinal);
        return at < 0 ? plan : plan[(at + 1)..];
    }

    /// <summary>A share of the planner's time in words.</summary>
    public static string Gain(double ratio) =>
        !double.IsFinite(ratio) || ratio >= 0.9995
            ? "the planner's time"
            : string.Create(CultureInfo.InvariantCulture, $"{(1 / ratio) - 1:0.0%} faster than the planner's");

    private void Say(string what)
    {
        if (bar is not null)
            bar.Description = Markup.Escape($"{kernel}: {what}");
    }

    private static string Name(TuneKernel kernel) =>
        $"{kernel.Variant[(kernel.Variant.LastIndexOfAny(['.', '+']) + 1)..]} {Describe.Type(kernel.Type)} {kernel.ShapeClass}";
}
