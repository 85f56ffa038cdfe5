using System.Collections.Concurrent;

namespace FlashGen.Tool.Run;

/// <summary>
/// A file that appears whole or not at all: it is written beside its place under another name, and takes its name at the end.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    // A process that is told to end does not wait for a device that is still at work, nor for who would remove what it has not written to its end.
    private static readonly ConcurrentDictionary<OutputFile, ValueTuple> uncommitted = new();

    private readonly string option;
    private readonly string path;
    private readonly string temporary;
    private readonly string former;
    private bool committed;

    static OutputFile() =>
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            foreach (OutputFile file in uncommitted.Keys)
                file.Dispose();
        };

    private OutputFile(string option, string path, string temporary, FileStream stream)
    {
        (this.option, this.path, this.temporary, Stream) = (option, path, temporary, stream);
        former = Path.ChangeExtension(temporary, "old");
        uncommitted.TryAdd(this, default);
    }

    /// <summary>Where to write.</summary>
    public FileStream Stream { get; }

    /// <summary>The file that a path leads to, behind links of its own and of its folders; the path where they cannot be followed.</summary>
    public static string Behind(string path)
    {
        string full = Path.GetFullPath(path);
        try
        {
            FileSystemInfo info = Directory.Exists(full) ? new DirectoryInfo(full) : new FileInfo(full);
            if (info.LinkTarget is not null && info.ResolveLinkTarget(returnFinalTarget: true) is { } target)
                full = target.FullName;
        }
        catch (IOException) { }
        return Path.GetDirectoryName(full) is { } folder ? Path.Combine(Behind(folder), Path.GetFileName(full)) : full;
    }

    /// <summary>Makes sure, before any work is done, that the file can be written.</summary>
    /// <exception cref="ToolException">Its folder is missing or read-only, or a folder has its name.</exception>
    public static OutputFile Create(string option, string path)
    {
        if (path.Length == 0)
            throw new ToolException($"{option} is empty; give the name of a file.");
        try
        {
            string full = Path.GetFullPath(path);
            if (!FileKind.IsFreeOrRegular(full))
                throw new ToolException(
                    $"{option} {path}: it is a device, a pipe or a socket; give the name of a file."
                );
            // A link stays, and what it names gets the result.
            if (new FileInfo(full).LinkTarget is not null && File.ResolveLinkTarget(full, true) is { } target)
                full = target.FullName;
            if (Directory.Exists(full))
                throw new ToolException($"{option} {path}: it is a folder; give the name of a file.");
            if (File.Exists(full) && File.GetAttributes(full).HasFlag(FileAttributes.ReadOnly))
                throw new ToolException($"{option} {path}: it is read-only.");
            string folder =
                Path.GetDirectoryName(full) ?? throw new ToolException($"{option} {path}: it is no file name.");
            if (!Directory.Exists(folder))
                throw new ToolException($"{option} {path}: there is no folder {folder}.");
            string temporary = Path.Combine(folder, $".flashgen.{Guid.NewGuid():N}.tmp");
            return new(option, full, temporary, new FileStream(temporary, FileMode.CreateNew, FileAccess.Write));
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new ToolException($"{option} {path}: it cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes bytes.</summary>
    /// <exception cref="ToolException">The disk is full or gone.</exception>
    public void Write(byte[] bytes) => Try(() => Stream.Write(bytes));

    /// <summary>Gives all files their names. When one cannot have it, none of the others has, and what was there before is there again.</summary>
    /// <exception cref="ToolException">A file could not be written to its end or renamed.</exception>
    public static void Commit(params IReadOnlyList<OutputFile> files)
    {
        foreach (OutputFile file in files)
            file.Try(() =>
            {
                file.Stream.Flush(flushToDisk: true);
                file.Stream.Dispose();
            });
        int named = 0;
        try
        {
            for (; named < files.Count; named++)
                files[named].Try(files[named].TakeName);
        }
        catch (ToolException)
        {
            foreach (OutputFile file in files.Take(named + 1))
                file.Try(file.GiveBack);
            throw;
        }
        foreach (OutputFile file in files)
            file.Forget();
    }

    // A file of that name moves aside, and is there under one name or the other all the time.
    private void TakeName()
    {
        if (File.Exists(path))
            File.Replace(temporary, path, former);
        else
            File.Move(temporary, path);
        committed = true;
    }

    private void GiveBack()
    {
        // One whose own replacement failed may have moved the old file aside or not.
        if (File.Exists(former) && (committed || !File.Exists(path)))
            File.Move(former, path, overwrite: true);
        else
            File.Delete(committed ? path : former);
    }

    private void Forget()
    {
        try
        {
            File.Delete(former);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The results have their names: that someone holds on to what they replaced takes nothing from them.
        }
    }

    /// <summary>Removes what was not committed.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (uncommitted.TryRemove(this, out _) && !committed)
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
