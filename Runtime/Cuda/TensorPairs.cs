using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>What a variant does to a thread's pairs of query and key in a tile: two rows, and every fourth pair of columns.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorPairs<TMods, TRow>
    where TMods : struct, ITensorMods<TRow>
    where TRow : struct
{
    /// <summary>The call.</summary>
    public PortableCall Call;

    /// <summary>The group's rows.</summary>
    public PortableItem Item;

    /// <summary>The variant.</summary>
    public TMods Mods;

    /// <summary>The thread's rows.</summary>
    public TRow Row0,
        Row1;

    /// <summary>The keys that they keep by their bounds.</summary>
    public PortableBounds Bounds0,
        Bounds1;

    /// <summary>The thread's first key.</summary>
    public int Key;

    /// <summary>Its number as a float.</summary>
    public float KeyNumber;

    /// <summary>The factor on query times key.</summary>
    public float Scale;

    /// <summary>Not 0 after a reached read or division without an answer.</summary>
    public int Faults;

    /// <summary>
    /// Scales and changes four scores: what a thread holds of eight columns of an accumulator, two neighbouring columns of its first row (a, b)
    /// and of its second (c, d), eight rows below (PTX ISA, "Matrix fragments for mma.m16n8k16").
    /// </summary>
    /// <param name="column">The first column of the eight, a constant where the change is short.</param>
    /// <param name="a">First row, first column.</param>
    /// <param name="b">First row, second column.</param>
    /// <param name="c">Second row, first column.</param>
    /// <param name="d">Second row, second column.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Change(int column, ref float a, ref float b, ref float c, ref float d)
    {
        int key = Key + column;
        float number = KeyNumber + column,
            next = KeyNumber + (column + 1);
        a = Mods.Change(Call, Item, Row0, Bounds0, key, number, a * Scale, ref Faults);
        b = Mods.Change(Call, Item, Row0, Bounds0, key + 1, next, b * Scale, ref Faults);
        c = Mods.Change(Call, Item, Row1, Bounds1, key, number, c * Scale, ref Faults);
        d = Mods.Change(Call, Item, Row1, Bounds1, key + 1, next, d * Scale, ref Faults);
    }

    /// <summary>Adds the mask's bits (<see cref="TensorColumns"/>) of two neighbouring columns, those of the thread's first row and of its second.</summary>
    /// <param name="column">The first of the two, counted from the thread's first one.</param>
    /// <param name="bit">Its bit's number.</param>
    /// <param name="row0">The first row's bits.</param>
    /// <param name="row1">The second row's.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Keep(int column, int bit, ref uint row0, ref uint row1)
    {
        int key = Key + column;
        row0 = Mods.Keeps(Call, Item, Row0, Bounds0, key, ref Faults) ? row0 | 1u << bit : row0;
        row0 = Mods.Keeps(Call, Item, Row0, Bounds0, key + 1, ref Faults) ? row0 | 2u << bit : row0;
        row1 = Mods.Keeps(Call, Item, Row1, Bounds1, key, ref Faults) ? row1 | 1u << bit : row1;
        row1 = Mods.Keeps(Call, Item, Row1, Bounds1, key + 1, ref Faults) ? row1 | 2u << bit : row1;
    }
}
