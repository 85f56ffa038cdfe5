using System.CommandLine;
using System.CommandLine.Invocation;
using FlashGen.Tool.Commands;

namespace FlashGen.Tool;

/// <summary>The command line. Exit codes: 0 done, 1 refused, failed or cancelled; a stack trace is never shown.</summary>
internal static class Program
{
    // The library's codes for a command that does not come to an end within two seconds of Ctrl-C or of being told to (128 and the signal).
    private const int Interrupted = 130,
        Terminated = 143;

    private static int Main(string[] args) => Run(args, Console.Out, Console.Error);

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The words after the program's name.</param>
    /// <param name="output">Receives results.</param>
    /// <param name="error">Receives messages and progress.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        Terminal terminal = new(output, error);
        RootCommand root = new("FlashGen: attention kernels specialised at compile time.")
        {
            ListCommand.Create(terminal),
            ShowCommand.Create(terminal),
            RunCommand.Create(terminal),
            VerifyCommand.Create(terminal),
            TuneCommand.Create(terminal),
            TuneCommand.CreateWorker(Console.In, output),
        };
        try
        {
            ParseResult parsed = root.Parse(args);
            // A page of help would push what is wrong out of sight, unless nothing at all was said.
            bool isHinted = parsed.Action is ParseErrorAction && args.Length != 0;
            if (isHinted)
                ((ParseErrorAction)parsed.Action!).ShowHelp = false;
            int code = parsed.Invoke(
                new()
                {
                    EnableDefaultExceptionHandler = false,
                    Output = output,
                    Error = error,
                }
            );
            if (isHinted)
                error.WriteLine($"`{Name(parsed.CommandResult.Command)} --help` shows what there is.");
            if (code is not (Interrupted or Terminated))
                return code;
            error.WriteLine("flashgen: cancelled while it could not stop by itself; nothing was written.");
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("flashgen: cancelled; nothing was written.");
        }
        catch (OutOfMemoryException)
        {
            error.WriteLine("flashgen: there is not enough memory for tensors of this size.");
        }
        catch (Exception e)
            when (e is ToolException or ArgumentException or NotSupportedException or TableReadException)
        {
            error.WriteLine($"flashgen: {Messages.Of(e)}");
        }
        catch (Exception e)
        {
            // Not foreseen: the type helps whoever reads the report of it.
            error.WriteLine($"flashgen: {e.GetType().Name}: {Messages.Of(e)}");
        }
        return 1;
    }

    private static string Name(Command command) => command is RootCommand ? "flashgen" : $"flashgen {command.Name}";
}
