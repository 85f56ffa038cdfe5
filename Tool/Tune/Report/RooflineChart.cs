using System.Globalization;
using System.Xml.Linq;
using FlashGen.Tool.Commands;
using static FlashGen.Tool.Tune.Report.Markup;

namespace FlashGen.Tool.Tune.Report;

/// <summary>Operations a second over operations a byte of a variant's candidates on a target, under what the machine can do at most.</summary>
internal static class RooflineChart
{
    private const double Width = 660;
    private const double Height = 340;
    private const double Left = 66;
    private const double Right = 16;
    private const double Top = 18;
    private const double Bottom = 48;
    private const double PlotWidth = Width - Left - Right;
    private const double PlotHeight = Height - Top - Bottom;

    // Room around the outermost points, as a factor.
    private const double Margin = 2.5;

    /// <summary>What the marks mean.</summary>
    public static XElement Legend() =>
        Element(
            "div",
            With("class", "legend"),
            new[] { "long", "short", "decode" }.Select(shape => Key(Mark(shape, "point solid", 7, 7, 4.5), shape)),
            Key(Mark("long", "point chosen", 7, 7, 5), "framed: chosen")
        );

    private static XElement Key(XElement mark, string text) =>
        Element(
            "span",
            With("class", "key"),
            Element(
                "svg",
                With("class", "mark"),
                With("width", 14),
                With("height", 14),
                With("aria-hidden", "true"),
                mark
            ),
            text
        );

    /// <summary>The chart of kernels of one variant and target, of which some candidate was timed.</summary>
    /// <param name="kernels">The kernels.</param>
    /// <param name="roofs">What the machine can do; null where that is not known.</param>
    /// <param name="name">What the chart is called.</param>
    /// <param name="id">A prefix for identifiers, unique on the page.</param>
    public static XElement Draw(IReadOnlyList<ReportKernel> kernels, MachineRoofs? roofs, string name, string id)
    {
        (ReportKernel Kernel, TuneRecord Record)[] points =
        [
            .. from kernel in kernels
            from one in kernel.Timed
            where one.Record.Flops > 0 && one.Record.Bytes > 0
            // What was chosen lies on top.
            orderby one.Record.Plan == kernel.Choice?.Plan
            select (kernel, one.Record),
        ];
        (double Rate, string Name)[] tops = roofs is null
            ? []
            :
            [
                .. kernels
                    .Select(kernel => roofs.Of(kernel.Kernel.Target, kernel.Kernel.Type))
                    .Where(roof => roof.Rate > 0)
                    .Distinct()
                    .OrderByDescending(roof => roof.Rate),
            ];
        double memory = roofs?.Bytes ?? 0;
        double[] xs = [.. points.Select(point => Intensity(point.Record))];
        double[] ys = [.. points.Select(point => Rate(point.Record)), .. tops.Select(top => top.Rate)];
        if (memory > 0)
            xs = [.. xs, .. tops.Select(top => top.Rate / memory)];
        Axis across = new(xs.Min() / Margin, xs.Max() * Margin, Left, Left + PlotWidth);
        Axis up = new(ys.Min() / Margin, ys.Max() * Margin, Top + PlotHeight, Top);

        XElement svg = Element(
            "svg",
            With("class", "chart roofline"),
            With("role", "img"),
            With("aria-labelledby", id + "t " + id + "d"),
            With("width", Width),
            With("height", Height),
            With("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {Width} {Height}")),
            Element("title", With("id", id + "t"), "Roofline: " + name),
            Element("desc", With("id", id + "d"), Description(points, tops, memory))
        );
        foreach (double tick in across.Ticks())
        {
            svg.Add(Line("grid", across.At(tick), Top, across.At(tick), Top + PlotHeight));
            svg.Add(Label(across.At(tick), Top + PlotHeight + 16, "middle", Number(tick)));
        }
        foreach (double tick in up.Ticks())
        {
            svg.Add(Line("grid", Left, up.At(tick), Left + PlotWidth, up.At(tick)));
            svg.Add(Label(Left - 8, up.At(tick) + 4, "end", Number(tick / 1e9)));
        }
        svg.Add(
            Label(Left + (PlotWidth / 2), Height - 8, "middle", "FLOP for each byte of query, key, value and output")
        );
        double middle = Top + (PlotHeight / 2);
        XElement title = Label(16, middle, "middle", "GFLOP/s");
        title.Add(Rotated(-90, 16, middle));
        svg.Add(title);
        foreach ((double rate, string what) in tops)
        {
            // The roof rises with memory's rate and is level from there on.
            double ridge = memory > 0 ? Math.Max(rate / memory, across.Least) : across.Least;
            svg.Add(Line("roof", across.At(ridge), up.At(rate), Left + PlotWidth, up.At(rate)));
            svg.Add(
                Label(Left + PlotWidth - 4, up.At(rate) - 6, "end", $"{what} {ReportWords.Rate(rate, "FLOP")}", "note")
            );
        }
        if (memory > 0)
            DrawMemory(svg, memory, tops.Length != 0 ? tops[0].Rate : up.Most, across, up);
        foreach ((ReportKernel kernel, TuneRecord record) in points)
        {
            bool isChosen = record.Plan == kernel.Choice?.Plan;
            XElement mark = Mark(
                kernel.Kernel.ShapeClass,
                "point" + (isChosen ? " chosen" : ""),
                across.At(Intensity(record)),
                up.At(Rate(record)),
                isChosen ? 6 : 4
            );
            mark.Add(
                Element(
                    "title",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{ReportWords.Kernel(kernel.Kernel)}: {ReportWords.Rate(Rate(record), "FLOP")} at {Intensity(record):0.#} FLOP a byte, {record.Milliseconds:0.0000} ms: {TuneProgress.Sizes(record.Plan)}{(isChosen ? " (chosen)" : "")}{(record.IsDefault ? " (default)" : "")}"
                    )
                )
            );
            svg.Add(mark);
        }
        return svg;
    }

    private static void DrawMemory(XElement svg, double memory, double top, Axis across, Axis up)
    {
        double from = Math.Max(across.Least, up.Least / memory);
        double to = Math.Min(across.Most, top / memory);
        if (from >= to)
            return;
        (double x0, double y0) = (across.At(from), up.At(from * memory));
        (double x1, double y1) = (across.At(to), up.At(to * memory));
        svg.Add(Line("roof", x0, y0, x1, y1));
        double angle = Math.Atan2(y1 - y0, x1 - x0) * 180 / Math.PI;
        (double x, double y) = ((x0 + x1) / 2, (y0 + y1) / 2);
        // Above the line, along it; where the line is short there is room to its right only.
        if (Math.Sqrt(((x1 - x0) * (x1 - x0)) + ((y1 - y0) * (y1 - y0))) > 150)
        {
            XElement along = Label(x, y - 6, "middle", $"memory {ReportWords.Rate(memory, "B")}", "note");
            along.Add(Rotated(angle, x, y));
            svg.Add(along);
        }
        else
            svg.Add(Label(x + 10, y + 14, "start", $"memory {ReportWords.Rate(memory, "B")}", "note"));
    }

    private static string Description(
        (ReportKernel Kernel, TuneRecord Record)[] points,
        (double Rate, string Name)[] tops,
        double memory
    )
    {
        string roofs = string.Join(
            ", ",
            [
                .. tops.Select(top => $"{top.Name} {ReportWords.Rate(top.Rate, "FLOP")}"),
                .. memory > 0 ? new[] { $"memory {ReportWords.Rate(memory, "B")}" } : [],
            ]
        );
        double most = points.Max(point => Rate(point.Record));
        return $"{points.Length} candidates, the fastest at {ReportWords.Rate(most, "FLOP")}. "
            + (roofs.Length == 0 ? "No roof of this device is known." : $"Roofs: {roofs}.");
    }

    // Classes of shapes differ in form, too, for those who tell no colours apart.
    private static XElement Mark(string shape, string kind, double x, double y, double size) =>
        shape switch
        {
            "short" => Element(
                "rect",
                With("class", $"{kind} short"),
                With("x", x - size + 0.5),
                With("y", y - size + 0.5),
                With("width", (2 * size) - 1),
                With("height", (2 * size) - 1)
            ),
            "decode" => Element(
                "polygon",
                With("class", $"{kind} decode"),
                With(
                    "points",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{x:0.##},{y - size:0.##} {x + size:0.##},{y + size:0.##} {x - size:0.##},{y + size:0.##}"
                    )
                )
            ),
            _ => Element("circle", With("class", $"{kind} long"), With("cx", x), With("cy", y), With("r", size)),
        };

    private static double Intensity(TuneRecord record) => record.Flops / record.Bytes;

    private static double Rate(TuneRecord record) => record.Flops / (record.Milliseconds / 1e3);

    private static XElement Line(string kind, double x0, double y0, double x1, double y1) =>
        Element("line", With("class", kind), With("x1", x0), With("y1", y0), With("x2", x1), With("y2", y1));

    private static XElement Label(double x, double y, string anchor, string text, string kind = "tick") =>
        Element("text", With("class", kind), With("x", x), With("y", y), With("text-anchor", anchor), text);

    private static XAttribute Rotated(double degrees, double x, double y) =>
        With("transform", string.Create(CultureInfo.InvariantCulture, $"rotate({degrees:0.##} {x:0.##} {y:0.##})"));

    private static string Number(double value) => value.ToString("#,0.####", CultureInfo.InvariantCulture);

    // A logarithmic axis from one number to another, and where it lies in the drawing.
    private readonly record struct Axis(double Least, double Most, double From, double To)
    {
        public double At(double value) => From + ((To - From) * Math.Log(value / Least) / Math.Log(Most / Least));

        // Powers of ten, and where there are few of them 2 and 5 between.
        public IEnumerable<double> Ticks()
        {
            (double least, double most) = (Least, Most);
            double[] steps = Math.Log10(most / least) > 3.5 ? [1] : [1, 2, 5];
            return from power in Enumerable.Range((int)Math.Floor(Math.Log10(least)), 40)
                from step in steps
                let tick = step * Math.Pow(10, power)
                where tick >= least && tick <= most
                select tick;
        }
    }
}
