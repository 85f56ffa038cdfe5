namespace FlashGen;

// Ready-made masks; several combine with AND. pos is Position.QueryPosition.

/// <summary>Keeps a key that does not lie after the query: key &lt;= pos.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class CausalAttribute : Attribute;

/// <summary>
/// Keeps keys near the query: pos - left &lt;= key &lt;= pos + right, both ends included. Mistral's window of 4096 keys is
/// <c>[Causal, SlidingWindow(4095)]</c>.
/// </summary>
/// <param name="left">Keys before the query's own, 0 or more; -1 means unbounded.</param>
/// <param name="right">Keys after the query's own, 0 or more; -1 means unbounded.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class SlidingWindowAttribute(int left, int right = -1) : Attribute
{
    /// <summary>Keys before the query's own; -1 means unbounded.</summary>
    public int Left { get; } = left;

    /// <summary>Keys after the query's own; -1 means unbounded.</summary>
    public int Right { get; } = right;
}

/// <summary>
/// Causal, but the first keys are seen by every query: key &lt;= pos or key &lt; prefix[batch]. It contains causal.
/// Run-time argument: <c>prefix</c>, int (batch).
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class PrefixLmAttribute : Attribute;

/// <summary>
/// Keeps keys of the query's own document: queryDocument[batch, query] == keyDocument[batch, key].
/// Run-time arguments: <c>queryDocument</c>, int (batch, queryLength), and <c>keyDocument</c>, int (batch, keyLength).
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DocumentAttribute : Attribute;

/// <summary>Keeps keys of the query's own chunk: with c = size * floor(pos / size), c &lt;= key &lt; c + size.</summary>
/// <param name="size">Keys in a chunk, 1 or more.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ChunkedAttribute(int size) : Attribute
{
    /// <summary>Keys in a chunk.</summary>
    public int Size { get; } = size;
}
