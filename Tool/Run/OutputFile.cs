namespace FlashGen.Tool.Run;

/// <summary>
/// A file that appears whole or not at all: it is written beside its place under another name, and takes its name at the end.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string option;
    private readonly string path;
    private readonly string temporary;
    private bool committed;

    private OutputFile(string option, string path, string temporary, FileStream stream)
    {
        (this.option, this.path, this.temporary, Stream) = (option, path, temporary, stream);
    }

    /// <summary>Where to write.</summary>
    public FileStream Stream { get; }

    /// <summary>Makes sure, before any work is done, that the file can be written.</summary>
    /// <exception cref="ToolException">Its folder is missing or read-only, or a folder has its name.</exception>
    public static OutputFile Create(string option, string path)
    {
        try
        {
            string full = Path.GetFullPath(path);
            if (Directory.Exists(full))
                throw new ToolException($"{option} {path}: it is a folder; give the name of a file.");
            string folder =
                Path.GetDirectoryName(full) ?? throw new ToolException($"{option} {path}: it is no file name.");
            if (!Directory.Exists(folder))
                throw new ToolException($"{option} {path}: there is no folder {folder}.");
            string temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{Guid.NewGuid():N}.tmp");
            return new(option, path, temporary, new FileStream(temporary, FileMode.CreateNew, FileAccess.Write));
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException($"{option} {path}: it cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Gives all files their names. When one cannot have it, none of those that were new stays.</summary>
    /// <exception cref="ToolException">A file could not be written to its end or renamed.</exception>
    public static void Commit(params IReadOnlyList<OutputFile> files)
    {
        foreach (OutputFile file in files)
            file.Try(() =>
            {
                file.Stream.Flush(flushToDisk: true);
                file.Stream.Dispose();
            });
        List<(OutputFile File, bool Existed)> named = [];
        try
        {
            foreach (OutputFile file in files)
            {
                bool existed = File.Exists(file.path);
                file.Try(() => File.Move(file.temporary, file.path, overwrite: true));
                file.committed = true;
                named.Add((file, existed));
            }
        }
        catch (ToolException)
        {
            foreach ((OutputFile file, bool existed) in named)
                if (!existed)
                    File.Delete(file.path);
            throw;
        }
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (!committed)
            File.Delete(temporary);
    }

    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{option} {path}: it cannot be written: {e.Message}", e);
        }
    }
}
