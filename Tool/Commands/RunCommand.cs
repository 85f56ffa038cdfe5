using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using FlashGen.Support;
using FlashGen.Tool.Arguments;
using FlashGen.Tool.Npy;
using FlashGen.Tool.Run;
using FlashGen.Tool.Variants;

namespace FlashGen.Tool.Commands;

/// <summary><c>flashgen run</c>: attention from NumPy files to NumPy files.</summary>
internal sealed class RunCommand
{
    private readonly Argument<string> variant = CommonOptions.Variant();
    private readonly Option<string> query = Required("--query", "The queries, (batch, heads, length, dim).");
    private readonly Option<string> key = Required("--key", "The keys, (batch, key heads, key length, dim).");
    private readonly Option<string> value = Required(
        "--value",
        "The values, (batch, key heads, key length, value dim)."
    );
    private readonly Option<string> output = Required(
        "--output",
        "Receives the output, (batch, heads, length, value dim), in the inputs' type: whole, or not at all."
    );
    private readonly Option<string?> logSumExp = new("--log-sum-exp")
    {
        Description = "Receives log-sum-exp, natural, (batch, heads, length): float32, or float64 for float64.",
        HelpName = "FILE.npy",
    };
    private readonly Option<string?> keyLengths = new("--key-lengths")
    {
        Description = "How many keys exist in each batch entry: a list such as 5,7, or a .npy file of integers.",
        HelpName = "LIST|FILE.npy",
    };
    private readonly Option<string[]> arguments = CommonOptions.Arguments();
    private readonly Option<string?> align = CommonOptions.Align();
    private readonly Option<string?> layout = new Option<string?>("--layout")
    {
        Description =
            "The order of the files' axes, output included: (batch, heads, length, dim) or (batch, length, heads, dim). The default is the variant's.",
    }.OneOf("batch-head-sequence", "batch-sequence-head");
    private readonly Option<string?> type = new Option<string?>("--type")
    {
        Description =
            "The element type, where the files do not say it: bfloat16 over files of 16 raw bits (<V2 as ml_dtypes writes it, <u2), or of float32, which is rounded. The output is stored as the inputs are.",
    }.OneOf([.. Enum.GetValues<ElementType>().Select(Describe.Type)]);
    private readonly Option<string> device = CommonOptions.Device();
    private readonly Option<int> threads = CommonOptions.Threads();
    private readonly Option<string?> assembly = CommonOptions.Assembly();
    private readonly Terminal terminal;

    private RunCommand(Terminal terminal) => this.terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        RunCommand run = new(terminal);
        Command command = new("run", "Computes attention on NumPy files.")
        {
            run.variant,
            run.query,
            run.key,
            run.value,
            run.output,
            run.logSumExp,
            run.arguments,
            run.keyLengths,
            run.align,
            run.layout,
            run.type,
            run.device,
            run.threads,
            run.assembly,
        };
        // On another thread: only then does the caller hear of Ctrl-C while it runs.
        command.SetAction(
            (parsed, cancellation) => Task.Run(() => run.Run(parsed, cancellation), CancellationToken.None)
        );
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        string deviceName = parsed.GetRequiredValue(device);
        if (deviceName != "simd" && parsed.GetResult(threads) is { Implicit: false })
            throw new ToolException($"--threads is for --device simd, not {deviceName}.");
        AttentionVariant chosen = VariantCatalog.Open(parsed.GetValue(assembly)).Find(parsed.GetRequiredValue(variant));
        using TensorFiles files = TensorFiles.Open(
            parsed.GetRequiredValue(query),
            parsed.GetRequiredValue(key),
            parsed.GetRequiredValue(value),
            parsed.GetValue(type) is { } asked ? Enum.Parse<ElementType>(asked, ignoreCase: true) : null,
            parsed.GetValue(layout) switch
            {
                "batch-head-sequence" => TensorLayout.BatchHeadSequence,
                "batch-sequence-head" => TensorLayout.BatchSequenceHead,
                _ => chosen.Layout,
            }
        );
        AttentionShape shape = files.Shape(chosen);
        if (parsed.GetValue(keyLengths) is { } lengths)
            shape = WithKeyLengths(shape, lengths);
        shape = CommonOptions.Aligned(shape, parsed.GetValue(align));
        ModArguments mods = ArgumentReader.Read(chosen, parsed.GetRequiredValue(arguments), shape);

        // Everything that can be refused without computing has been, but for the places of the results.
        string outputPath = parsed.GetRequiredValue(output);
        string? logSumExpPath = parsed.GetValue(logSumExp);
        IEnumerable<string> others = parsed
            .GetRequiredValue(arguments)
            .Select(argument => argument[(argument.IndexOf('=') + 1)..])
            .Append(parsed.GetValue(keyLengths) ?? "")
            .Where(ArgumentReader.IsFile);
        CheckPaths([.. files.Paths, .. others], outputPath, logSumExpPath);
        using Backend backend = Backend.Open(deviceName);
        using OutputFile outputFile = OutputFile.Create("--output", outputPath);
        using OutputFile? logSumExpFile = logSumExpPath is null
            ? null
            : OutputFile.Create("--log-sum-exp", logSumExpPath);
        ElementDispatch.Do(
            files.ElementType,
            new Work(terminal, chosen, files, shape, mods, backend, parsed.GetValue(threads), cancellation)
            {
                Output = outputFile,
                LogSumExp = logSumExpFile,
            }
        );
        terminal.Writer.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{chosen.Name}, {Describe.Type(files.ElementType)}, {shape}: {outputPath}"
            ) + (logSumExpPath is null ? "" : $" and {logSumExpPath}")
        );
        return 0;
    }

    private static AttentionShape WithKeyLengths(in AttentionShape shape, string text)
    {
        try
        {
            return shape with { KeyLengths = KeyLengths(text) };
        }
        catch (ArgumentException e)
        {
            throw new ToolException($"--key-lengths {text}: {Messages.Of(e)}", e);
        }
    }

    private static int[] KeyLengths(string text)
    {
        if (ArgumentReader.IsFile(text))
        {
            using NpyFile file = NpyFile.Open("--key-lengths", text);
            return (int[])TableReader.Read(file, "int");
        }
        return
        [
            .. text.Split(',')
                .Select(part =>
                    int.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
                        ? length
                        : throw new ToolException(
                            $"--key-lengths {text}: '{part}' is no length; it must be a list such as 5,7 or a .npy file."
                        )
                ),
        ];
    }

    private static void CheckPaths(string[] inputs, string outputPath, string? logSumExpPath)
    {
        HashSet<string> taken = [.. inputs.Select(OutputFile.Behind)];
        foreach ((string option, string? path) in new[] { ("--output", outputPath), ("--log-sum-exp", logSumExpPath) })
            if (path is { Length: > 0 } && !taken.Add(OutputFile.Behind(path)))
                throw new ToolException(
                    $"{option} {path}: it is also another file of this call; a result needs one of its own."
                );
    }

    private static Option<string> Required(string name, string description) =>
        new(name)
        {
            Description = description,
            Required = true,
            HelpName = "FILE.npy",
        };

    private sealed class Work(
        Terminal terminal,
        AttentionVariant variant,
        TensorFiles files,
        AttentionShape shape,
        ModArguments arguments,
        Backend backend,
        int threads,
        CancellationToken cancellation
    ) : IElementWork<bool>
    {
        public required OutputFile Output { get; init; }

        public OutputFile? LogSumExp { get; init; }

        public bool Do<T, TLogSumExp>()
            where T : unmanaged
            where TLogSumExp : unmanaged
        {
            (T[] query, T[] key, T[] value) = files.Read<T>();
            T[] output = new T[shape.OutputElements(files.Layout)];
            TLogSumExp[] logSumExp = LogSumExp is null ? [] : new TLogSumExp[shape.LogSumExpElements];
            HostTensors<T, TLogSumExp> tensors = new(query, key, value, output, logSumExp);
            terminal.WithProgress(
                $"{VariantCatalog.ShortName(variant)} on {backend.Description}",
                progress =>
                {
                    backend.Forward(
                        variant,
                        tensors,
                        shape,
                        arguments,
                        new AttentionOptions
                        {
                            Threads = threads,
                            Cancellation = cancellation,
                            Progress = progress,
                        }
                    );
                    return true;
                }
            );
            long[] axes =
                files.Layout == TensorLayout.BatchHeadSequence
                    ? [shape.Batch, shape.QueryHeads, shape.QueryLength, shape.ValueDim]
                    : [shape.Batch, shape.QueryLength, shape.QueryHeads, shape.ValueDim];
            WriteOutput(axes, output);
            if (LogSumExp is null)
            {
                OutputFile.Commit(Output);
                return true;
            }
            NpyWriter.Write<TLogSumExp>(
                LogSumExp.Stream,
                new('f', Marshal.SizeOf<TLogSumExp>()),
                [shape.Batch, shape.QueryHeads, shape.QueryLength],
                logSumExp
            );
            OutputFile.Commit(LogSumExp, Output);
            return true;
        }

        // bfloat16 that came as float32 goes back as float32: exact.
        private void WriteOutput<T>(long[] axes, T[] output)
            where T : unmanaged
        {
            if (files.FileType.Size == files.ElementType.Size())
                NpyWriter.Write<T>(Output.Stream, files.FileType, axes, output);
            else
                NpyWriter.Write<float>(
                    Output.Stream,
                    files.FileType,
                    axes,
                    Array.ConvertAll(output, element => (float)Elements.Widen(element))
                );
        }
    }
}
