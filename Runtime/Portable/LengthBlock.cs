using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>Key lengths (upper halves) and offsets (lower halves) of eight batch entries, as a kernel's parameter.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct LengthBlock
{
    /// <summary>The number of entries.</summary>
    public const int Entries = 8;

    /// <summary>The entries.</summary>
    public long Entry0,
        Entry1,
        Entry2,
        Entry3,
        Entry4,
        Entry5,
        Entry6,
        Entry7;

    /// <summary>Sets one entry.</summary>
    public void Set(int index, int keyLength, int offset)
    {
        long entry = ((long)keyLength << 32) | (uint)offset;
        switch (index)
        {
            case 0:
                Entry0 = entry;
                break;
            case 1:
                Entry1 = entry;
                break;
            case 2:
                Entry2 = entry;
                break;
            case 3:
                Entry3 = entry;
                break;
            case 4:
                Entry4 = entry;
                break;
            case 5:
                Entry5 = entry;
                break;
            case 6:
                Entry6 = entry;
                break;
            default:
                Entry7 = entry;
                break;
        }
    }
}
