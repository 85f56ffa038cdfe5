using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace FlashGen.Tool.Tune;

/// <summary>A worker, as the tool sees it: asked in lines, and ended when an answer does not come.</summary>
internal sealed class WorkerProcess : IDisposable
{
    /// <summary>The command of the worker, which the tool's help does not list.</summary>
    public const string Command = "tune-worker";

    private readonly Process process;
    private readonly Channel<string> replies = Channel.CreateUnbounded<string>();
    private readonly List<string> complaints = [];

    private WorkerProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
                replies.Writer.TryWrite(text);
            else
                replies.Writer.TryComplete();
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
                lock (complaints)
                    complaints.Add(text);
        };
    }

    /// <summary>Starts a worker.</summary>
    /// <param name="arguments">What the worker's command takes.</param>
    /// <param name="vectorBits">The widest vectors that it may use.</param>
    public static WorkerProcess Start(IEnumerable<string> arguments, int vectorBits)
    {
        ProcessStartInfo start = new()
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        List<string> words = [.. Self(), Command, .. arguments];
        start.FileName = words[0];
        foreach (string word in words.Skip(1))
            start.ArgumentList.Add(word);
        if (vectorBits < 512)
            start.Environment["DOTNET_EnableAVX512"] = "0";
        if (vectorBits < 256)
            start.Environment["DOTNET_EnableAVX2"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        WorkerProcess worker = new(Process.Start(start) ?? throw new ToolException("The worker does not start."));
        worker.process.BeginOutputReadLine();
        worker.process.BeginErrorReadLine();
        return worker;
    }

    /// <summary>Asks for something.</summary>
    public void Send(WorkerRequest request)
    {
        try
        {
            process.StandardInput.WriteLine(WorkerLine.Write(request));
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has ended: that no answer comes says so.
        }
    }

    /// <summary>The next answer; null when there is none in time, or the worker has ended.</summary>
    public WorkerReply? Receive(TimeSpan limit, CancellationToken cancellation)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        both.CancelAfter(limit);
        try
        {
            return WorkerLine.Read<WorkerReply>(replies.Reader.ReadAsync(both.Token).AsTask().GetAwaiter().GetResult());
        }
        catch (ChannelClosedException)
        {
            process.WaitForExit();
            return null;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>What came of a candidate whose answer did not come.</summary>
    public (TuneOutcome Outcome, string Reason) Obituary(TimeSpan limit)
    {
        if (!process.HasExited)
            return (
                TuneOutcome.TimedOut,
                FormattableString.Invariant($"There was no end after {limit.TotalSeconds:0} s.")
            );
        string said;
        lock (complaints)
            said = complaints.FirstOrDefault(line => line.Trim().Length != 0)?.Trim() ?? "";
        // 137: killed, which is what Linux does to who takes too much memory.
        bool isMemory = process.ExitCode == 137 || said.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
        return (
            isMemory ? TuneOutcome.OutOfMemory : TuneOutcome.Failed,
            FormattableString.Invariant($"Its process ended with {process.ExitCode}. {said}").TrimEnd()
        );
    }

    /// <summary>Ends the worker, whatever it does.</summary>
    public void Dispose()
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // It ended meanwhile.
        }
        process.Dispose();
    }

    // The tool itself: its own launcher, or its assembly run by the .NET that runs this process.
    private static IEnumerable<string> Self()
    {
        string? launcher = Environment.ProcessPath;
        string name = Path.GetFileNameWithoutExtension(launcher) ?? "";
        string assembly = typeof(WorkerProcess).Assembly.GetName().Name!;
        if (launcher is not null && (name == assembly || name == "flashgen"))
            return [launcher];
        string dotnet =
            name == "dotnet"
                ? launcher!
                : Path.GetFullPath(
                    Path.Combine(
                        RuntimeEnvironment.GetRuntimeDirectory(),
                        "..",
                        "..",
                        "..",
                        OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"
                    )
                );
        string own = Path.Combine(AppContext.BaseDirectory, assembly);
        return File.Exists(dotnet) ? [dotnet, own + ".dll"] : [own];
    }
}
