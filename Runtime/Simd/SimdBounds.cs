using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>Ranges of keys within a tile.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class SimdBounds
{
    /// <summary>
    /// Of the keys from <paramref name="from"/> to before <paramref name="to"/> those that every row keeps, less a few where the
    /// micro-kernel's steps would not come out even; (low, low) where there are none. All rows keep <paramref name="first"/> to
    /// <paramref name="last"/>, none where that is before the first; a micro-kernel takes <paramref name="step"/> keys at once.
    /// </summary>
    public static (int Low, int High) Inside(int from, int to, int first, int last, int step)
    {
        int low = Math.Min(to, from + (Math.Clamp(first, from, to) - from + step - 1) / step * step);
        // As many keys may be kept as there are ints: one more than the last is counted in a long.
        int high = (int)Math.Clamp(last + 1L, low, to);
        return (low, high == to ? to : low + (high - low) / step * step);
    }
}
