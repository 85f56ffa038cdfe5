namespace FlashGen;

/// <summary>
/// A captured buffer in a mod: a run-time argument of <c>Forward</c>, read by index. In kernels a table is a span or an array view;
/// this type is what the user's C# is compiled against, and what <see cref="Reference"/> reads through.
/// </summary>
/// <typeparam name="T">bool, byte, int, uint, long or float.</typeparam>
/// <param name="name">The argument's name, for messages.</param>
/// <param name="values">The elements.</param>
public readonly struct Table<T>(string name, ReadOnlyMemory<T> values)
    where T : unmanaged
{
    private readonly string? name = name;
    private readonly ReadOnlyMemory<T> values = values;

    /// <summary>The argument's name.</summary>
    public string Name => name ?? "";

    /// <summary>The number of elements.</summary>
    public int Length => values.Length;

    /// <summary>The element at an index.</summary>
    /// <exception cref="TableReadException">The index lies outside [0, Length).</exception>
    public T this[long index]
    {
        get
        {
            ReadOnlySpan<T> span = values.Span;
            return (ulong)index < (ulong)span.Length
                ? span[(int)index]
                : throw new TableReadException(Name, index, span.Length);
        }
    }
}
