using System.Globalization;
using System.Text;
using System.Xml.Linq;
using FlashGen.Dsl;
using FlashGen.Tool.Commands;
using FlashGen.Tool.Run;
using static FlashGen.Tool.Tune.Report.Markup;

namespace FlashGen.Tool.Tune.Report;

/// <summary>
/// What a tuning measured, as one page that needs nothing beside it: for each variant and target a roofline, for each kernel a map of
/// times with the plan chosen, and the candidates that came to no time.
/// </summary>
internal static class TuneReport
{
    private const string Option = "--report";

    /// <summary>Makes sure, before hours of measuring, that the page can be written and takes nobody's place.</summary>
    /// <exception cref="ToolException">It cannot, or it does.</exception>
    public static void Check(string path, params IReadOnlyList<string> others)
    {
        using (OutputFile.Create(Option, path)) { }
        if (others.FirstOrDefault(other => Path.GetFullPath(other) == Path.GetFullPath(path)) is { } taken)
            throw new ToolException($"{Option} {path}: {taken} is used by the tuning itself; give another file.");
    }

    /// <summary>Writes the page.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="records">What was measured on one device, for the specs of today.</param>
    /// <param name="chosen">The plans chosen.</param>
    /// <param name="machine">The device.</param>
    /// <exception cref="ToolException">It cannot be written; an old file is as it was.</exception>
    public static void Write(
        string path,
        IEnumerable<TuneRecord> records,
        IReadOnlyList<PlanEntry> chosen,
        TuneMachine machine
    )
    {
        using OutputFile file = OutputFile.Create(Option, path);
        file.Write(Encoding.UTF8.GetBytes(Print(Page(ReportKernel.Of(records, chosen), machine))));
        OutputFile.Commit(file);
    }

    private static XElement Page(IReadOnlyList<ReportKernel> kernels, TuneMachine machine)
    {
        (string Variant, IGrouping<Target, ReportKernel>[] Targets)[] variants =
        [
            .. kernels
                .GroupBy(kernel => kernel.Kernel.Variant)
                .Select(group => (group.Key, group.GroupBy(kernel => kernel.Kernel.Target).ToArray())),
        ];
        XElement main = Element(
            "main",
            Element("h1", "Plans by measurement"),
            Element(
                "p",
                With("class", "soft"),
                $"{machine.Device} ({machine.DeviceClass}), FlashGen {machine.Version}"
            ),
            Element("p", Introduction(kernels)),
            Element(
                "p",
                With("class", "soft"),
                "Candidates are timed in turns with the planner’s own plan, the default. What is compared, and what colours show, is a candidate’s share of the default’s time in the same rounds; the numbers are medians in milliseconds. A candidate that was given up early has few rounds behind it, so a good time of its own need not win. Point at a cell or a mark for its plans. "
                    + (machine.Roofs is { } roofs ? $"Roofs are {roofs.Source}." : "No roof of this device is known.")
            )
        );
        if (kernels.Count != 0)
            main.Add(Summary(variants.Select(variant => variant.Variant).ToArray(), kernels));
        for (int index = 0; index < variants.Length; index++)
        {
            (string variant, IGrouping<Target, ReportKernel>[] targets) = variants[index];
            XElement section = Element("section", With("id", Id(index)), Element("h2", variant));
            foreach (IGrouping<Target, ReportKernel> target in targets)
                AddTarget(
                    section,
                    variant,
                    target.Key,
                    [.. target],
                    machine,
                    Id(index) + ReportWords.Target(target.Key)
                );
            main.Add(section);
        }
        return Element(
            "html",
            With("lang", "en"),
            Element(
                "head",
                Element("meta", With("charset", "utf-8")),
                Element("meta", With("name", "viewport"), With("content", "width=device-width, initial-scale=1")),
                // The page promises to need nothing from elsewhere; this holds it to that.
                Element(
                    "meta",
                    With("http-equiv", "Content-Security-Policy"),
                    With("content", "default-src 'none'; style-src 'unsafe-inline'")
                ),
                Element("title", $"FlashGen plans on {machine.Device}"),
                Element("style", ReportStyle.Css)
            ),
            Element("body", main)
        );
    }

    private static string Introduction(IReadOnlyList<ReportKernel> kernels)
    {
        if (kernels.Count == 0)
            return "Nothing was measured.";
        int timed = kernels.Sum(kernel => kernel.Timed.Count);
        int others = kernels.Sum(kernel => kernel.Others.Count);
        int faster = kernels.Count(kernel =>
            kernel.Choice is { Milliseconds: > 0 } choice && kernel.Default?.Record.Plan != choice.Plan
        );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{kernels.Count} kernels, each for a variant, type, dimension and class of shapes: {timed} candidates were timed, {others} came to no time. For {faster} kernels another plan than the default was chosen."
        );
    }

    private static XElement Summary(string[] variants, IReadOnlyList<ReportKernel> kernels) =>
        Table(
            ["Variant", "Target", "Kernel", ".Default, ms", ".Chosen, ms", ".Gain", "Plan"],
            kernels.Select(kernel =>
                Element(
                    "tr",
                    Element(
                        "td",
                        Element(
                            "a",
                            With("href", "#" + Id(Array.IndexOf(variants, kernel.Kernel.Variant))),
                            kernel.Kernel.Variant[(kernel.Kernel.Variant.LastIndexOfAny(['.', '+']) + 1)..]
                        )
                    ),
                    Element("td", ReportWords.Target(kernel.Kernel.Target)),
                    Element("td", ReportWords.Kernel(kernel.Kernel)),
                    Times(kernel),
                    Element(
                        "td",
                        kernel.Choice is { } choice
                            ? Element("code", TuneProgress.Sizes(choice.Plan))
                            : Element("span", With("class", "soft"), "none chosen")
                    )
                )
            )
        );

    private static IEnumerable<XElement> Times(ReportKernel kernel)
    {
        (string own, string chosen, string gain) = kernel.Choice is { Milliseconds: > 0 } choice
            ? (
                Exact(choice.DefaultMilliseconds),
                Exact(choice.Milliseconds),
                ReportWords.Gain(choice.Milliseconds, choice.DefaultMilliseconds)
            )
            : (kernel.Default is { } byDefault ? Exact(byDefault.Record.Milliseconds) : "–", "–", "–");
        return new[] { own, chosen, gain }.Select(text => Element("td", With("class", "number"), text));
    }

    private static void AddTarget(
        XElement section,
        string variant,
        Target target,
        ReportKernel[] kernels,
        TuneMachine machine,
        string id
    )
    {
        string on = ReportWords.Target(target);
        section.Add(Element("h3", on));
        ReportKernel[] timed = [.. kernels.Where(kernel => kernel.Timed.Count != 0)];
        if (timed.Any(kernel => kernel.Timed.Any(one => one.Record is { Flops: > 0, Bytes: > 0 })))
            section.Add(
                Element(
                    "figure",
                    With("class", "wall"),
                    Element("h4", "Roofline"),
                    RooflineChart.Legend(),
                    Element(
                        "div",
                        With("class", "draw"),
                        RooflineChart.Draw(timed, machine.Roofs, $"{variant}, {on}", id + "r")
                    )
                )
            );
        section.Add(Element("h4", With("style", "margin-top: 18px"), "Time by BlockM and BlockN"));
        if (timed.Length != 0)
            section.Add(HeatMap.Legend());
        XElement maps = Element("div", With("class", "maps"));
        for (int index = 0; index < kernels.Length; index++)
            maps.Add(
                Map(kernels[index], $"{variant}, {on}", string.Create(CultureInfo.InvariantCulture, $"{id}m{index}"))
            );
        section.Add(maps);
        TuneRecord[] others = [.. kernels.SelectMany(kernel => kernel.Others)];
        section.Add(Element("h4", With("style", "margin-top: 18px"), "Candidates without a time"));
        section.Add(
            others.Length == 0
                ? Element("p", With("class", "soft"), "There are none: every candidate was timed.")
                : Table(
                    ["Kernel", "Outcome", "Plan", "Reason"],
                    from kernel in kernels
                    from record in kernel.Others
                    select Element(
                        "tr",
                        With("class", "without"),
                        Element("td", ReportWords.Kernel(kernel.Kernel)),
                        Element("td", ReportWords.Outcome(record.Outcome)),
                        Element("td", Element("code", TuneProgress.Sizes(record.Plan))),
                        Element("td", With("class", "reason"), record.Reason)
                    )
                )
        );
    }

    private static XElement Map(ReportKernel kernel, string of, string id)
    {
        string name = ReportWords.Kernel(kernel.Kernel);
        XElement figure = Element("figure", With("class", "map"), Element("h4", name));
        if (kernel.Shape.Length != 0)
            figure.Add(Element("div", With("class", "soft"), kernel.Shape));
        figure.Add(
            kernel.Timed.Count == 0
                ? Element("p", With("class", "soft"), "No candidate came to a time.")
                : Element("div", With("class", "draw"), HeatMap.Draw(kernel, $"{of}, {name}", id))
        );
        XElement facts = Element("dl");
        ReportChoice? choice = kernel.Choice;
        bool isDefault = choice is not null && choice.Plan == kernel.Default?.Record.Plan;
        if (choice is null)
            AddFact(facts, "chosen", "", "none in this run");
        else
            AddFact(
                facts,
                "chosen",
                choice.Plan,
                (
                    isDefault ? $"{Exact(choice.Milliseconds)} ms; it is the default"
                    : choice.Milliseconds > 0
                        ? $"{Exact(choice.Milliseconds)} ms, default {Exact(choice.DefaultMilliseconds)} ms: {ReportWords.Gain(choice.Milliseconds, choice.DefaultMilliseconds)}"
                    : "not timed for this class"
                ) + (choice.IsOfLong ? "; the plan of long shapes, over which none gained enough" : "")
            );
        if (!isDefault && kernel.Default is { } byDefault)
            AddFact(
                facts,
                "default",
                byDefault.Record.Plan,
                $"{Exact(byDefault.Record.Milliseconds)} ms when it was recorded"
            );
        figure.Add(facts);
        return figure;
    }

    private static void AddFact(XElement facts, string what, string plan, string words) =>
        facts.Add(
            Element("dt", what),
            Element(
                "dd",
                plan.Length == 0 ? null : Element("code", plan),
                plan.Length == 0 ? null : Element("br"),
                Element("span", With("class", "soft"), words)
            )
        );

    // A heading that starts with a point is one of numbers.
    private static XElement Table(string[] headings, IEnumerable<XElement> rows) =>
        Element(
            "div",
            With("class", "wide"),
            Element(
                "table",
                Element(
                    "thead",
                    Element(
                        "tr",
                        headings.Select(heading =>
                            heading[0] == '.'
                                ? Element("th", With("scope", "col"), With("class", "number"), heading[1..])
                                : Element("th", With("scope", "col"), heading)
                        )
                    )
                ),
                Element("tbody", rows)
            )
        );

    private static string Id(int variant) => string.Create(CultureInfo.InvariantCulture, $"v{variant}");

    private static string Exact(double milliseconds) => milliseconds.ToString("0.0000", CultureInfo.InvariantCulture);
}
