using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;

namespace FlashGen.Support;

/// <summary>
/// Says what was wrong in a tile where a kernel saw a bad table index or divisor: the declaration is followed there, one position after
/// another, with the user's own compiled mods, until one throws.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class FaultReport
{
    /// <summary>Throws for the first position of the tile that reaches a bad read or division.</summary>
    /// <exception cref="TableReadException">A table was read outside its length.</exception>
    /// <exception cref="DivideByZeroException">An integer was divided by zero.</exception>
    /// <exception cref="InvalidOperationException">The position depends on the scores, which are gone by now.</exception>
    [DoesNotReturn]
    public static void Explain(
        AttentionVariant variant,
        in AttentionShape shape,
        in SimdOutcome outcome,
        ModArguments arguments
    )
    {
        Declaration declaration = new(variant, shape, arguments);
        SimdItem item = outcome.FaultItem;
        int endRow = outcome.FaultFirstRow + outcome.FaultRows,
            endKey = outcome.FaultFirstKey + outcome.FaultKeys;
        for (int row = outcome.FaultFirstRow; row < endRow; row++)
        for (int key = outcome.FaultFirstKey; key < endKey; key++)
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
                if (declaration.Keeps(at))
                    declaration.Change(0f, at);
            }
            catch (TableReadException fault)
            {
                throw ModFaults.TableRead(fault.Table, fault.Index, fault.Length, at);
            }
            catch (DivideByZeroException fault)
            {
                throw ModFaults.Division(at, fault);
            }
        }
        throw new InvalidOperationException(
            $"{variant.Name} read outside a table or divided by zero at batch {item.Batch}, head {item.Head}, "
                + $"a query from {outcome.FaultFirstRow} to {endRow - 1} and a key from {outcome.FaultFirstKey} to {endKey - 1}, "
                + "for some value of the score."
        );
    }
}
