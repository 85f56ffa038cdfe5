using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>
/// An operation on the scores of a tile, four at a time: what a thread holds of eight columns of an accumulator, two neighbouring
/// columns of its first row (a, b) and of its second (c, d), eight rows below (PTX ISA, "Matrix fragments for mma.m16n8k16").
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface ITensorQuads
{
    /// <summary>Maps four scores.</summary>
    /// <param name="column">The first column of the eight, a constant.</param>
    /// <param name="a">First row, first column.</param>
    /// <param name="b">First row, second column.</param>
    /// <param name="c">Second row, first column.</param>
    /// <param name="d">Second row, second column.</param>
    void Apply(int column, ref float a, ref float b, ref float c, ref float d);
}

/// <summary>Scales scores and changes them.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct ChangeScores<TMods, TRow> : ITensorQuads
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

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(int column, ref float a, ref float b, ref float c, ref float d)
    {
        int key = Key + column;
        float number = KeyNumber + column,
            next = KeyNumber + (column + 1);
        a = Mods.Change(Call, Item, Row0, Bounds0, key, number, a * Scale, ref Faults);
        b = Mods.Change(Call, Item, Row0, Bounds0, key + 1, next, b * Scale, ref Faults);
        c = Mods.Change(Call, Item, Row1, Bounds1, key, number, c * Scale, ref Faults);
        d = Mods.Change(Call, Item, Row1, Bounds1, key + 1, next, d * Scale, ref Faults);
    }
}

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

/// <summary>
/// Drops probabilities (semantics 11; <see cref="Philox.DropoutWords"/> has the counter). A call of the generator serves what a thread holds of one row in 32 columns: it is made at
/// the first of their four quads.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct DropPairs : ITensorQuads
{
    /// <summary>The generator's keys.</summary>
    public PhiloxKeys Keys;

    /// <summary>The generator's fourth counter word, its third, and a weight's least draw, of 16 bits, in the upper half of a word.</summary>
    public uint Offset,
        BatchHead,
        Threshold;

    /// <summary>The query of the thread's first row, and how many on that of its second is.</summary>
    public int Query,
        Below;

    /// <summary>The tile's first key, a multiple of 32, over 8, and the thread's place among four that share a row.</summary>
    public int KeyGroup;

    private PhiloxWords row0,
        row1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(int column, ref float a, ref float b, ref float c, ref float d)
    {
        if (column % 32 == 0)
        {
            uint group = (uint)(KeyGroup + column / 8);
            row0 = Keys.Block(group, (uint)Query, BatchHead, Offset);
            row1 = Keys.Block(group, (uint)(Query + Below), BatchHead, Offset);
        }
        uint upper = Word(row0, column),
            lower = Word(row1, column);
        a = upper << 16 >= Threshold ? a : 0;
        b = upper >= Threshold ? b : 0;
        c = lower << 16 >= Threshold ? c : 0;
        d = lower >= Threshold ? d : 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Word(in PhiloxWords words, int column) =>
        column % 32 < 8 ? words.X0
        : column % 32 < 16 ? words.X1
        : column % 32 < 24 ? words.X2
        : words.X3;
}
