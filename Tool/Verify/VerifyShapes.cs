using FlashGen.Tool.Variants;

namespace FlashGen.Tool.Verify;

/// <summary>The shapes on which <c>verify</c> compares: ragged, grouped, empty, and long enough for the declared windows to bite.</summary>
internal static class VerifyShapes
{
    /// <summary>The shapes of a variant.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="small">Whether the device is a simulator: two shapes of few rows.</param>
    public static IEnumerable<AttentionShape> Of(AttentionVariant variant, bool small)
    {
        (int Dim, int ValueDim)[] dims =
            variant.Dims.Count == 0 ? [(64, 64), (40, 24), (128, 128), (59, 80)] : [.. variant.Dims];
        (int, int) Dims(int index) => dims[index % dims.Length];

        if (small)
        {
            yield return Shape(1, 2, 1, 33, 65, Dims(0));
            yield return Shape(1, 2, 2, 5, 40, Dims(1));
            yield break;
        }
        yield return Shape(1, 2, 1, 113, 203, Dims(0));
        yield return Shape(2, 3, 3, 64, 64, Dims(1));
        yield return Shape(1, 6, 2, 1, 239, Dims(2));
        yield return Shape(1, 1, 1, 127, 257, Dims(3));
        int telling = SampleArguments.TellingLength(variant);
        yield return Shape(1, 1, 1, 9, telling + 37, Dims(0));
        for (int index = 4; index < dims.Length; index++)
            yield return Shape(1, 2, 1, 33, 70, Dims(index));
        // The user's own tables are made up: an index below a position of none, or of a key that does not exist, would be a fault.
        if (variant.Arguments.Any(a => a.Kind == ArgumentKind.Table && !SampleArguments.IsReadyMade(a)))
            yield break;
        yield return Shape(1, 1, 1, 130, 31, Dims(0));
        yield return Shape(2, 2, 1, 17, 96, Dims(1)) with
        {
            KeyLengths = new[] { 0, 65 },
        };
        yield return Shape(2, 2, 2, 20, 70, Dims(2)) with
        {
            Offsets = new[] { -5, 200 },
        };
        yield return Shape(1, 1, 1, 5, 0, Dims(3));
    }

    private static AttentionShape Shape(
        int batch,
        int heads,
        int keyHeads,
        int queries,
        int keys,
        (int Dim, int ValueDim) dims
    ) => new(batch, heads, keyHeads, queries, keys, dims.Dim, dims.ValueDim);
}
