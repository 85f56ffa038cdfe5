using Spectre.Console;

namespace FlashGen.Tool;

/// <summary>Where a run prints: results on one writer, messages and progress on another.</summary>
internal sealed class Terminal
{
    // What a file or a pipe gets: wide enough that no table of ours wraps.
    private const int PlainWidth = 200;

    private readonly bool isInteractive;

    /// <summary>A terminal over two writers.</summary>
    /// <param name="output">Results.</param>
    /// <param name="error">Messages and progress.</param>
    public Terminal(TextWriter output, TextWriter error)
    {
        (Writer, ErrorWriter) = (output, error);
        Output = Create(output, ReferenceEquals(output, System.Console.Out) && !System.Console.IsOutputRedirected);
        isInteractive = ReferenceEquals(error, System.Console.Error) && !System.Console.IsErrorRedirected;
        Error = Create(error, isInteractive);
    }

    /// <summary>Results, formatted.</summary>
    public IAnsiConsole Output { get; }

    /// <summary>Results, as plain text.</summary>
    public TextWriter Writer { get; }

    /// <summary>Messages, as plain text.</summary>
    public TextWriter ErrorWriter { get; }

    private IAnsiConsole Error { get; }

    /// <summary>Does work with a progress bar where someone watches.</summary>
    /// <param name="what">What is being done.</param>
    /// <param name="work">The work; it reports its share done, 0 to 1.</param>
    public T WithProgress<T>(string what, Func<IProgress<double>, T> work)
    {
        if (!isInteractive)
            return work(new Bar(null));
        return Error
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .Start(context => work(new Bar(context.AddTask(Markup.Escape(what), maxValue: 1))));
    }

    /// <summary>Does work with one bar, whose text the work changes; null where nobody watches.</summary>
    public void WithTask(string what, Action<ProgressTask?> work)
    {
        if (!isInteractive)
        {
            ErrorWriter.WriteLine(what);
            work(null);
            return;
        }
        Error
            .Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new RemainingTimeColumn()
            )
            .Start(context => work(context.AddTask(Markup.Escape(what), maxValue: 1)));
    }

    private static IAnsiConsole Create(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
                Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
            }
        );
        if (!isTerminal)
            console.Profile.Width = PlainWidth;
        return console;
    }

    // Progress<T> would queue reports behind the work; a bar takes them at once.
    private sealed class Bar(ProgressTask? task) : IProgress<double>
    {
        public void Report(double value)
        {
            if (task is not null)
                task.Value = value;
        }
    }
}
