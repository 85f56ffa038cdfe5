namespace FlashGen.Support;

/// <summary>Values that several owners use: made for the first of them, disposed after the last. Safe from several threads.</summary>
internal sealed class UseCounted<TKey, TValue>
    where TKey : notnull
    where TValue : IDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<TKey, Entry> entries = [];

    /// <summary>The value of a key, one use more. Who wants a value that is being made waits for it; others are made beside it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="make">Makes the value; when it throws, so does the call, and the next use makes the value anew.</param>
    public TValue Use(TKey key, Func<TValue> make)
    {
        Entry? entry;
        lock (gate)
        {
            if (!entries.TryGetValue(key, out entry))
                entries.Add(key, entry = new(make));
            entry.Users++;
        }
        try
        {
            return entry.Value;
        }
        catch
        {
            End(key);
            throw;
        }
    }

    /// <summary>Ends a use.</summary>
    public void Release(TKey key)
    {
        if (End(key) is { } entry)
            entry.Value.Dispose();
    }

    // The entry, if this was its last use.
    private Entry? End(TKey key)
    {
        lock (gate)
        {
            Entry entry = entries[key];
            if (--entry.Users > 0)
                return null;
            entries.Remove(key);
            return entry;
        }
    }

    private sealed class Entry(Func<TValue> make)
    {
        private readonly Lazy<TValue> value = new(make);

        public int Users { get; set; }

        public TValue Value => value.Value;
    }
}
