using System.ComponentModel;
using System.Globalization;

namespace FlashGen.Support;

/// <summary>What goes wrong inside a mod, as exceptions that name the place.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class ModFaults
{
    /// <summary>A mod read outside a table.</summary>
    public static TableReadException TableRead(string table, long index, long length, in Position at) =>
        new(table, index, length, at);

    /// <summary>A mod divided an integer by zero.</summary>
    public static DivideByZeroException Division(in Position at, Exception? inner = null) =>
        new($"A mod divided an integer by zero ({Place(at)}).", inner);

    /// <summary>A pair in words: batch 0, head 1, query 2, key 3.</summary>
    public static string Place(in Position at) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"batch {at.Batch}, head {at.Head}, query {at.Query}, key {at.Key}"
        );
}
