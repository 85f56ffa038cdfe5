using System.Numerics.Tensors;
using FlashGen;

namespace Quickstart;

/// What a .NET developer writes by hand today: a row at a time on all cores, with the vectorised primitives of
/// System.Numerics.Tensors, and only over keys that the mask keeps. Both variants of this sample are of one family.
static class ByHand
{
    public static void Forward(
        float[] query,
        float[] key,
        float[] value,
        float[] output,
        AttentionShape shape,
        int window,
        int globals = 0,
        float[]? slope = null
    )
    {
        int dim = shape.HeadDim;
        float scale = 1 / MathF.Sqrt(dim);
        Parallel.For(
            0,
            shape.QueryHeads * shape.QueryLength,
            () => new float[shape.KeyLength],
            (row, _, buffer) =>
            {
                (int head, int position) = Math.DivRem(row, shape.QueryLength);
                int keys = head * shape.KeyLength * dim;
                int near = Math.Max(0, position - window + 1);
                int far = Math.Min(globals, near);
                int count = far + position + 1 - near;
                // The n-th key that this row keeps: the global ones, then those of the window.
                int KeyAt(int n) => n < far ? n : near + n - far;

                Span<float> scores = buffer.AsSpan(0, count);
                ReadOnlySpan<float> q = query.AsSpan(row * dim, dim);
                for (int n = 0; n < count; n++)
                {
                    int at = KeyAt(n);
                    scores[n] = TensorPrimitives.Dot(q, key.AsSpan(keys + at * dim, dim)) * scale;
                    if (slope is not null)
                        scores[n] -= slope[head] * MathF.Log(1f + (position - at));
                }
                // SoftMax subtracts no maximum, so that is done here.
                TensorPrimitives.Subtract(scores, TensorPrimitives.Max(scores), scores);
                TensorPrimitives.SoftMax(scores, scores);
                Span<float> o = output.AsSpan(row * dim, dim);
                o.Clear();
                for (int n = 0; n < count; n++)
                    TensorPrimitives.MultiplyAdd(value.AsSpan(keys + KeyAt(n) * dim, dim), scores[n], o, o);
                return buffer;
            },
            _ => { }
        );
    }
}
