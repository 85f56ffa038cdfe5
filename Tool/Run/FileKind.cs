using System.Runtime.InteropServices;

namespace FlashGen.Tool.Run;

/// <summary>What a path names, as far as .NET does not tell: a result may take the place of a file, and of nothing else.</summary>
internal static unsafe partial class FileKind
{
    // Linux's struct statx, the same on all processors (statx(2)): its length, and where its type and mode stand.
    private const int StatxBytes = 256,
        ModeAt = 28;

    private const uint WantsType = 1;

    private const int WorkingFolder = -100,
        TypeMask = 0xf000,
        Regular = 0x8000;

    /// <summary>Whether nothing is there or a plain file; true where the system has no way to tell.</summary>
    /// <param name="path">A whole path.</param>
    public static bool IsFreeOrRegular(string path)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(path))
            return true;
        byte* status = stackalloc byte[StatxBytes];
        return Statx(WorkingFolder, path, 0, WantsType, status) != 0
            || (*(ushort*)(status + ModeAt) & TypeMask) == Regular;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte* status);
}
