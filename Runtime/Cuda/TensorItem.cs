using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>The work of a group of a tensor-core kernel: one unit after another, as many groups apart as there are.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorItem
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Where the query of a row is that a tile has and no head.
    private const int Beyond = 1 << 24;

    /// <summary>
    /// The unit of a group's step. From round to round the groups change places: the number of units of a head often divides that of the
    /// groups, and a group would meet the same tile of every head. Where units descend, the first becomes the last and the last the first.
    /// </summary>
    /// <param name="memory">The call's work.</param>
    /// <param name="step">The step.</param>
    /// <param name="mayDescend">A constant: whether the variant's units may descend at all.</param>
    [MethodImpl(Inline)]
    public static int Unit(in TensorMemory memory, int step, bool mayDescend)
    {
        int round = step >> (memory.Work.TilesOfUnit - 1);
        int group = Grid.IdxX + round,
            next = group - memory.Work.ByGroups.Into(group) * Grid.DimX,
            turned = (round & 1) == 0 ? Grid.IdxX : Grid.DimX - 1 - Grid.IdxX;
        return round * Grid.DimX + (mayDescend & memory.Work.Descends != 0 ? turned : next);
    }

    /// <summary>
    /// The rows of a step; none where the middle tile has no partner. Where heads share the tile, each thread gets its own rows' head, the
    /// first head's for the first of all threads; all else is the same in a warp, and the driver's compiler is told so: what follows from
    /// it takes uniform registers and branches. All threads of the warp ask together.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">The call's work, and key lengths of all batch entries, then their offsets, or nothing.</param>
    /// <param name="step">The step.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    /// <param name="number">The thread's number.</param>
    /// <param name="mayDescend">As of <see cref="Unit"/>.</param>
    [MethodImpl(Inline)]
    public static PortableItem Of(
        in PortableCall call,
        in TensorMemory memory,
        int step,
        int tileRows,
        int number,
        bool mayDescend
    )
    {
        bool isSecond = (step & (memory.Work.TilesOfUnit - 1)) != 0;
        int unit = Unit(memory, step, mayDescend);
        PortableItem item = Placed(call, memory, unit, isSecond, tileRows, number, mayDescend);
        // What comes before it, and a kernel's start, takes none of the time that is waited for.
        TensorLastPart.Follow();
        return Measured(memory, item);
    }

    /// <summary>The rows of a group that has one tile of rows and no steps; else as of a step.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">As of a step.</param>
    /// <param name="tileRows">Rows of a tile.</param>
    [MethodImpl(Inline)]
    public static PortableItem OfGroup(in PortableCall call, in TensorMemory memory, int tileRows) =>
        Measured(memory, Placed(call, memory, Grid.IdxX, false, tileRows, Group.IdxX, false));

    // From the parameters alone.
    [MethodImpl(Inline)]
    private static PortableItem Placed(
        in PortableCall call,
        in TensorMemory memory,
        int unit,
        bool isSecond,
        int tileRows,
        int number,
        bool mayDescend
    )
    {
        TensorPlace place = TensorPlace.Of(memory.Work, unit, isSecond, tileRows, call.QueryLength, mayDescend);
        PortableItem item = default;
        item.FirstRow = TensorWarp.Uniform(place.FirstRow);
        item.Rows = TensorWarp.Uniform(place.Rows);
        item.Batch = TensorWarp.Uniform(place.Batch);
        item.KeyHead = TensorWarp.Uniform(place.KeyHead);
        item.Head = Head(call, memory, item, place.FirstHead, number);
        item.Part = TensorWarp.Uniform(place.Part);
        item.Slot = TensorWarp.Uniform(place.Slot);
        item.KeyLength = call.KeyLength;
        item.Offset = call.Offset;
        return item;
    }

    // With what is known of its batch entry.
    [MethodImpl(Inline)]
    private static PortableItem Measured(in TensorMemory memory, in PortableItem placed)
    {
        PortableItem item = placed;
        if (memory.Lengths.Length > 0)
        {
            item.KeyLength = TensorWarp.Uniform(memory.Lengths[item.Batch]);
            item.Offset = TensorWarp.Uniform(memory.Lengths[(memory.Lengths.Length >> 1) + item.Batch]);
        }
        return item;
    }

    /// <summary>The query of a tile's row in the thread's item, past the item's last where the set has fewer heads.</summary>
    [MethodImpl(Inline)]
    public static int Query(in PortableCall call, in TensorMemory memory, in PortableItem item, int row, int number)
    {
        int head = item.Head - item.KeyHead * call.GroupSize;
        bool isOwn = (head & ((1 << memory.Work.HeadBits) - 1)) == HeadOfThread(memory, number);
        return isOwn ? row >> memory.Work.HeadBits : Beyond;
    }

    /// <summary>Queries from a thread's first row to its second, which is eight rows below in the tile.</summary>
    [MethodImpl(Inline)]
    public static int Below(in TensorMemory memory) => 8 >> memory.Work.HeadBits;

    /// <summary>The row of the tile that a query of a thread's is.</summary>
    [MethodImpl(Inline)]
    public static int RowOf(in TensorMemory memory, int query, int number) =>
        query << memory.Work.HeadBits | HeadOfThread(memory, number);

    /// <summary>The head of its key head that the rows of an item start with.</summary>
    [MethodImpl(Inline)]
    public static int FirstHead(in PortableCall call, in TensorMemory memory, in PortableItem item) =>
        item.Head - item.KeyHead * call.GroupSize & -(1 << memory.Work.HeadBits);

    /// <summary>The head of a thread's rows.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">How heads share the rows.</param>
    /// <param name="item">The item.</param>
    /// <param name="firstHead">The head of the key head that its rows start with.</param>
    /// <param name="number">The thread's number.</param>
    [MethodImpl(Inline)]
    public static int Head(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        int firstHead,
        int number
    ) => item.KeyHead * call.GroupSize + Math.Min(firstHead + HeadOfThread(memory, number), call.GroupSize - 1);

    /// <summary>Leaves a group's item in shared memory; its first thread does.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">How heads share the rows.</param>
    /// <param name="item">The item.</param>
    /// <param name="address">Its place: 32 bytes, from a multiple of 16 on.</param>
    [MethodImpl(Inline)]
    public static void Store(in PortableCall call, in TensorMemory memory, in PortableItem item, int address)
    {
        if (Group.IdxX > 0)
            return;
        int firstHead = FirstHead(call, memory, item);
        Store(address, item.FirstRow, item.Rows, item.Batch, item.KeyHead);
        Store(address + 16, firstHead, item.Slot, item.KeyLength, item.Offset);
    }

    /// <summary>The item that is there, with each thread's own head and without its part; a warp's threads take it together.</summary>
    /// <param name="call">The call.</param>
    /// <param name="memory">How heads share the rows.</param>
    /// <param name="address">Its place.</param>
    [MethodImpl(Inline)]
    public static PortableItem Load(in PortableCall call, in TensorMemory memory, int address)
    {
        PortableItem item = default;
        item.FirstRow = Word(address);
        item.Rows = Word(address + 4);
        item.Batch = Word(address + 8);
        item.KeyHead = Word(address + 12);
        item.Head = Head(call, memory, item, Word(address + 16), Group.IdxX);
        item.Slot = Word(address + 20);
        item.KeyLength = Word(address + 24);
        item.Offset = Word(address + 28);
        return item;
    }

    [MethodImpl(Inline)]
    private static void Store(int address, int first, int second, int third, int fourth) =>
        CudaAsm.Emit("st.shared.v4.b32 [%0], {%1, %2, %3, %4};", address, first, second, third, fourth);

    [MethodImpl(Inline)]
    private static int Word(int address)
    {
        CudaAsm.Emit("ld.shared.b32 %0, [%1];", out int word, address);
        return TensorWarp.Uniform(word);
    }

    // Threads of a warp by fours have rows whose numbers end in the same three bits.
    [MethodImpl(Inline)]
    private static int HeadOfThread(in TensorMemory memory, int number) =>
        number >> 2 & ((1 << memory.Work.HeadBits) - 1);
}
