using FlashGen.Tool.Npy;

namespace FlashGen.Tool.Arguments;

/// <summary>How a bias of fewer or shorter axes is spread over (batch, head, query, key): NumPy's rule of broadcasting.</summary>
internal static class BiasBroadcast
{
    private static readonly string[] Axes = ["batch", "head", "query", "key"];

    /// <summary>The steps of a bias in C order: 0 along an axis that is missing or of length 1.</summary>
    /// <exception cref="ToolException">An axis is neither 1 nor that of the call.</exception>
    public static BiasStrides Strides(string name, NpyHeader header, in AttentionShape shape)
    {
        long[] wanted = [shape.Batch, shape.QueryHeads, shape.QueryLength, shape.KeyLength];
        if (header.Shape.Length > wanted.Length)
            throw new ToolException(
                $"{name}: its shape is {header.ShapeText}; a bias has at most four axes, (batch, head, query, key)."
            );
        long[] steps = new long[wanted.Length];
        long step = 1;
        for (int axis = wanted.Length - 1, own = header.Shape.Length - 1; own >= 0; axis--, own--)
        {
            long length = header.Shape[own];
            if (length != 1 && length != wanted[axis])
                throw new ToolException(
                    FormattableString.Invariant(
                        $"{name}: its shape is {header.ShapeText}; along {Axes[axis]} it has {length}, allowed are {wanted[axis]} and 1."
                    )
                );
            steps[axis] = length == 1 ? 0 : step;
            step *= length;
        }
        return new(steps[0], steps[1], steps[2], steps[3]);
    }
}
