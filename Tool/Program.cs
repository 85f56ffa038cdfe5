using System.CommandLine;
using FlashGen.Tool.Commands;

namespace FlashGen.Tool;

/// <summary>The command line. Exit codes: 0 done, 1 refused, failed or cancelled; a stack trace is never shown.</summary>
internal static class Program
{
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
            return root.Parse(args)
                .Invoke(
                    new()
                    {
                        EnableDefaultExceptionHandler = false,
                        Output = output,
                        Error = error,
                    }
                );
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
}
