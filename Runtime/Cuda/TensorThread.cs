using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>The two rows, eight apart, of which a thread holds every fourth pair of columns.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorThread<TRow>
    where TRow : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The first row's query, counted from the item's first; the second row's is so many on.</summary>
    public int Row,
        Below;

    /// <summary>The thread's number in its group, by which stores find their columns.</summary>
    public int Number;

    /// <summary>The keys that the rows keep by their bounds.</summary>
    public int First0,
        Last0,
        First1,
        Last1;

    /// <summary>The keys that all rows of the warp keep by their bounds.</summary>
    public int WarpFirst,
        WarpLast;

    /// <summary>What changes and mask need of the rows.</summary>
    public TRow Row0,
        Row1;

    /// <summary>Where the rows' softmax starts.</summary>
    public float Maximum,
        Sum;

    /// <summary>Not 0 after a reached read or division without an answer.</summary>
    public int Faults;

    /// <summary>The thread's rows of an item, by the first one's place in the tile.</summary>
    [MethodImpl(Inline)]
    public static TensorThread<TRow> Of<TMods>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods,
        int row
    )
        where TMods : struct, ITensorMods<TRow>
    {
        TensorThread<TRow> thread = At(call, memory, item, mods, row, memory.Fault);
        thread.WarpFirst = TensorWarp.Max(Math.Max(thread.First0, thread.First1));
        thread.WarpLast = TensorWarp.Min(Math.Min(thread.Last0, thread.Last1));
        thread.Maximum = float.NegativeInfinity;
        if (TMods.HasSink)
        {
            // The sink is a key without a value: one of the four threads of a row starts the sum with it.
            float sink = item.Part <= 0 ? mods.Sink(item.Head) : float.NegativeInfinity;
            bool isScaled = TMods.HasChanges || memory.IsScaledFirst != 0;
            thread.Maximum = isScaled ? sink : sink / memory.Scale;
            thread.Sum = (Group.IdxX & 3) == 0 & sink != float.NegativeInfinity ? 1 : 0;
        }
        return thread;
    }

    /// <summary>
    /// The thread's rows of an item once more, as changes and mask need them: without what is of the warp and of the softmax. Faults were
    /// noted the first time; here, between products, a branch for them would make all products run one after another.
    /// </summary>
    [MethodImpl(Inline)]
    public static TensorThread<TRow> At<TMods>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods,
        int row
    )
        where TMods : struct, ITensorMods<TRow> => At(call, memory, item, mods, row, default);

    [MethodImpl(Inline)]
    private static TensorThread<TRow> At<TMods>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods,
        int row,
        ArrayView<int> fault
    )
        where TMods : struct, ITensorMods<TRow>
    {
        TensorThread<TRow> thread = default;
        thread.Row = TensorItem.Query(call, memory, item, row, Group.IdxX);
        thread.Below = TensorItem.Below(memory);
        thread.Number = Group.IdxX;
        thread.FindBounds(call, memory, item, mods, thread.Row);
        thread.Row0 = mods.Row(call, item, thread.Row, fault);
        thread.Row1 = mods.Row(call, item, thread.Row + thread.Below, fault);
        return thread;
    }

    /// <summary>Finds the keys that the rows keep by their bounds, by the first row's query; <see cref="TensorRange"/> has noted what faults.</summary>
    [MethodImpl(Inline)]
    public void FindBounds<TMods>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods,
        int row
    )
        where TMods : struct, ITensorMods<TRow>
    {
        int second = row + Below,
            last = item.Rows - 1;
        // Rows past the last repeat it, here and in what the variant keeps of them, so that they reach nothing that no row reaches.
        PortableBounds bounds0 = mods.Bounds(call, item, Math.Min(row, last), default),
            bounds1 = mods.Bounds(call, item, Math.Min(second, last), default);
        First0 = bounds0.First;
        Last0 = bounds0.Last;
        First1 = bounds1.First;
        Last1 = bounds1.Last;
    }

    /// <summary>Lets the rows keep all keys.</summary>
    [MethodImpl(Inline)]
    public void KeepAll(int keyLength)
    {
        First0 = First1 = 0;
        Last0 = Last1 = keyLength - 1;
    }

    /// <summary>The rows' pairs from one key on.</summary>
    [MethodImpl(Inline)]
    public readonly TensorPairs<TMods, TRow> Pairs<TMods>(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        in TMods mods,
        int key
    )
        where TMods : struct, ITensorMods<TRow>
    {
        TensorPairs<TMods, TRow> pairs = default;
        pairs.Call = call;
        pairs.Item = item;
        pairs.Mods = mods;
        pairs.Row0 = Row0;
        pairs.Row1 = Row1;
        pairs.Bounds0 = Bounds(First0, Last0);
        pairs.Bounds1 = Bounds(First1, Last1);
        pairs.Key = key;
        pairs.KeyNumber = key;
        pairs.Scale = memory.Scale;
        return pairs;
    }

    /// <summary>The dropout of a tile.</summary>
    [MethodImpl(Inline)]
    public readonly DropPairs Drop(in PortableCall call, in PortableItem item, int firstKey)
    {
        DropPairs drop = default;
        drop.Offset = call.DropoutOffset;
        drop.Threshold = call.DropoutThreshold << 16;
        drop.BatchHead = (uint)(item.Batch * call.QueryHeads + item.Head);
        drop.Query = item.FirstRow + Row;
        drop.Below = Below;
        drop.KeyGroup = firstKey / 8 + (Group.IdxX & 3);
        return drop;
    }

    /// <summary>Stores the rows' log-sum-exp, a part's among the parts' results; one thread of the four that share a row.</summary>
    [MethodImpl(Inline)]
    public readonly void StoreLogSumExp(
        in PortableCall call,
        in TensorMemory memory,
        in PortableItem item,
        int columns,
        float row0,
        float row1
    )
    {
        bool isPart = item.Slot >= 0;
        // One of the two: whether there is a log-sum-exp to store would be kept over the loop.
        long start = isPart ? memory.Parts : memory.LogSumExp;
        if ((Number & 3) != 0 | start == 0)
            return;
        long address = start + sizeof(float) * (isPart ? PartRow(memory, item, columns) + columns : Index(call, item));
        if (Row < item.Rows)
            CudaAsm.Emit("st.global.f32 [%0], %1;", address, row0);
        if (Row + Below < item.Rows)
            CudaAsm.Emit(
                "st.global.f32 [%0], %1;",
                address + sizeof(float) * (isPart ? 8 * TensorMerge.RowFloats(columns) : Below),
                row1
            );
    }

    /// <summary>The address of the thread's first output in its first row (0) or its second (1).</summary>
    [MethodImpl(Inline)]
    public readonly long Output(in PortableCall call, in TensorMemory memory, in PortableItem item, int second) =>
        memory.Output
        + 2
            * (
                item.Batch * call.OutputStrides.Batch
                + item.Head * call.OutputStrides.Head
                + (item.FirstRow + Row + second * Below) * call.OutputStrides.Row
                + 2 * (Number & 3)
            );

    /// <summary>
    /// The address of four columns that a thread and its neighbour make of theirs, in the first row (0) or the second (1): those of the
    /// first eight columns in even threads, of the next eight in odd ones.
    /// </summary>
    [MethodImpl(Inline)]
    public readonly long Wide(in PortableCall call, in TensorMemory memory, in PortableItem item, int second) =>
        Output(call, memory, item, second) + ((Number & 1) == 0 ? 0 : 12);

    /// <summary>The columns from the thread's first one on, in its first row (0) or its second (1); none past the last row.</summary>
    [MethodImpl(Inline)]
    public readonly int Columns(in PortableCall call, in PortableItem item, int second) =>
        Row + second * Below < item.Rows ? call.ValueDim - 2 * (Number & 3) : 0;

    /// <summary>The address of the thread's first number in a part's result, in its first row (0) or its second (1); 0 past the last row.</summary>
    [MethodImpl(Inline)]
    public readonly long Part(in TensorMemory memory, in PortableItem item, int columns, int second) =>
        Row + second * Below < item.Rows
            ? memory.Parts
                + sizeof(float)
                    * (PartRow(memory, item, columns) + 8 * second * TensorMerge.RowFloats(columns) + 2 * (Number & 3))
            : 0;

    [MethodImpl(Inline)]
    private static PortableBounds Bounds(int first, int last)
    {
        PortableBounds bounds = default;
        bounds.First = first;
        bounds.Last = last;
        return bounds;
    }

    // Where the first row's results are among all parts'.
    [MethodImpl(Inline)]
    private readonly long PartRow(in TensorMemory memory, in PortableItem item, int columns) =>
        ((long)item.Slot * memory.Work.Rows + TensorItem.RowOf(memory, Row, Number)) * TensorMerge.RowFloats(columns);

    // Of the first row among all of the call, which are no more than an int counts: of a product of 64 bits the compiler keeps half over the loop.
    [MethodImpl(Inline)]
    private readonly int Index(in PortableCall call, in PortableItem item) =>
        (item.Batch * call.QueryHeads + item.Head) * call.QueryLength + item.FirstRow + Row;
}
