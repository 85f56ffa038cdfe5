using System.Globalization;
using FlashGen.Dsl;
using ScottPlot;

namespace FlashGen.Bench.Cpu;

/// <summary>What measured plans gain over the planner's own, from a tuning file: a chart and a table, by variant and class of devices.</summary>
static class PlanCharts
{
    private const int Width = 1100;
    private const int Height = 800;

    /// <summary>The planner's plans shall be within this of the measured ones.</summary>
    private const double Aim = 1.1;

    public static int Draw(string plans, string picture)
    {
        PlanFile file = PlanFileModule.parse(File.ReadAllText(plans));
        PlanEntry[] entries = [.. file.Entries.Select(entry => entry.Item2)];
        if (entries.Length == 0)
        {
            Console.Error.WriteLine($"{plans} has no entries: `flashgen tune` writes them.");
            return 1;
        }
        string[] classes =
        [
            .. entries.Select(entry => entry.Tuned.DeviceClass).Distinct().Order(StringComparer.Ordinal),
        ];
        string[] variants =
        [
            .. entries.Select(entry => ShortName(entry.Variant)).Distinct().OrderDescending(StringComparer.Ordinal),
        ];
        Plot plot = new();
        Color[] colors = [Colors.SteelBlue, Colors.IndianRed, Colors.DarkSeaGreen, Colors.Orange];
        double height = 0.8 / classes.Length;
        for (int each = 0; each < classes.Length; each++)
        {
            List<Bar> bars = [];
            List<Coordinates> largest = [];
            for (int variant = 0; variant < variants.Length; variant++)
            {
                double[] gains =
                [
                    .. entries
                        .Where(entry =>
                            entry.Tuned.DeviceClass == classes[each] && ShortName(entry.Variant) == variants[variant]
                        )
                        .Select(entry => PlanFileModule.gain(entry.Tuned)),
                ];
                if (gains.Length == 0)
                    continue;
                double at = variant + height * ((classes.Length - 1) / 2.0 - each);
                bars.Add(
                    new()
                    {
                        Position = at,
                        Value = Mean(gains),
                        ValueBase = 1,
                        Size = height * 0.9,
                        FillColor = colors[each % colors.Length],
                        LineWidth = 0,
                        Orientation = Orientation.Horizontal,
                    }
                );
                largest.Add(new(gains.Max(), at));
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{variants[variant], -22} {classes[each], -10} {gains.Length, 3} plans  mean {Mean(gains) - 1, 6:0.0%}  most {gains.Max() - 1, 6:0.0%}"
                    )
                );
            }
            plot.Add.Bars(bars).LegendText = classes[each];
            plot.Add.ScatterPoints(largest, colors[each % colors.Length]).MarkerShape = MarkerShape.OpenCircle;
        }
        plot.Add.VerticalLine(1, color: Colors.Black);
        plot.Add.VerticalLine(Aim, color: Colors.Black, pattern: LinePattern.Dashed);
        plot.Axes.Left.SetTicks([.. Enumerable.Range(0, variants.Length).Select(n => (double)n)], variants);
        plot.Axes.SetLimitsX(0.99, Math.Max(1.12, entries.Max(entry => PlanFileModule.gain(entry.Tuned)) + 0.02));
        plot.XLabel(
            "time of the planner's plan / time of the measured plan (bar: mean of types and shapes; circle: the most)"
        );
        plot.Title("Tuned against default");
        plot.ShowLegend(ScottPlot.Alignment.LowerRight);
        plot.SavePng(picture, Width, Height);
        return 0;
    }

    private static double Mean(double[] ratios) => Math.Exp(ratios.Average(Math.Log));

    private static string ShortName(string variant) => variant[(variant.LastIndexOfAny(['.', '+']) + 1)..];
}
