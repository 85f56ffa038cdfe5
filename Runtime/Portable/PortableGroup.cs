using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>
/// The size of a thread group, as a type: ILGPU then compiles a kernel of its own for each size, with the size a constant in it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPortableGroup
{
    /// <summary>Threads of a group.</summary>
    static abstract int Threads { get; }
}

/// <summary>16 threads: ILGPU's default CPU device.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct Group16 : IPortableGroup
{
    /// <inheritdoc/>
    public static int Threads => 16;
}

/// <summary>32 threads.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct Group32 : IPortableGroup
{
    /// <inheritdoc/>
    public static int Threads => 32;
}

/// <summary>64 threads.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct Group64 : IPortableGroup
{
    /// <inheritdoc/>
    public static int Threads => 64;
}

/// <summary>128 threads.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct Group128 : IPortableGroup
{
    /// <inheritdoc/>
    public static int Threads => 128;
}

/// <summary>256 threads.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct Group256 : IPortableGroup
{
    /// <inheritdoc/>
    public static int Threads => 256;
}
