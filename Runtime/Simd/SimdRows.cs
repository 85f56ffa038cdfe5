using System.ComponentModel;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FlashGen.Support;

/// <summary>Some keys of one key head, with all the query rows that read them.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct SimdSplit
{
    /// <summary>The batch entry and key head; the query head and row are chosen by <see cref="Select"/>.</summary>
    public SimdItem Item;

    /// <summary>Query rows of the group: heads times queries.</summary>
    public int Rows;

    /// <summary>The first and last key of the split, counted within the tensor.</summary>
    public int FirstKey,
        LastKey;

    /// <summary>Makes an item of one of the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Select(in SimdCall call, int row, ref SimdItem item)
    {
        item.Head = item.KeyHead * call.GroupSize + row / call.QueryLength;
        item.FirstRow = row % call.QueryLength;
        item.Rows = 1;
    }
}

/// <summary>What one row found in some of its keys.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public unsafe struct SimdPartial
{
    /// <summary>The greatest score in units of log 2, and the sum against it.</summary>
    public float Maximum,
        Sum;

    /// <summary>The keys that the row may keep, of this split.</summary>
    public int First,
        Last;

    /// <summary>The weighted values, not yet divided by the sum.</summary>
    public float* Outputs;
}

/// <summary>
/// Decoding: few query rows, many keys. Work is shared over key heads and splits of the keys; how keys are split depends on the shape
/// alone, and splits are merged in order, so the result does not depend on the number of threads.
/// </summary>
internal static unsafe class SimdRows
{
    /// <summary>Query rows up to which a row at a time is faster than a panel, most of whose lanes would be idle.</summary>
    public const int MostQueries = 8;

    // Enough work items for any machine's cores, of enough keys each to be worth a merge.
    private const int Items = 64;
    private const int LeastKeys = 512;

    /// <summary>Keys of a split, from the shape alone.</summary>
    public static int KeysPerSplit(in SimdCall call)
    {
        long heads = Math.Max(1, (long)call.Batch * call.KeyHeads);
        long splits = Math.Clamp(Items / heads, 1, Math.Max(1, call.KeyLength / LeastKeys));
        long keys = (call.KeyLength + splits - 1) / splits;
        return (int)Math.Max(LeastKeys, (keys + 127) / 128 * 128);
    }

    /// <summary>Bytes that the partial results of a call need: for each row and split a record and its outputs.</summary>
    public static nint PartialBytes(in SimdCall call, int splits)
    {
        nint rows = (nint)call.Batch * call.QueryHeads * call.QueryLength * splits;
        return rows * (sizeof(SimdPartial) + call.ValueDim * sizeof(float));
    }

    /// <summary>Sets up the partial results: the sink counts in the first split alone (semantics 10).</summary>
    public static void Prepare(in SimdCall call, int splits, byte* memory)
    {
        nint rows = (nint)call.Batch * call.QueryHeads * call.QueryLength * splits;
        SimdPartial* partials = (SimdPartial*)memory;
        float* outputs = (float*)(partials + rows);
        NativeMemory.Clear(outputs, (nuint)rows * (nuint)call.ValueDim * sizeof(float));
        int group = call.GroupSize * call.QueryLength;
        for (nint index = 0; index < rows; index++)
        {
            // (batch, key head, split, row of the group)
            int row = (int)(index % group);
            int split = (int)(index / group % splits);
            int keyHead = (int)(index / group / splits % call.KeyHeads);
            bool hasSink = call.Sink != null && split == 0;
            float sink = hasSink
                ? call.Sink[keyHead * call.GroupSize + row / call.QueryLength] * 1.44269504f
                : float.NegativeInfinity;
            partials[index] = new SimdPartial
            {
                Maximum = sink,
                Sum = float.IsNegativeInfinity(sink) ? 0 : 1,
                Outputs = outputs + index * call.ValueDim,
            };
        }
    }

    /// <summary>Merges the splits of every row and stores outputs and log-sum-exp (semantics 12).</summary>
    public static void Merge<T>(in SimdCall call, int splits, byte* memory)
        where T : unmanaged
    {
        SimdPartial* partials = (SimdPartial*)memory;
        int group = call.GroupSize * call.QueryLength;
        for (int batch = 0; batch < call.Batch; batch++)
        for (int keyHead = 0; keyHead < call.KeyHeads; keyHead++)
        for (int row = 0; row < group; row++)
        {
            SimdPartial* first = partials + ((nint)batch * call.KeyHeads + keyHead) * splits * group + row;
            MergeRow(first, group, splits, call.ValueDim);
            SimdItem item = new() { Batch = batch, KeyHead = keyHead };
            item.Head = keyHead * call.GroupSize + row / call.QueryLength;
            item.FirstRow = row % call.QueryLength;
            float maximum = first->Maximum,
                sum = first->Sum;
            SimdPanels.Unpack(
                first->Outputs,
                1,
                1,
                call.ValueDim,
                &maximum,
                &sum,
                (float)call.DropoutScale,
                call.OutputRow<T>(item),
                call.OutputStrides.Row,
                call.LogSumExpRow<float>(item)
            );
        }
    }

    private static void MergeRow(SimdPartial* first, int step, int splits, int valueDim)
    {
        for (int split = 1; split < splits; split++)
        {
            SimdPartial* other = first + (nint)split * step;
            float maximum = first->Maximum > other->Maximum ? first->Maximum : other->Maximum;
            float origin = float.IsNegativeInfinity(maximum) ? 0 : maximum;
            float mine = MathF.Pow(2, first->Maximum - origin),
                its = MathF.Pow(2, other->Maximum - origin);
            first->Sum = first->Sum * mine + other->Sum * its;
            int d = 0;
            for (; d + Vector<float>.Count <= valueDim; d += Vector<float>.Count)
                (Vector.Load(first->Outputs + d) * mine + Vector.Load(other->Outputs + d) * its).Store(
                    first->Outputs + d
                );
            for (; d < valueDim; d++)
                first->Outputs[d] = first->Outputs[d] * mine + other->Outputs[d] * its;
            first->Maximum = maximum;
        }
    }
}
