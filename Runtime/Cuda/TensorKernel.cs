using System.ComponentModel;
using System.Reflection;

namespace FlashGen.Support;

/// <summary>A tensor-core kernel of a variant: one plan and 16-bit type.</summary>
/// <param name="threads">Threads of a group.</param>
/// <param name="blockM">Query rows of a group.</param>
/// <param name="blockN">Keys of a tile.</param>
/// <param name="sharedBytes">Dynamic shared memory of a group.</param>
/// <param name="groups">Groups that a multiprocessor runs at a time.</param>
/// <param name="method">The kernel's method.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class TensorKernel(
    int threads,
    int blockM,
    int blockN,
    int sharedBytes,
    int groups,
    Func<MethodInfo> method
)
{
    /// <summary>Threads of a group.</summary>
    public int Threads { get; } = threads;

    /// <summary>Query rows of a group.</summary>
    public int BlockM { get; } = blockM;

    /// <summary>Keys of a tile.</summary>
    public int BlockN { get; } = blockN;

    /// <summary>Dynamic shared memory of a group in bytes.</summary>
    public int SharedBytes { get; } = sharedBytes;

    /// <summary>
    /// Groups that a multiprocessor runs at a time, which its compiler leaves registers for; Ampere's take what they need, and as many run as
    /// there is room for.
    /// </summary>
    public int Groups { get; } = groups;

    /// <summary>The kernel's method.</summary>
    public MethodInfo Method => method();
}
