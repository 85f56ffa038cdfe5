using System.Globalization;
using FlashGen.Support;

namespace FlashGen;

/// <summary>A mod read a table outside [0, length).</summary>
public sealed class TableReadException : Exception
{
    /// <summary>A read whose place is not known.</summary>
    /// <param name="table">The table's argument name.</param>
    /// <param name="index">The index read.</param>
    /// <param name="length">The table's length.</param>
    public TableReadException(string table, long index, long length)
        : base(Describe(table, index, length, null))
    {
        (Table, Index, Length) = (table, index, length);
    }

    /// <summary>A read at a known pair of query and key.</summary>
    /// <param name="table">The table's argument name.</param>
    /// <param name="index">The index read.</param>
    /// <param name="length">The table's length.</param>
    /// <param name="at">The pair whose mod read it.</param>
    /// <param name="inner">The exception that lacked the place, if there was one.</param>
    public TableReadException(string table, long index, long length, Position at, Exception? inner = null)
        : base(Describe(table, index, length, at), inner)
    {
        (Table, Index, Length, At) = (table, index, length, at);
    }

    /// <summary>The table's argument name.</summary>
    public string Table { get; }

    /// <summary>The index read.</summary>
    public long Index { get; }

    /// <summary>The table's length.</summary>
    public long Length { get; }

    /// <summary>The pair whose mod read it; null where it is not known.</summary>
    public Position? At { get; }

    private static string Describe(string table, long index, long length, Position? at)
    {
        string place = at is { } pair ? $" ({ModFaults.Place(pair)})" : "";
        string allowed =
            length == 0
                ? "the table is empty"
                : string.Create(CultureInfo.InvariantCulture, $"allowed are 0 to {length - 1}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Table '{table}' of length {length} was read at index {index}{place}; {allowed}."
        );
    }
}
