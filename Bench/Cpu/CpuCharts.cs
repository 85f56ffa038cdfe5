using FlashGen.Bench.Machine;
using ScottPlot;

namespace FlashGen.Bench.Cpu;

/// <summary>The results in pictures: how far ahead of the peers, and how far below the roof.</summary>
static class CpuCharts
{
    private const int Width = 1100;

    public static void Draw(List<CpuResult> results, Roof roof, CpuBench.Machine machine, string folder)
    {
        // On as many threads as the machine was calm for.
        int threads = Enumerable
            .Range(1, roof.Threads)
            .OrderBy(threads => results.Count(r => r.Threads == threads && IsPrefill(r) && r.IsNoisy))
            .ThenByDescending(threads => threads)
            .First();
        Ratios(results, threads).SavePng(Path.Combine(folder, "cpu-ratios.png"), Width, 800);
        Roofline(results, roof, machine).SavePng(Path.Combine(folder, "cpu-roofline.png"), Width, 600);
    }

    private static Plot Ratios(List<CpuResult> results, int threads)
    {
        string[] peers = ["libtorch", "ONNX Runtime MultiHeadAttention", "ONNX Runtime Attention-23"];
        CpuResult[] shown =
        [
            .. results.Where(r =>
                r.Threads == threads && r.Ratio is not null && IsPrefill(r) && peers.Contains(r.Peer)
            ),
        ];
        string[] cases = [.. shown.Select(result => result.Case).Distinct().Reverse()];
        Plot plot = new();
        Color[] colors = [Colors.IndianRed, Colors.SteelBlue, Colors.DarkSeaGreen];
        for (int peer = 0; peer < peers.Length; peer++)
        {
            // Bars of one case stand together, a unit of the axis for each.
            Bar[] bars =
            [
                .. shown
                    .Where(result => result.Peer == peers[peer])
                    .Select(result => new Bar
                    {
                        Position = Array.IndexOf(cases, result.Case) + 0.27 * (1 - peer),
                        Value = result.Ratio!.Value,
                        Size = 0.25,
                        FillColor = colors[peer],
                        LineWidth = 0,
                        Orientation = Orientation.Horizontal,
                    }),
            ];
            if (bars.Length > 0)
                plot.Add.Bars(bars).LegendText = peers[peer];
        }
        plot.Add.VerticalLine(1, color: Colors.Black, pattern: LinePattern.Dashed);
        plot.Axes.Left.SetTicks([.. Enumerable.Range(0, cases.Length).Select(n => (double)n)], cases);
        plot.Axes.Margins(left: 0);
        plot.XLabel("time of the peer / time of FlashGen");
        plot.Title($"float32 prefill on {threads} thread{(threads == 1 ? "" : "s")} (heads x tokens x head dimension)");
        plot.ShowLegend(ScottPlot.Alignment.LowerRight);
        return plot;
    }

    private static Plot Roofline(List<CpuResult> results, Roof roof, CpuBench.Machine machine)
    {
        Plot plot = new();
        Color[] colors = [Colors.SteelBlue, Colors.IndianRed];
        for (int threads = 1; threads <= roof.Threads; threads++)
        {
            Color color = colors[threads - 1];
            (double peak, double bandwidth) = (roof.Peak(threads), machine.Bandwidths[threads]);
            // Log-log; the roof bends where memory stops being what limits.
            double bend = peak / bandwidth;
            double[] x = [Math.Log10(0.25), Math.Log10(bend), Math.Log10(4096)];
            double[] y = [Math.Log10(0.25 * bandwidth / 1e9), Math.Log10(peak / 1e9), Math.Log10(peak / 1e9)];
            ScottPlot.Plottables.Scatter line = plot.Add.ScatterLine(x, y, color);
            line.LegendText = $"roof of {threads} thread{(threads == 1 ? "" : "s")}";
            (double Intensity, double Rate)[] points =
            [
                .. results
                    .Where(r => r.Threads == threads && IsPrefill(r) && r.PeakFraction is not null)
                    .DistinctBy(r => r.Case)
                    .Select(r => (Intensity(r.Case), r.PeakFraction!.Value * peak / 1e9)),
                .. results
                    .Where(r => r.Threads == threads && r.Case.StartsWith("decode") && r.PeakFraction is not null)
                    .DistinctBy(r => r.Case)
                    // A decoded key costs four operations on each pair of float32 numbers, times the group that shares it.
                    .Select(r => (Group(r.Case) / 2, r.PeakFraction!.Value * bandwidth * Group(r.Case) / 2 / 1e9)),
            ];
            double[] intensities = [.. points.Select(point => Math.Log10(point.Intensity))];
            double[] rates = [.. points.Select(point => Math.Log10(point.Rate))];
            if (points.Length > 0)
                plot.Add.ScatterPoints(intensities, rates, color).LegendText =
                    $"FlashGen, {threads} thread{(threads == 1 ? "" : "s")}";
        }
        plot.Axes.Bottom.TickGenerator = Decades();
        plot.Axes.Left.TickGenerator = Decades();
        plot.XLabel("operations for each byte of query, key, value and output");
        plot.YLabel("GFLOP/s");
        plot.Title("Below the measured roof: decoding on the slope, prefill under the flat part");
        plot.ShowLegend(ScottPlot.Alignment.LowerRight);
        return plot;
    }

    private static bool IsPrefill(CpuResult result) =>
        result.Case.StartsWith("full ")
        || result.Case.StartsWith("causal ") && !result.Case.Contains("131072") && !result.Case.Contains("window");

    // A head of n tokens and dimension d: 4 n n d operations (half when causal) on 4 tensors of n d floats of 4 bytes.
    private static double Intensity(string name)
    {
        double tokens = double.Parse(name.Split(' ')[3]);
        return (name.StartsWith("causal") ? 0.5 : 1) * tokens / 4;
    }

    // "decode 32 heads over 8, ..."
    private static double Group(string name)
    {
        string[] words = name.Split(' ', ',');
        return double.Parse(words[1]) / double.Parse(words[4]);
    }

    private static ScottPlot.TickGenerators.NumericManual Decades()
    {
        ScottPlot.TickGenerators.NumericManual ticks = new();
        for (int power = -2; power <= 4; power++)
            ticks.AddMajor(power, Math.Pow(10, power).ToString("0.##"));
        return ticks;
    }
}
