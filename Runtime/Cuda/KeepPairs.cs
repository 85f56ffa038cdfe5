using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>Which pairs the mask keeps, as bits of <see cref="TensorColumns"/>.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct KeepPairs<TMods, TRow>
    where TMods : struct, ITensorMods<TRow>
    where TRow : struct
{
    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Call"/>
    public PortableCall Call;

    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Item"/>
    public PortableItem Item;

    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Mods"/>
    public TMods Mods;

    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Row0"/>
    public TRow Row0,
        Row1;

    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Bounds0"/>
    public PortableBounds Bounds0,
        Bounds1;

    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Key"/>
    public int Key;

    /// <inheritdoc cref="ChangeScores{TMods, TRow}.Faults"/>
    public int Faults;

    /// <summary>Adds the bits of two neighbouring columns, those of the thread's first row and of its second.</summary>
    /// <param name="column">The first of the two, counted from the thread's first one.</param>
    /// <param name="bit">Its bit's number.</param>
    /// <param name="row0">The first row's bits.</param>
    /// <param name="row1">The second row's.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int column, int bit, ref uint row0, ref uint row1)
    {
        int key = Key + column;
        row0 = Mods.Keeps(Call, Item, Row0, Bounds0, key, ref Faults) ? row0 | 1u << bit : row0;
        row0 = Mods.Keeps(Call, Item, Row0, Bounds0, key + 1, ref Faults) ? row0 | 2u << bit : row0;
        row1 = Mods.Keeps(Call, Item, Row1, Bounds1, key, ref Faults) ? row1 | 1u << bit : row1;
        row1 = Mods.Keeps(Call, Item, Row1, Bounds1, key + 1, ref Faults) ? row1 | 2u << bit : row1;
    }
}
