using System.CommandLine;
using System.Globalization;
using FlashGen.Dsl;
using FlashGen.Support;
using FlashGen.Tool.Tune;
using FlashGen.Tool.Tune.Report;
using FlashGen.Tool.Variants;
using Spectre.Console;

namespace FlashGen.Tool.Commands;

/// <summary><c>flashgen tune</c>: measures candidate plans of an assembly's variants, and writes down what won.</summary>
internal sealed class TuneCommand
{
    private static readonly string[] Devices = ["simd", "portable", "cuda", "opencl", "cpu"];

    private readonly Argument<string> assembly = new("ASSEMBLY")
    {
        Description = "The built assembly (.dll) with the variants.",
    };
    private readonly Option<string> device = new Option<string>("--device")
    {
        Description =
            "Where to measure: simd is the CPU's vectors; cuda and opencl the first such device; portable the same without tensor cores; cpu is ILGPU's simulator, whose times mean nothing.",
        DefaultValueFactory = _ => "simd",
    }.OneOf(Devices);
    private readonly Option<string[]> variant = new("--variant")
    {
        Description = "Only this variant; may be given several times.",
        HelpName = "NAME",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string[]> type = new Option<string[]>("--type")
    {
        Description = "Only this element type; may be given several times.",
        DefaultValueFactory = _ => [],
    }.OneOf([.. Enum.GetValues<ElementType>().Select(Describe.Type)]);
    private readonly Option<string[]> target = new Option<string[]>("--target")
    {
        Description = "Only kernels of this target; the default is all that the device runs.",
        DefaultValueFactory = _ => [],
    }.OneOf("simd", "portable", "sm80", "sm90");
    private readonly Option<string> plans = new("--plans")
    {
        Description = "The file to merge the result into.",
        HelpName = "FILE",
        DefaultValueFactory = _ => PlanFileModule.fileName,
    };
    private readonly Option<double> time = new Option<double>("--time")
    {
        Description = "Begin no further kernel after so many seconds; the journal lets a later run go on.",
        HelpName = "SECONDS",
    }.Seconds(seconds => seconds >= 0, "0 or more");
    private readonly Option<int> candidates = new Option<int>("--candidates")
    {
        Description = "Candidates of a kernel that are tried, those that the model likes best.",
        HelpName = "N",
        DefaultValueFactory = _ => 12,
    }.From(1);
    private readonly Option<double> limit = new Option<double>("--limit")
    {
        Description = "Seconds after which a candidate that does not come to an end is given up.",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 60,
    }.Seconds(seconds => seconds is > 0 and <= 86400, "above 0 and at most 86400");
    private readonly Option<int> vectorBits = new Option<int>("--vector-bits")
    {
        Description = "With --device simd: the vectors to measure; the default is the machine's widest.",
        HelpName = "512|256|128",
    }.OneOf(TargetDescriptionModule.simdWidths);
    private readonly Option<bool> keepTexts = new("--keep-texts")
    {
        Description = "Try only plans that leave the kernels' texts as they are, but for numbers: no code is added.",
    };
    private readonly Option<string> report = new("--report")
    {
        Description = "Also write a page (HTML) that shows what was measured, by this run and those before it.",
        HelpName = "FILE",
    };
    private readonly Option<int> threads = CommonOptions.Threads();
    private readonly Terminal terminal;

    private TuneCommand(Terminal terminal) => this.terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        TuneCommand tune = new(terminal);
        Command command = new(
            "tune",
            "Measures plans for an assembly's variants; the next build of the project picks up what won."
        )
        {
            tune.assembly,
            tune.device,
            tune.variant,
            tune.type,
            tune.target,
            tune.plans,
            tune.time,
            tune.candidates,
            tune.limit,
            tune.vectorBits,
            tune.keepTexts,
            tune.report,
            tune.threads,
        };
        command.SetAction(
            (parsed, cancellation) => Task.Run(() => tune.Tune(parsed, cancellation), CancellationToken.None)
        );
        return command;
    }

    /// <summary>The worker's command.</summary>
    public static Command CreateWorker(TextReader input, TextWriter output)
    {
        Argument<string> assembly = new("ASSEMBLY");
        Option<string> device = new("--device");
        Option<int> threads = new("--threads");
        Command command = new(WorkerProcess.Command, "Measures for tune.") { assembly, device, threads };
        command.Hidden = true;
        command.SetAction(parsed =>
            Worker.Run(
                parsed.GetRequiredValue(assembly),
                parsed.GetRequiredValue(device),
                parsed.GetValue(threads),
                input,
                output
            )
        );
        return command;
    }

    private int Tune(ParseResult parsed, CancellationToken cancellation)
    {
        string file = parsed.GetRequiredValue(assembly);
        VariantCatalog catalog = VariantCatalog.OfFile(file);
        string[] names = parsed.GetRequiredValue(variant);
        AttentionVariant[] chosen =
            names.Length == 0 ? [.. catalog.Variants] : [.. names.Select(catalog.Find).Distinct()];
        TuneSettings settings = SettingsOf(parsed, file);
        string path = parsed.GetRequiredValue(plans);
        string? page = parsed.GetValue(report);
        if (page is not null)
            TuneReport.Check(page, file, path, TuneJournal.PathOf(path));

        using PlansStore store = PlansStore.Open(path);
        using WorkerSlot slot = new(settings, cancellation);
        WorkerReply greeting = slot.Greeting();
        (AttentionVariant Variant, TargetKind Target)[] work = [.. Work(parsed, chosen, greeting)];
        using TuneJournal journal = TuneJournal.Open(TuneJournal.PathOf(path));
        Dsl.ElementType[] types = Types(parsed);
        int kernels = work.Sum(one => Kernels(one.Variant, one.Target, types, settings));
        if (kernels == 0)
            throw new ToolException(
                $"{file}: none of the variants chosen has a kernel for {greeting.Device} in these types; `flashgen show` says what there is."
            );
        TuneSession? session = null;
        try
        {
            terminal.WithTask(
                $"Tuning on {greeting.Device}",
                bar =>
                {
                    session = new(settings, slot, greeting, journal, new TuneProgress(terminal, bar, kernels));
                    foreach ((AttentionVariant one, TargetKind kind) in work)
                        session.Tune(one, kind, types);
                }
            );
        }
        catch (OperationCanceledException)
        {
            throw new ToolException(
                $"cancelled; {path} is as it was, and what was measured is in {TuneJournal.PathOf(path)}: run again to go on."
            );
        }
        store.Write(session!.Entries, session.Tuned);
        Report(session, greeting, path);
        if (page is not null)
        {
            IEnumerable<TuneRecord> records = Measured(journal, work, types, greeting);
            TuneMachine machine = new(greeting.Device, greeting.DeviceClass, TuneSession.Version, Roofs(settings));
            TuneReport.Write(page, records, session.Entries, machine);
            terminal.Writer.WriteLine($"The report is in {page}.");
        }
        return 0;
    }

    // What the journal holds of this run's kernels, whoever measured it.
    private static IEnumerable<TuneRecord> Measured(
        TuneJournal journal,
        (AttentionVariant Variant, TargetKind Target)[] work,
        Dsl.ElementType[] types,
        WorkerReply greeting
    )
    {
        HashSet<(string, string, Target)> kernels =
        [
            .. work.Select(one => (one.Variant.Name, one.Variant.SpecHash, TuneUnits.Target(one.Target))),
        ];
        return journal.Records.Where(record =>
            kernels.Contains((record.Variant, record.SpecHash, record.Target))
            && types.Contains(TuneUnits.Kind(record.Type))
            && record.Version == TuneSession.Version
            && (record.Device, record.DeviceClass) == (greeting.Device, greeting.DeviceClass)
        );
    }

    private static MachineRoofs? Roofs(TuneSettings settings) =>
        settings.Device switch
        {
            "simd" => MachineRoofs.OfCpu(settings.VectorBits, settings.Threads),
            "cuda" => MachineRoofs.OfCuda(),
            _ => null,
        };

    private TuneSettings SettingsOf(ParseResult parsed, string file)
    {
        int bits = parsed.GetValue(vectorBits) is > 0 and int given ? given : SimdForward.VectorBits;
        if (bits > SimdForward.VectorBits)
            throw new ToolException($"--vector-bits is {bits}; this machine's vectors have {SimdForward.VectorBits}.");
        double seconds = parsed.GetResult(time) is null ? double.PositiveInfinity : parsed.GetValue(time);
        string where = parsed.GetRequiredValue(device);
        return new()
        {
            Assembly = Path.GetFullPath(file),
            // The kernels of any device, on the best that is there.
            Device = where == "portable" ? AnyDevice() : where,
            Threads = parsed.GetValue(threads),
            VectorBits = bits,
            Candidates = parsed.GetValue(candidates),
            KeepsTexts = parsed.GetValue(keepTexts),
            Limit = TimeSpan.FromSeconds(parsed.GetValue(limit)),
            Deadline = seconds < 1e8 ? DateTime.UtcNow.AddSeconds(seconds) : DateTime.MaxValue,
        };
    }

    private static string AnyDevice()
    {
        using ILGPU.Context context = ILGPU.Context.Create(builder => builder.AllAccelerators());
        foreach (
            (ILGPU.Runtime.AcceleratorType type, string name) in new[]
            {
                (ILGPU.Runtime.AcceleratorType.Cuda, "cuda"),
                (ILGPU.Runtime.AcceleratorType.OpenCL, "opencl"),
            }
        )
            if (context.Devices.Any(device => device.AcceleratorType == type))
                return name;
        return "cpu";
    }

    private IEnumerable<(AttentionVariant, TargetKind)> Work(
        ParseResult parsed,
        AttentionVariant[] chosen,
        WorkerReply greeting
    )
    {
        string where = parsed.GetRequiredValue(device);
        string[] asked = parsed.GetRequiredValue(target);
        List<TargetKind> targets = [];
        if (where == "simd")
            targets.Add(TargetKind.Simd);
        else
        {
            targets.Add(TargetKind.Portable);
            if (where == "cuda" && greeting.DeviceClass.StartsWith("sm_", StringComparison.Ordinal))
            {
                int architecture = int.Parse(greeting.DeviceClass.AsSpan(3), CultureInfo.InvariantCulture);
                if (architecture >= 80)
                    targets.Add(TargetKind.Sm80);
                if (architecture == 90)
                    targets.Add(TargetKind.Sm90);
            }
        }
        if (asked.Length != 0)
        {
            if (
                asked.FirstOrDefault(name => targets.All(kind => TargetDescriptionModule.name(kind) != name)) is
                { } wrong
            )
                throw new ToolException(
                    $"--target {wrong}: {greeting.Device} runs {string.Join(", ", targets.Select(TargetDescriptionModule.name))}."
                );
            targets.RemoveAll(kind => !asked.Contains(TargetDescriptionModule.name(kind)));
        }
        return from one in chosen
            from kind in targets
            where one.Plans.Any(plan => plan.Target == TuneUnits.Target(kind))
            select (one, kind);
    }

    private Dsl.ElementType[] Types(ParseResult parsed)
    {
        string[] names = parsed.GetRequiredValue(type);
        return
        [
            .. Enum.GetValues<ElementType>()
                .Where(each => names.Length == 0 || names.Contains(Describe.Type(each)))
                .Select(TuneUnits.Kind),
        ];
    }

    private static int Kernels(
        AttentionVariant variant,
        TargetKind target,
        Dsl.ElementType[] types,
        TuneSettings settings
    )
    {
        var spec = Dsl.Text.parseSpec(variant.Spec);
        return spec.IsError
            ? 0
            : TuneUnits
                .Of(spec.ResultValue, target, types, settings.VectorBits)
                .Sum(unit => unit.Kernels.Count * (target.IsSimd ? 3 : 1));
    }

    private void Report(TuneSession session, WorkerReply greeting, string path)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("Variant", "Target", "Type", "Class", "Milliseconds", "Planner's", "Gain", "Plan");
        foreach (PlanEntry entry in session.Entries)
        {
            TilePlan plan = entry.Tuned.Plan;
            table.AddRow(
                new Spectre.Console.Text(entry.Variant[(entry.Variant.LastIndexOfAny(['.', '+']) + 1)..]),
                new Spectre.Console.Text(TargetDescriptionModule.name(plan.Target)),
                new Spectre.Console.Text(TilePlanModule.typeName(plan.Type)),
                new Spectre.Console.Text(TilePlanModule.shapeClassName(plan.ShapeClass)),
                new Spectre.Console.Text(Number(entry.Tuned.Milliseconds)),
                new Spectre.Console.Text(Number(entry.Tuned.DefaultMilliseconds)),
                new Spectre.Console.Text(
                    string.Create(CultureInfo.InvariantCulture, $"{PlanFileModule.gain(entry.Tuned) - 1:0.0%}")
                ),
                new Spectre.Console.Text(TuneProgress.Sizes(PlanText.print(plan)))
            );
        }
        terminal.Output.Write(table);
        terminal.Writer.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{session.Entries.Count} plans measured on {greeting.Device} ({greeting.DeviceClass}) are in {path}; the next build takes them."
            )
        );
        if (!session.IsComplete)
            terminal.Writer.WriteLine(
                "The time was over before all kernels had their turn; another run goes on from here."
            );
    }

    private static string Number(double milliseconds) => milliseconds.ToString("0.0000", CultureInfo.InvariantCulture);
}
