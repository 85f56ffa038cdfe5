using FlashGen.Bench.Machine;
using Spectre.Console;

namespace FlashGen.Bench.Cpu;

/// <summary>The results in words.</summary>
static class CpuTable
{
    public static void Print(List<CpuResult> results, Roof roof, TimeSpan took)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumn("case");
        foreach (string column in new[] { "threads", "ours ms" })
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("beside");
        foreach (string column in new[] { "its ms", "ratio", "median", "wanted", "of peak" })
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn("");
        foreach (CpuResult result in results)
            table.AddRow(
                result.Case.EscapeMarkup(),
                $"{result.Threads}",
                $"{result.OursMs:F2}",
                result.Peer.EscapeMarkup(),
                result.PeerMs is double peer ? $"{peer:F2}" : "-",
                result.Ratio is double ratio ? $"{ratio:F2}" : "-",
                result.MedianRatio is double median ? $"{median:F2}" : "-",
                result.AtLeast is double least ? $"{least:F2}" : "-",
                result.PeakFraction is double peak ? $"{100 * peak:F0} %" : "-",
                result.IsMet switch
                {
                    true => "[green]met[/]",
                    false => result.Ratio is null ? "[red]not run[/]" : "[red]missed[/]",
                    null => result.IsNoisy ? "[yellow]busy[/]" : "",
                }
            );
        // A pipe has no width of its own; the table shall not be folded for it.
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 180;
        AnsiConsole.Write(table);

        // What holds for a whole case is said once.
        foreach (var noted in results.Where(r => r.Note != "").GroupBy(r => (r.Case, r.Threads, r.Note)))
            Console.WriteLine(
                $"{noted.Key.Case}, {noted.Key.Threads} threads, "
                    + $"{string.Join(", ", noted.Select(r => r.Peer))}: {noted.Key.Note}"
            );
        (int met, int wanted) = (results.Count(r => r.IsMet == true), results.Count(r => r.IsMet is not null));
        int busy = results.Count(r => r.IsNoisy && r.AtLeast is not null);
        if (busy > 0)
            Console.WriteLine($"{busy} lines are not judged: the machine was too busy for them");
        Console.WriteLine(
            $"{met} of {wanted} met in {took.TotalSeconds:F0} s; FMA peak at the end "
                + string.Join(
                    ", ",
                    Enumerable
                        .Range(1, roof.Threads)
                        .Select(threads => $"{roof.Peak(threads) / 1e9:F0} GFLOP/s on {threads} threads")
                )
        );
    }

    /// <summary>Says once of each peer that it did not run, and why: its lines count as not met.</summary>
    public static void PrintMissing(List<CpuResult> results)
    {
        foreach (string line in results.Where(r => r.Ratio is null).Select(r => $"{r.Peer} {r.Note}").Distinct())
            Console.WriteLine(line);
    }

    /// <summary>The closing line: the lowest ratio to another library, of the lines that can be judged if there are any.</summary>
    public static string Worst(List<CpuResult> results)
    {
        CpuResult? worst = results
            .Where(result => result.IsPeer && result.Ratio is not null)
            .OrderBy(result => result.IsNoisy)
            .ThenBy(result => result.Ratio)
            .FirstOrDefault();
        return worst is null
            ? "worst ratio unknown: no peer ran"
            : $"worst ratio {worst.Ratio:F2} at {worst.Case}, {worst.Threads} threads, beside {worst.Peer}"
                + (worst.IsNoisy ? " (on a machine too busy to judge)" : "");
    }
}
