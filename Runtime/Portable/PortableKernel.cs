using System.ComponentModel;
using System.Reflection;

namespace FlashGen.Support;

/// <summary>One compiled form of a generated kernel: a text, an element type, a group size.</summary>
/// <param name="threads">Threads of a group.</param>
/// <param name="rows">Query rows of a group.</param>
/// <param name="columns">Value columns of a group.</param>
/// <param name="method">The kernel's method.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class PortableKernel(int threads, int rows, int columns, Func<MethodInfo> method)
{
    /// <summary>Threads of a group.</summary>
    public int Threads { get; } = threads;

    /// <summary>Query rows of a group.</summary>
    public int Rows { get; } = rows;

    /// <summary>Value columns of a group.</summary>
    public int Columns { get; } = columns;

    /// <summary>The kernel's method.</summary>
    public MethodInfo Method => method();
}
