namespace FlashGen;

/// <summary>Counts the tiles of scores that calls on the CPU computed: those that a mask leaves empty are never among them.</summary>
public sealed class TileCounter
{
    private long full,
        partial;

    /// <summary>Tiles computed without looking at the mask, because it keeps all of them.</summary>
    public long Full => Interlocked.Read(ref full);

    /// <summary>Tiles computed with the mask.</summary>
    public long Partial => Interlocked.Read(ref partial);

    internal void Add(long full, long partial)
    {
        Interlocked.Add(ref this.full, full);
        Interlocked.Add(ref this.partial, partial);
    }
}
