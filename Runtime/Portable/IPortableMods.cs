using System.ComponentModel;
using ILGPU;

namespace FlashGen.Support;

/// <summary>What a portable kernel asks of a variant. Generated structs with the variant's arguments implement it.</summary>
/// <typeparam name="TReal">float or double.</typeparam>
/// <typeparam name="TLeaves">What <see cref="LeavesOfRows"/> finds; an int where there is nothing to find.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPortableMods<TReal, TLeaves>
    where TReal : unmanaged
    where TLeaves : struct
{
    /// <summary>Whether some of the mask is told by no row bounds.</summary>
    static abstract bool HasRest { get; }

    /// <summary>Whether a sink joins the sum.</summary>
    static abstract bool HasSink { get; }

    /// <summary>Whether probabilities are dropped.</summary>
    static abstract bool HasDropout { get; }

    /// <summary>The sink of a head.</summary>
    float Sink(int head);

    /// <summary>The keys that a row of the item may keep; none for a row past the last.</summary>
    PortableBounds Bounds(in PortableCall call, in PortableItem item, int row, ArrayView<int> fault);

    /// <summary>Least and greatest values over the item's rows of what the mask compares.</summary>
    TLeaves LeavesOfRows(in PortableCall call, in PortableItem item);

    /// <summary>What the mask leaves of a tile that some row's bounds touch.</summary>
    int Kind(
        in PortableCall call,
        in PortableItem item,
        in TLeaves rowLeaves,
        int firstKey,
        int lastKey,
        bool isCovered
    );

    /// <summary>Changes the scores of this thread's row in one tile and masks them.</summary>
    /// <param name="call">The call.</param>
    /// <param name="item">The group's work.</param>
    /// <param name="row">The row's bounds.</param>
    /// <param name="kind">What the mask leaves of the tile.</param>
    /// <param name="firstKey">The tile's first key.</param>
    /// <param name="keys">How many it has.</param>
    /// <param name="scores">The tile, key by key; the row's place is the thread's.</param>
    /// <param name="stride">From a key to the next.</param>
    /// <param name="faultWord">Receives faults.</param>
    void Change(
        in PortableCall call,
        in PortableItem item,
        in PortableRow<TReal> row,
        int kind,
        int firstKey,
        int keys,
        ArrayView<TReal> scores,
        int stride,
        ArrayView<int> faultWord
    );
}

/// <summary>
/// Takes the arguments of a variant, which generated structs have beside <see cref="IPortableMods{TReal, TLeaves}"/>. Apart from it: the compiler names what
/// implements a method with `in` after its interface, and the type of many arguments is longer than a name can be.
/// </summary>
/// <typeparam name="TArguments">The variant's arguments, as the kernel takes them.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPortableArguments<TArguments>
    where TArguments : struct
{
    /// <summary>The variant's arguments: set once, before all else.</summary>
    TArguments Arguments { set; }
}

/// <summary>
/// A variant's arguments for a kernel, one in front of the others; an int stands for none. A type of the variant's own would not do: code
/// that ILGPU writes at run time names the types of a kernel's parameters, and has no access to those of the user's assembly.
/// </summary>
/// <typeparam name="TFirst">The type of the first.</typeparam>
/// <typeparam name="TRest">The others.</typeparam>
/// <param name="first">The first.</param>
/// <param name="rest">The others.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct PortableArguments<TFirst, TRest>(TFirst first, TRest rest)
    where TFirst : struct
    where TRest : struct
{
    /// <summary>The first.</summary>
    public TFirst First = first;

    /// <summary>The others.</summary>
    public TRest Rest = rest;
}
