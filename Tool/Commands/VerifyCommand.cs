using System.CommandLine;
using System.Globalization;
using FlashGen.Support;
using FlashGen.Tool.Run;
using FlashGen.Tool.Variants;
using FlashGen.Tool.Verify;
using Spectre.Console;

namespace FlashGen.Tool.Commands;

/// <summary><c>flashgen verify</c>: variants against the reference, under the error rule.</summary>
internal sealed class VerifyCommand
{
    private readonly Argument<string[]> names = new("VARIANT")
    {
        Description = "The variants; all of them when none is named.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string> device = CommonOptions.Device();
    private readonly Option<string?> target = new Option<string?>("--target")
    {
        Description = "Only kernels of this target, on --device cuda; the default is the best of each call.",
    }.OneOf("portable", "sm80", "sm90");
    private readonly Option<int> seed = new Option<int>("--seed")
    {
        Description = "The seed of the random tensors; the same seed gives the same comparison.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    }.From(int.MinValue);
    private readonly Option<string?> assembly = CommonOptions.Assembly();
    private readonly Terminal terminal;

    private VerifyCommand(Terminal terminal) => this.terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        VerifyCommand verify = new(terminal);
        Command command = new(
            "verify",
            "Compares variants with the naive reference in float64; exit code 1 when one lies beyond its tolerance."
        )
        {
            verify.names,
            verify.device,
            verify.target,
            verify.seed,
            verify.assembly,
        };
        // On another thread: only then does the caller hear of Ctrl-C while it runs.
        command.SetAction(
            (parsed, cancellation) => Task.Run(() => verify.Verify(parsed, cancellation), CancellationToken.None)
        );
        return command;
    }

    private int Verify(ParseResult parsed, CancellationToken cancellation)
    {
        VariantCatalog catalog = VariantCatalog.Open(parsed.GetValue(assembly));
        string[] asked = parsed.GetValue(names) ?? [];
        AttentionVariant[] chosen =
            asked.Length == 0 ? [.. catalog.Variants] : [.. asked.Select(catalog.Find).Distinct()];
        string deviceName = parsed.GetRequiredValue(device);
        Target? wanted = parsed.GetValue(target) is { } name ? Enum.Parse<Target>(name, ignoreCase: true) : null;
        if (wanted is not null && deviceName != "cuda")
            throw new ToolException($"--target chooses among the kernels of --device cuda; --device is {deviceName}.");
        using Backend backend = Backend.Open(deviceName, wanted);
        (AttentionVariant Variant, ElementType Type)[] rows =
        [
            .. chosen.SelectMany(v =>
                Enum.GetValues<ElementType>().Where(t => v.Types.HasFlag(t.Flag())).Select(t => (v, t))
            ),
        ];
        int firstSeed = parsed.GetValue(seed);
        Outcome[] outcomes = terminal.WithProgress(
            $"Comparing {rows.Length} kernels on {backend.Description}",
            progress =>
                rows.Select(
                        (row, index) =>
                        {
                            cancellation.ThrowIfCancellationRequested();
                            Outcome outcome = Compare(row.Variant, row.Type, backend, firstSeed);
                            progress.Report((index + 1.0) / rows.Length);
                            return outcome;
                        }
                    )
                    .ToArray()
        );
        Write(outcomes, backend, firstSeed);
        return outcomes.All(outcome => outcome.Passed) ? 0 : 1;
    }

    private static Outcome Compare(AttentionVariant variant, ElementType type, Backend backend, int seed)
    {
        Outcome outcome = new(variant, type) { Skipped = backend.Refusal(variant, type) };
        if (outcome.Skipped is not null)
            return outcome;
        foreach (AttentionShape shape in VerifyShapes.Of(variant, backend.IsSlow))
            try
            {
                VerifyCase one = new(variant, shape, backend, seed + outcome.Cases);
                outcome.Take(shape, ElementDispatch.Do(type, one), one.KeepsSome);
            }
            catch (Exception e)
                when (e
                        is ToolException
                            or TableReadException
                            or NotSupportedException
                            or ArgumentException
                            or DivideByZeroException
                )
            {
                outcome.Refuse(shape, Messages.Of(e));
            }
        return outcome;
    }

    private void Write(Outcome[] outcomes, Backend backend, int firstSeed)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("Variant", "Type", "Cases", "Output error", "Allowed", "Log-sum-exp error", "Allowed", "");
        foreach (Outcome outcome in outcomes)
            table.AddRow(
                new Text(VariantCatalog.ShortName(outcome.Variant)),
                new Text(Describe.Type(outcome.Type)),
                new Text(outcome.Cases.ToString(CultureInfo.InvariantCulture)),
                new Text(Figure(outcome.Output?.Error)),
                new Text(Figure(outcome.Output?.Tolerance)),
                new Text(Figure(outcome.LogSumExp?.Error)),
                new Text(Figure(outcome.LogSumExp?.Tolerance)),
                outcome.Verdict
            );
        terminal.Output.Write(table);
        foreach (Outcome outcome in outcomes.Where(outcome => outcome.Troubles.Count != 0))
            terminal.Writer.WriteLine(
                outcome.Troubles[0]
                    + (
                        outcome.Troubles.Count == 1
                            ? ""
                            : string.Create(CultureInfo.InvariantCulture, $" (and {outcome.Troubles.Count - 1} more)")
                    )
            );
        foreach (Outcome outcome in outcomes.Where(outcome => outcome is { Cases: > 0, KeepsSome: false }))
            terminal.Writer.WriteLine(
                $"{VariantCatalog.ShortName(outcome.Variant)}, {Describe.Type(outcome.Type)}: no case kept a pair, so nothing but zeros was compared; try another --seed."
            );
        foreach (Outcome outcome in outcomes.Where(outcome => outcome.RowsNotJudged != 0))
            terminal.Writer.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{VariantCatalog.ShortName(outcome.Variant)}, {Describe.Type(outcome.Type)}: {outcome.RowsNotJudged} rows not judged: their scores are too large to multiply by log2(e)."
                )
            );
        foreach (
            IGrouping<string, Outcome> skipped in outcomes.Where(o => o.Skipped is not null).GroupBy(o => o.Skipped!)
        )
            terminal.Writer.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{skipped.Count()} kernels skipped, of {string.Join(", ", skipped.Select(o => VariantCatalog.ShortName(o.Variant)).Distinct())}: {skipped.Key}"
                )
            );
        int tried = outcomes.Count(outcome => outcome.Skipped is null);
        int failed = outcomes.Count(outcome => !outcome.Passed);
        terminal.Writer.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{tried - failed} of {tried} kernels within tolerance on {backend.Description}, seed {firstSeed}."
            )
        );
    }

    private static string Figure(double? value) => value?.ToString("g3", CultureInfo.InvariantCulture) ?? "-";

    /// <summary>What came of one variant in one type: the case nearest to its tolerance, and what went wrong.</summary>
    private sealed class Outcome(AttentionVariant variant, ElementType type)
    {
        private readonly List<string> troubles = [];

        public AttentionVariant Variant => variant;

        public ElementType Type => type;

        public int Cases { get; private set; }

        public ErrorFigure? Output { get; private set; }

        public ErrorFigure? LogSumExp { get; private set; }

        public IReadOnlyList<string> Troubles => troubles;

        public long RowsNotJudged { get; private set; }

        /// <summary>Why there was nothing to compare: the variant has no kernel for the device.</summary>
        public string? Skipped { get; init; }

        public bool Passed => Skipped is not null || (troubles.Count == 0 && Cases > 0);

        public Text Verdict =>
            Skipped is not null ? new("skipped", new Style(Color.Yellow))
            : Passed ? new("ok", new Style(Color.Green))
            : new("FAILED", new Style(Color.Red));

        /// <summary>Whether some case kept a pair.</summary>
        public bool KeepsSome { get; private set; }

        public void Take(in AttentionShape shape, ErrorReport report, bool keepsSome)
        {
            Cases++;
            KeepsSome |= keepsSome;
            Output = Worse(Output, report.Output);
            LogSumExp = Worse(LogSumExp, report.LogSumExp);
            RowsNotJudged += report.RowsNotJudged;
            if (!report.Passed)
                Refuse(shape, report.ToString().ReplaceLineEndings("; "));
        }

        public void Refuse(in AttentionShape shape, string message) =>
            troubles.Add($"{variant.Name}, {Describe.Type(type)}, {shape}: {message}");

        private static ErrorFigure? Worse(ErrorFigure? a, ErrorFigure? b) =>
            a is null ? b
            : b is null || a.Error / a.Tolerance >= b.Error / b.Tolerance ? a
            : b;
    }
}
