using System.Numerics.Tensors;
using FlashGen.Bench.Machine;

namespace FlashGen.Bench.Peers;

/// <summary>What a .NET developer writes today: a row at a time, with the vectorised primitives of System.Numerics.Tensors.</summary>
static unsafe class ByPrimitives
{
    public static void Attend(
        Heads heads,
        bool isCausal,
        int threads,
        Buffer<float> query,
        Buffer<float> key,
        Buffer<float> value,
        Buffer<float> output
    )
    {
        float scale = 1 / MathF.Sqrt(heads.Dim);
        Parallel.For(
            0,
            heads.Query * heads.Queries,
            new ParallelOptions { MaxDegreeOfParallelism = threads },
            () => new float[heads.Keys],
            (row, _, buffer) =>
            {
                (int head, int position) = Math.DivRem(row, heads.Queries);
                int first = head / (heads.Query / heads.Key) * heads.Keys;
                Span<float> scores = buffer.AsSpan(0, isCausal ? position + 1 : heads.Keys);
                ReadOnlySpan<float> q = Row(query, row);
                for (int j = 0; j < scores.Length; j++)
                    scores[j] = TensorPrimitives.Dot(q, Row(key, first + j)) * scale;
                // SoftMax subtracts no maximum, so that is done here.
                TensorPrimitives.Subtract(scores, TensorPrimitives.Max<float>(scores), scores);
                TensorPrimitives.SoftMax<float>(scores, scores);
                Span<float> o = Row(output, row);
                o.Clear();
                for (int j = 0; j < scores.Length; j++)
                    TensorPrimitives.MultiplyAdd(Row(value, first + j), scores[j], o, o);
                return buffer;
            },
            _ => { }
        );

        Span<float> Row(Buffer<float> tensor, int row) => new(tensor.Pointer + (long)row * heads.Dim, heads.Dim);
    }
}
