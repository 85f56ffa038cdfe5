using System.CommandLine;
using System.Globalization;
using System.Text;
using FlashGen.Tool.Arguments;
using FlashGen.Tool.Coverage;
using FlashGen.Tool.Run;
using FlashGen.Tool.Variants;

namespace FlashGen.Tool.Commands;

/// <summary><c>flashgen show</c>: what a variant is, what was generated for it, and which tiles its mask keeps.</summary>
internal sealed class ShowCommand
{
    private readonly Argument<string> variant = CommonOptions.Variant();
    private readonly Option<int> batch = Size("--batch", "Batch entries.", 1);
    private readonly Option<int> heads = Size("--heads", "Query heads.", 1);
    private readonly Option<int> keyHeads = Size("--key-heads", "Key heads; the default is as many as query heads.", 0);
    private readonly Option<int> queries = Size(
        "--queries",
        "Query rows; the default shows the mask's own size twice.",
        0
    );
    private readonly Option<int> keys = Size("--keys", "Keys; the default is as many as query rows.", 0);
    private readonly Option<int> batchEntry = Index("--batch-entry", "The batch entry to draw.");
    private readonly Option<int> headIndex = Index("--head", "The query head to draw.");
    private readonly Option<string?> block = new("--block")
    {
        Description = "Query rows and keys of a tile; the default is that of the plan for this CPU.",
        HelpName = "MxN",
    };
    private readonly Option<string?> align = CommonOptions.Align();
    private readonly Option<string[]> arguments = CommonOptions.Arguments();
    private readonly Option<string?> svg = new("--svg")
    {
        Description = "Writes the coverage as a picture.",
        HelpName = "FILE.svg",
    };
    private readonly Option<string?> assembly = CommonOptions.Assembly();
    private readonly Terminal terminal;

    private ShowCommand(Terminal terminal) => this.terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        ShowCommand show = new(terminal);
        Command command = new("show", "Shows a variant: its declaration, plans, and the tiles that its mask keeps.")
        {
            show.variant,
            show.queries,
            show.keys,
            show.batch,
            show.heads,
            show.keyHeads,
            show.batchEntry,
            show.headIndex,
            show.block,
            show.align,
            show.arguments,
            show.svg,
            show.assembly,
        };
        command.SetAction(show.Show);
        return command;
    }

    private int Show(ParseResult parsed)
    {
        AttentionVariant chosen = VariantCatalog.Open(parsed.GetValue(assembly)).Find(parsed.GetRequiredValue(variant));
        int queryRows = parsed.GetValue(queries) is > 0 and int given ? given : SampleArguments.TellingLength(chosen);
        int queryHeads = parsed.GetValue(heads);
        int dim = chosen.Dims.Count == 0 ? 64 : chosen.Dims[0].HeadDim;
        AttentionShape shape = new(
            parsed.GetValue(batch),
            queryHeads,
            parsed.GetValue(keyHeads) is > 0 and int grouped ? grouped : queryHeads,
            queryRows,
            parsed.GetValue(keys) is > 0 and int keyRows ? keyRows : queryRows,
            dim
        );
        shape = CommonOptions.Aligned(shape, parsed.GetValue(align));
        int entry = Below(parsed, batchEntry, batch);
        int head = Below(parsed, headIndex, heads);
        (int blockM, int blockN) = parsed.GetValue(block) is { } size ? Block(size) : PlanTable.BlockOf(chosen);
        (ModArguments? mods, string note) = MaskArguments(chosen, parsed.GetRequiredValue(arguments), shape);
        CoverageMap? map = mods is null ? null : CoverageMap.Of(chosen, shape, mods, blockM, blockN, entry, head);
        if (parsed.GetValue(svg) is { } path)
        {
            if (map is null)
                throw new ToolException($"--svg {path}: {note}");
            using OutputFile file = OutputFile.Create("--svg", path);
            file.Stream.Write(Encoding.UTF8.GetBytes(CoverageSvg.Write(map, chosen.Name)));
            OutputFile.Commit(file);
        }

        Facts(chosen);
        PlanTable.Write(terminal, chosen);
        terminal.Writer.WriteLine();
        if (map is not null)
            CoverageText.Write(terminal, map);
        if (note.Length != 0)
            terminal.Writer.WriteLine(note);
        return 0;
    }

    private void Facts(AttentionVariant chosen)
    {
        TextWriter writer = terminal.Writer;
        writer.WriteLine(chosen.Name);
        writer.WriteLine();
        writer.WriteLine($"  head dimensions  {Describe.Dims(chosen)}");
        writer.WriteLine($"  types            {Describe.Types(chosen.Types)}");
        writer.WriteLine($"  alignment        {Describe.Align(chosen.Align)}");
        writer.WriteLine($"  layout           {Describe.Layout(chosen.Layout)}");
        writer.WriteLine(
            $"  optimised        {(chosen.Optimized ? "yes" : "no: its assembly was built without optimisation, and its kernels are 10 to 50 times slower")}"
        );
        writer.WriteLine($"  spec hash        {chosen.SpecHash}");
        writer.WriteLine();
        writer.WriteLine("Spec");
        foreach (string line in chosen.Spec.Split('\n'))
            writer.WriteLine($"  {line}");
        if (chosen.Arguments.Count == 0)
            return;
        writer.WriteLine();
        writer.WriteLine("Run-time arguments");
        foreach (ArgumentInfo argument in chosen.Arguments)
            writer.WriteLine($"  --arg {ArgumentReader.Describe(argument)}: {argument.Meaning}");
    }

    // Arguments that the mask does not read are made up; so are prefix and documents, where none are given.
    private static (ModArguments?, string Note) MaskArguments(
        AttentionVariant chosen,
        string[] texts,
        in AttentionShape shape
    )
    {
        if (texts.Length != 0)
            return (ArgumentReader.Read(chosen, texts, shape), "");
        if (chosen.Arguments.Count == 0)
            return ([], "");
        string[] own =
        [
            .. chosen.Arguments.Where(a => !SampleArguments.IsReadyMade(a)).Select(ArgumentReader.Describe),
        ];
        return chosen.Masks.Count != 0 && own.Length != 0
            ? (null, $"The mask reads {string.Join(", ", own)}: give every argument by --arg to see its coverage.")
            : (SampleArguments.Plain(chosen, shape), SampleArguments.Note(chosen));
    }

    private static (int, int) Block(string text)
    {
        string[] parts = text.Split('x');
        return
            parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int m)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int n)
            && m > 0
            && n > 0
            ? (m, n)
            : throw new ToolException($"--block {text}: it must be two sizes of 1 or more, such as 64x128.");
    }

    private static int Below(ParseResult parsed, Option<int> index, Option<int> count)
    {
        (int value, int end) = (parsed.GetValue(index), parsed.GetValue(count));
        return value < end
            ? value
            : throw new ToolException(
                $"{index.Name} is {value}; allowed are 0 to {end - 1}, for {count.Name} is {end}."
            );
    }

    private static Option<int> Size(string name, string description, int fallback) =>
        new Option<int>(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => fallback,
        }.From(1);

    private static Option<int> Index(string name, string description) =>
        new Option<int>(name) { Description = description, HelpName = "N" }.From(0);
}
