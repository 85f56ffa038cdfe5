using System.ComponentModel;
using ILGPU;

namespace FlashGen.Support;

/// <summary>What a tensor-core kernel asks of a variant. Generated structs with the variant's arguments implement it.</summary>
/// <typeparam name="TRow">What the variant computes once for a query row.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface ITensorMods<TRow>
    where TRow : struct
{
    /// <summary>Whether rows keep some keys and not others.</summary>
    static abstract bool HasMask { get; }

    /// <summary>Whether some of the mask is told by no row bounds.</summary>
    static abstract bool HasRest { get; }

    /// <summary>Whether scores are changed.</summary>
    static abstract bool HasChanges { get; }

    /// <summary>Whether a change is long: its text stands once, in a loop.</summary>
    static abstract bool HasLongChanges { get; }

    /// <summary>Whether a sink joins the sum.</summary>
    static abstract bool HasSink { get; }

    /// <summary>Whether probabilities are dropped.</summary>
    static abstract bool HasDropout { get; }

    /// <summary>The keys that a row of the item may keep; none for a row past the last.</summary>
    PortableBounds Bounds(in PortableCall call, in PortableItem item, int row, ArrayView<int> fault);

    /// <summary>
    /// What the mask leaves of a chunk's tiles of keys beside the rows' bounds; warps share the tiles, a warp's threads call it together.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">How heads share the rows.</param>
    /// <param name="item">The group's rows, or where heads share them the thread's.</param>
    /// <param name="first">The first tile of the rows' bounds.</param>
    /// <param name="from">The chunk's last tile.</param>
    /// <param name="blockN">Keys of a tile.</param>
    /// <param name="warp">The warp's number among those that share the tiles.</param>
    /// <param name="warps">How many they are.</param>
    TensorChunk Kinds(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        int first,
        int from,
        int blockN,
        int warp,
        int warps
    );

    /// <summary>What changes and mask need of a row; a row past the last stands for the last.</summary>
    TRow Row(in PortableCall call, in PortableItem item, int row, ArrayView<int> fault);

    /// <summary>Whether the mask keeps a pair.</summary>
    bool Keeps(
        in PortableCall call,
        in PortableItem item,
        in TRow row,
        in PortableBounds bounds,
        int key,
        ref int faults
    );

    /// <summary>A scaled score, changed; the key's number comes as a float too.</summary>
    float Change(
        in PortableCall call,
        in PortableItem item,
        in TRow row,
        in PortableBounds bounds,
        int key,
        float keyNumber,
        float score,
        ref int faults
    );

    /// <summary>The sink of a head.</summary>
    float Sink(int head);
}

/// <summary>A tensor-core kernel for one plan; generated structs implement it.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface ITensorKernel
{
    /// <summary>The kernel's body. The kernel's parameters queryMap, keyMap, valueMap and dropoutKeys are reached by their names in PTX.</summary>
    static abstract void Forward<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods)
        where TMods : struct, ITensorMods<TRow>
        where TRow : struct;
}
