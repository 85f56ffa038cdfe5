namespace FlashGen;

/// <summary>Where a mod is called: one pair of a query row and a key.</summary>
/// <param name="Batch">The batch entry, from 0.</param>
/// <param name="Head">The query head, from 0.</param>
/// <param name="KeyHead">The key head that this query head uses: Head / (queryHeads / keyHeads).</param>
/// <param name="Query">The query row in its tensor, from 0.</param>
/// <param name="QueryPosition">The query row's place among the keys: Query + offset. It may be negative.</param>
/// <param name="Key">The key in its tensor, from 0.</param>
/// <param name="QueryLength">Query rows of the tensor.</param>
/// <param name="KeyLength">Keys of this batch entry: its entry of <see cref="AttentionShape.KeyLengths"/>, or the tensor's length without them.</param>
public readonly record struct Position(
    int Batch,
    int Head,
    int KeyHead,
    int Query,
    int QueryPosition,
    int Key,
    int QueryLength,
    int KeyLength
);
