using System.Globalization;
using System.Xml.Linq;
using static FlashGen.Tool.Tune.Report.Markup;

namespace FlashGen.Tool.Tune.Report;

/// <summary>
/// Times over BlockM and BlockN: a cell shows the best schedule of its tile, in the colour of its share of the default's time. Several
/// schedules of a tile are in its tooltip.
/// </summary>
internal static class HeatMap
{
    private const double CellWidth = 58;
    private const double CellHeight = 34;
    private const double Gap = 2;
    private const double Left = 64;
    private const double Top = 6;
    private const double Bottom = 44;

    // Narrower maps would clip the title of their axis.
    private const double LeastWidth = 210;

    // Shares of the default's time, from far below to far above; between the middle ones there is no difference to speak of.
    private static readonly (double Limit, string Class, string Words)[] Steps =
    [
        (0.80, "f3", "to 0.80"),
        (0.90, "f2", "to 0.90"),
        (0.97, "f1", "to 0.97"),
        (1.03, "s0", "to 1.03"),
        (1.10, "s1", "to 1.10"),
        (1.25, "s2", "to 1.25"),
        (1.50, "s3", "to 1.50"),
        (double.PositiveInfinity, "s4", "above"),
    ];

    /// <summary>What colours, frames and marks mean.</summary>
    public static XElement Legend() =>
        Element(
            "div",
            With("class", "legend"),
            Element("span", With("class", "legend-title"), "Time over the default’s:"),
            Steps.Select(step => Element("span", With("class", "step " + step.Class), step.Words)),
            Element("span", With("class", "key"), Element("span", With("class", "frame")), "chosen"),
            Element("span", With("class", "key"), Element("span", With("class", "dot")), "the planner’s default"),
            Element("span", With("class", "key"), Element("span", With("class", "cross"), "×"), "nothing of it ran"),
            Element("span", With("class", "key"), "numbers are milliseconds")
        );

    /// <summary>The map of a kernel that has candidates with a time.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="id">A prefix for identifiers, unique on the page.</param>
    public static XElement Draw(ReportKernel kernel, string name, string id)
    {
        (TuneRecord Record, int M, int N)[] others =
        [
            .. kernel.Others.Select(record => (record, Size(record.Plan, "m="), Size(record.Plan, "n="))),
        ];
        others = [.. others.Where(other => other.M > 0 && other.N > 0)];
        int[] rows = [.. kernel.Timed.Select(one => one.BlockM).Concat(others.Select(o => o.M)).Distinct().Order()];
        int[] columns =
        [
            .. kernel.Timed.Select(one => one.BlockN).Concat(others.Select(other => other.N)).Distinct().Order(),
        ];
        double right = Left + (columns.Length * CellWidth);
        double width = Math.Max(LeastWidth, right + 4);
        double height = Top + (rows.Length * CellHeight) + Bottom;
        XElement svg = Element(
            "svg",
            With("class", "chart heat"),
            With("role", "img"),
            With("aria-labelledby", id + "t " + id + "d"),
            With("width", width),
            With("height", height),
            With("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {width} {height}")),
            Element("title", With("id", id + "t"), "Time over BlockM and BlockN: " + name),
            Element("desc", With("id", id + "d"), Description(kernel))
        );
        for (int row = 0; row < rows.Length; row++)
        {
            double y = Top + ((rows.Length - 1 - row) * CellHeight);
            svg.Add(Label(Left - 8, y + (CellHeight / 2) + 4, "end", Whole(rows[row])));
            for (int column = 0; column < columns.Length; column++)
            {
                (int m, int n) = (rows[row], columns[column]);
                svg.Add(
                    Cell(
                        Left + (column * CellWidth),
                        y,
                        [.. kernel.Timed.Where(one => (one.BlockM, one.BlockN) == (m, n)).OrderBy(one => one.Ratio)],
                        [.. others.Where(other => (other.M, other.N) == (m, n)).Select(other => other.Record)],
                        kernel.Choice?.Plan
                    )
                );
            }
        }
        double axis = Top + (rows.Length * CellHeight);
        for (int column = 0; column < columns.Length; column++)
            svg.Add(Label(Left + ((column + 0.5) * CellWidth), axis + 16, "middle", Whole(columns[column])));
        svg.Add(Label((Left + Math.Max(right, width)) / 2, axis + 36, "middle", "BlockN, keys of a tile"));
        double middle = (Top + axis) / 2;
        XElement rowsTitle = Label(16, middle, "middle", "BlockM");
        rowsTitle.Add(
            new XAttribute("transform", string.Create(CultureInfo.InvariantCulture, $"rotate(-90 16 {middle})"))
        );
        svg.Add(rowsTitle);
        return svg;
    }

    /// <summary>A time with three digits that count.</summary>
    public static string Time(double milliseconds) =>
        milliseconds.ToString(
            milliseconds >= 100 ? "0"
                : milliseconds >= 10 ? "0.0"
                : milliseconds >= 1 ? "0.00"
                : milliseconds >= 0.1 ? "0.000"
                : "0.0000",
            CultureInfo.InvariantCulture
        );

    private static XElement Cell(double x, double y, ReportCandidate[] timed, TuneRecord[] others, string? chosen)
    {
        bool isChosen = timed.Any(one => one.Record.Plan == chosen);
        bool isDefault = timed.Any(one => one.Record.IsDefault) || others.Any(record => record.IsDefault);
        string step =
            timed.Length != 0 ? Steps.First(each => timed[0].Ratio <= each.Limit).Class
            : others.Length != 0 ? "failed"
            : "none";
        double inset = isChosen ? 2.5 : Gap / 2;
        XElement cell = Element("g", With("class", "cell " + step + (isChosen ? " chosen" : "")));
        if (timed.Length + others.Length != 0)
            cell.Add(
                Element("title", string.Join('\n', [.. timed.Select(one => Tip(one, chosen)), .. others.Select(Tip)]))
            );
        cell.Add(
            Element(
                "rect",
                With("x", x + inset),
                With("y", y + inset),
                With("width", CellWidth - (2 * inset)),
                With("height", CellHeight - (2 * inset)),
                With("rx", 3)
            )
        );
        if (isDefault)
            cell.Add(Element("circle", With("class", "default"), With("cx", x + 9), With("cy", y + 9), With("r", 3)));
        if (timed.Length != 0)
            cell.Add(
                Label(x + (CellWidth / 2), y + (CellHeight / 2) + 5, "middle", Time(timed[0].Record.Milliseconds))
            );
        else if (others.Length != 0)
            cell.Add(Label(x + (CellWidth / 2), y + (CellHeight / 2) + 5, "middle", "×"));
        return cell;
    }

    private static string Tip(ReportCandidate one, string? chosen)
    {
        TuneRecord record = one.Record;
        string marks = (record.Plan == chosen ? " (chosen)" : "") + (record.IsDefault ? " (default)" : "");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{record.Milliseconds:0.0000} ms, {one.Ratio:0.000} of the default’s {record.DefaultMilliseconds:0.0000} ms in {record.Rounds} rounds: {TuneProgress.Sizes(record.Plan)}{marks}"
        );
    }

    private static string Tip(TuneRecord record) =>
        $"{ReportWords.Outcome(record.Outcome)}: {TuneProgress.Sizes(record.Plan)}: {record.Reason}";

    private static string Description(ReportKernel kernel)
    {
        ReportCandidate best = kernel.Timed.MinBy(one => one.Ratio)!;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{kernel.Timed.Count} candidates were timed, {kernel.Others.Count} were not. The shortest time is {best.Ratio:0.00} of the default’s, at {best.BlockM} x {best.BlockN}."
        );
    }

    private static XElement Label(double x, double y, string anchor, string text) =>
        Element("text", With("x", x), With("y", y), With("text-anchor", anchor), text);

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);

    // Of a plan that fits nothing, too: its sizes are still there to read.
    private static int Size(string plan, string name) =>
        plan.Split(' ').FirstOrDefault(field => field.StartsWith(name, StringComparison.Ordinal)) is { } found
        && int.TryParse(found.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int size)
            ? size
            : 0;
}
