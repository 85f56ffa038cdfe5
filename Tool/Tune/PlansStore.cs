using System.Text;
using FlashGen.Dsl;
using FlashGen.Tool.Run;
using Microsoft.FSharp.Collections;

namespace FlashGen.Tool.Tune;

/// <summary>The plans file while a tuning is at work on it: nobody else writes it, and it changes as a whole at the end or not at all.</summary>
internal sealed class PlansStore : IDisposable
{
    private readonly string path;
    private readonly FileStream alone;
    private readonly PlanFile old;

    private PlansStore(string path, FileStream alone, PlanFile old) =>
        (this.path, this.alone, this.old) = (path, alone, old);

    /// <summary>Takes a plans file, which need not exist.</summary>
    /// <exception cref="ToolException">It cannot be written or read, or another tuning has it.</exception>
    public static PlansStore Open(string path)
    {
        // Whether it can be written is known before hours of measuring.
        using (OutputFile.Create("--plans", path)) { }
        FileStream alone = Lock(path);
        try
        {
            return new(path, alone, Read(path));
        }
        catch
        {
            alone.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes the file: what was measured in place of what was there for these kernels, and all else as it was. Comments stay above the
    /// kernels that they stood above.
    /// </summary>
    /// <param name="measured">The new entries.</param>
    /// <param name="kernels">What they are about; a class of shapes without an entry loses its old one.</param>
    /// <exception cref="ToolException">It cannot be written; the old file is as it was.</exception>
    public void Write(IReadOnlyList<PlanEntry> measured, IReadOnlySet<(TuneKernel Kernel, string DeviceClass)> kernels)
    {
        HashSet<string> hashes = [.. measured.Select(entry => entry.Variant + " " + entry.SpecHash)];
        HashSet<string> variants = [.. measured.Select(entry => entry.Variant)];
        IEnumerable<PlanEntry> kept = old
            .Entries.Select(entry => entry.Item2)
            .Where(entry =>
                !kernels.Contains((KernelOf(entry), entry.Tuned.DeviceClass))
                // What was measured for another spec of the variant serves nobody.
                && (!variants.Contains(entry.Variant) || hashes.Contains(entry.Variant + " " + entry.SpecHash))
            );
        using OutputFile file = OutputFile.Create("--plans", path);
        file.Write(
            Encoding.UTF8.GetBytes(PlanFileModule.printWith(old.Comments, ListModule.OfSeq(kept.Concat(measured))))
        );
        OutputFile.Commit(file);
    }

    /// <inheritdoc/>
    public void Dispose() => alone.Dispose();

    private static TuneKernel KernelOf(PlanEntry entry)
    {
        TilePlan plan = entry.Tuned.Plan;
        return new(
            entry.Variant,
            TuneUnits.Target(plan.Target),
            TuneUnits.Type(plan.Type),
            plan.Dims.HeadDim,
            plan.Dims.ValueDim,
            TilePlanModule.shapeClassName(plan.ShapeClass)
        );
    }

    private static FileStream Lock(string path)
    {
        string name = path + ".lock";
        try
        {
            return new(
                name,
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None,
                bufferSize: 1,
                FileOptions.DeleteOnClose
            );
        }
        catch (IOException e)
        {
            throw new ToolException(
                $"--plans {path}: another flashgen tune is at work on it ({Path.GetFileName(name)} is taken).",
                e
            );
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ToolException($"--plans {path}: it cannot be written: {e.Message}", e);
        }
    }

    private static PlanFile Read(string path)
    {
        if (!File.Exists(path))
            return PlanFileModule.empty;
        PlanFile file;
        try
        {
            file = PlanFileModule.parse(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"--plans {path}: it cannot be read: {e.Message}", e);
        }
        // Writing the file anew would lose a line that is not understood.
        if (!file.Faults.IsEmpty)
            throw new ToolException(
                FormattableString.Invariant(
                    $"--plans {path}: line {file.Faults.Head.Line}: {file.Faults.Head.Reason} Mend or remove the line, or give another file."
                )
            );
        return file;
    }
}
