using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>
/// Finds out what was wrong in a tile where a kernel saw a bad table index or divisor: the user's own compiled mods are called there,
/// one position after another, until one throws.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class FaultReport
{
    /// <summary>Throws for the first position of the tile that reaches a bad read or division; returns if none does.</summary>
    /// <exception cref="TableReadException">A table was read outside its length.</exception>
    /// <exception cref="DivideByZeroException">An integer was divided by zero.</exception>
    public static void Explain(
        AttentionVariant variant,
        in AttentionShape shape,
        in SimdOutcome outcome,
        ModArguments arguments
    )
    {
        SimdItem item = outcome.FaultItem;
        for (int row = outcome.FaultFirstRow; row < outcome.FaultFirstRow + outcome.FaultRows; row++)
        for (int key = outcome.FaultFirstKey; key < outcome.FaultFirstKey + outcome.FaultKeys; key++)
        {
            Position at = new(
                item.Batch,
                item.Head,
                item.KeyHead,
                row,
                row + item.Offset,
                key,
                shape.QueryLength,
                item.KeyLength
            );
            try
            {
                Visit(variant, at, arguments);
            }
            catch (TableReadException fault)
            {
                throw new TableReadException(fault.Table, fault.Index, fault.Length, at, fault);
            }
            catch (ArithmeticException fault)
            {
                throw new DivideByZeroException(
                    $"{variant.Name} divides by zero at batch {at.Batch}, head {at.Head}, query {at.Query}, key {at.Key}.",
                    fault
                );
            }
        }
    }

    // A score change counts where the pair is kept; the score itself is not at hand, and a mod that reads by it is called with 0.
    private static void Visit(AttentionVariant variant, in Position at, ModArguments arguments)
    {
        foreach (MaskDelegate mask in variant.Masks)
            if (!mask(at, arguments))
                return;
        float score = 0;
        foreach (ScoreDelegate change in variant.Scores)
            score = change(score, at, arguments);
    }
}
