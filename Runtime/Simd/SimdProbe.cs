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
    /// is largest there, so a table too short for the shape is found before anything is written. From a corner that is at fault the walk
    /// goes back to where faults begin, since what begins there tells how long the table is taken to be.
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
            if (!TProbe.Faults(call, arguments, Item(call, batch, head), query, key))
                continue;
            First<TProbe, TArguments>(call, arguments, batch, ref head, ref query, ref key);
            outcome.Fault(Item(call, batch, head), query, 1, key, 1);
            return true;
        }
        return false;
    }

    // Moves a position at fault back along one axis after another, by bisection, until no axis alone takes it further. Where an
    // index grows with positions, faults begin there; any other place where it ends is at fault too.
    private static void First<TProbe, TArguments>(
        in SimdCall call,
        in TArguments arguments,
        int batch,
        ref int head,
        ref int query,
        ref int key
    )
        where TProbe : ISimdProbe<TArguments>
        where TArguments : unmanaged
    {
        (int, int, int) before;
        do
        {
            before = (head, query, key);
            for (int axis = 0; axis < 3; axis++)
            {
                ref int at = ref axis == 0 ? ref head : ref axis == 1 ? ref query : ref key;
                int sound = -1;
                int fault = at;
                while (fault - sound > 1)
                {
                    at = sound + (fault - sound) / 2;
                    if (TProbe.Faults(call, arguments, Item(call, batch, head), query, key))
                        fault = at;
                    else
                        sound = at;
                }
                at = fault;
            }
        } while (before != (head, query, key));
    }

    private static unsafe SimdItem Item(in SimdCall call, int batch, int head) =>
        new()
        {
            Batch = batch,
            Head = head,
            KeyHead = head / call.GroupSize,
            KeyLength = call.KeyLengths[batch],
            Offset = call.Offsets[batch],
        };
}
