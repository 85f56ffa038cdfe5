using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>A walk through a variant's mods at one position, for their faults alone.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface ISimdProbe<TArguments>
    where TArguments : unmanaged
{
    /// <summary>Whether a mod reads outside a table or divides by zero there.</summary>
    static abstract bool Faults(in SimdCall call, in TArguments arguments, in SimdItem item, int query, int key);
}

/// <summary>For variants whose mods cannot be at fault.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct NoProbe<TArguments> : ISimdProbe<TArguments>
    where TArguments : unmanaged
{
    /// <inheritdoc/>
    public static bool Faults(in SimdCall call, in TArguments arguments, in SimdItem item, int query, int key) => false;
}

internal static class SimdProbe
{
    /// <summary>
    /// Visits the corners of a call: the first and last head, query and key of every batch entry. An index that grows with a position
    /// is largest there, so a table too short for the shape is found before anything is written.
    /// </summary>
    public static unsafe bool Corners<TProbe, TArguments>(
        in SimdCall call,
        in TArguments arguments,
        ref SimdOutcome outcome
    )
        where TProbe : ISimdProbe<TArguments>
        where TArguments : unmanaged
    {
        if (typeof(TProbe) == typeof(NoProbe<TArguments>))
            return false;
        for (int batch = 0; batch < call.Batch; batch++)
        for (int corner = 0; corner < 8 && call.KeyLengths[batch] > 0; corner++)
        {
            int head = (corner & 1) == 0 ? 0 : call.QueryHeads - 1;
            int query = (corner & 2) == 0 ? 0 : call.QueryLength - 1;
            int key = (corner & 4) == 0 ? 0 : call.KeyLengths[batch] - 1;
            SimdItem item = new()
            {
                Batch = batch,
                Head = head,
                KeyHead = head / call.GroupSize,
                KeyLength = call.KeyLengths[batch],
                Offset = call.Offsets[batch],
            };
            if (!TProbe.Faults(call, arguments, item, query, key))
                continue;
            outcome.Fault(item, query, 1, key, 1);
            return true;
        }
        return false;
    }
}
