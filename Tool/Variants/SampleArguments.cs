using System.Reflection;

namespace FlashGen.Tool.Variants;

/// <summary>Run-time arguments and lengths made up for a variant, where the user gives none.</summary>
internal static class SampleArguments
{
    private const int ShortLength = 1024;
    private const int LongestLength = 16384;
    private const int Documents = 4;

    /// <summary>Whether an argument is one of a ready-made attribute, whose meaning is known.</summary>
    public static bool IsReadyMade(ArgumentInfo argument) =>
        argument.Name
            is "scale"
                or "slopes"
                or "bias"
                or "biasStrides"
                or "prefix"
                or "queryDocument"
                or "keyDocument"
                or "sink"
                or "dropout";

    /// <summary>A length at which the declared windows and chunks end before the keys do: a power of two, 1024 to 16384.</summary>
    public static int TellingLength(AttentionVariant variant)
    {
        long size = 0;
        if (variant.Declaration.GetCustomAttribute<SlidingWindowAttribute>() is { } window)
            size = Math.Max(window.Left, window.Right);
        if (variant.Declaration.GetCustomAttribute<ChunkedAttribute>() is { } chunked)
            size = Math.Max(size, chunked.Size);
        int length = ShortLength;
        while (length < LongestLength && length < 2 * size)
            length *= 2;
        return length;
    }

    /// <summary>Arguments that mean nothing special: no bias, equal slopes; a quarter of the keys as prefix; four documents of one length.</summary>
    public static ModArguments Plain(AttentionVariant variant, in AttentionShape shape)
    {
        ModArguments arguments = [];
        foreach (ArgumentInfo argument in variant.Arguments)
            arguments.Add(argument.Name, Plain(argument, shape));
        return arguments;
    }

    /// <summary>Which made-up arguments decide the picture; empty when none do.</summary>
    public static string Note(AttentionVariant variant)
    {
        bool prefix = variant.Arguments.Any(a => a.Name == "prefix");
        bool documents = variant.Arguments.Any(a => a.Name == "queryDocument");
        return prefix ? "(for a prefix of a quarter of the keys; --arg prefix=... draws another)"
            : documents ? "(for four documents of one length; --arg queryDocument=... and keyDocument=... draw others)"
            : "";
    }

    /// <summary>
    /// Random arguments for a comparison: those of the ready-made attributes as they must be, tables of mods long enough for an index
    /// over every pair.
    /// </summary>
    /// <param name="variant">The variant.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="random">Where they come from.</param>
    /// <param name="largest">The largest scalar: it may be a window, a step through a table or a count.</param>
    public static ModArguments Random(AttentionVariant variant, in AttentionShape shape, Random random, int largest)
    {
        ModArguments arguments = [];
        foreach (ArgumentInfo argument in variant.Arguments)
            arguments.Add(
                argument.Name,
                IsReadyMade(argument)
                    ? RandomReadyMade(argument, shape, random)
                    : RandomOwn(argument, shape, random, largest)
            );
        return arguments;
    }

    /// <summary>
    /// Arguments for a call that is timed: as <see cref="Random"/>, but tables over every pair have the pairs of one head, which a bias
    /// shares among all.
    /// </summary>
    public static ModArguments Timed(AttentionVariant variant, in AttentionShape shape, Random random, int largest)
    {
        AttentionShape head = new(1, 1, 1, shape.QueryLength, shape.KeyLength, shape.HeadDim, shape.ValueDim);
        ModArguments arguments = [];
        foreach (ArgumentInfo argument in variant.Arguments)
            arguments.Add(
                argument.Name,
                argument.Name switch
                {
                    "bias" => RandomReadyMade(argument, head, random),
                    "biasStrides" => new BiasStrides(0, 0, shape.KeyLength, 1),
                    _ when IsReadyMade(argument) => RandomReadyMade(argument, shape, random),
                    _ => RandomOwn(argument, head, random, largest),
                }
            );
        return arguments;
    }

    private static object Plain(ArgumentInfo argument, in AttentionShape shape)
    {
        (int queries, int keys) = (shape.QueryLength, shape.KeyLength);
        return argument.Name switch
        {
            "scale" => 1f,
            "slopes" or "sink" => new float[shape.QueryHeads],
            "bias" => new float[1],
            "biasStrides" => default(BiasStrides),
            "prefix" => Filled(shape.Batch, _ => keys / 4),
            "queryDocument" => Filled(shape.Batch * queries, i => (int)((long)(i % queries) * Documents / queries)),
            "keyDocument" => Filled(shape.Batch * keys, i => (int)((long)(i % keys) * Documents / keys)),
            "dropout" => default(Dropout),
            // A score change's: the picture does not depend on it.
            _ when argument.Kind == ArgumentKind.Table => Table(argument.TypeName, 0, () => 0),
            _ => Scalar(argument.TypeName, 0),
        };
    }

    private static object RandomReadyMade(ArgumentInfo argument, in AttentionShape shape, Random random)
    {
        (int batch, int heads, int queries, int keys) = (
            shape.Batch,
            shape.QueryHeads,
            shape.QueryLength,
            shape.KeyLength
        );
        return argument.Name switch
        {
            "scale" => random.NextSingle(),
            "slopes" => Filled(heads, h => MathF.Pow(2, -8f * (h + 1) / heads)),
            "bias" => Filled(batch * heads * queries * keys, _ => (random.NextSingle() * 2) - 1),
            "biasStrides" => BiasStrides.Contiguous(shape),
            "prefix" => Filled(batch, _ => random.Next(keys + 1)),
            "queryDocument" => Filled(batch * queries, i => i % queries * 3 / Math.Max(queries, 1)),
            "keyDocument" => Filled(batch * keys, i => i % keys * 3 / Math.Max(keys, 1)),
            "sink" => Filled(heads, _ => (random.NextSingle() * 4) - 2),
            _ => new Dropout(0.25f, (ulong)random.NextInt64(), (uint)random.Next()),
        };
    }

    private static object RandomOwn(ArgumentInfo argument, in AttentionShape shape, Random random, int largest)
    {
        int keys = Math.Max(1, shape.KeyLength);
        if (argument.Kind == ArgumentKind.Scalar)
            return Scalar(argument.TypeName, random.Next(1, largest + 1));
        int length = Math.Max(64, shape.Batch * shape.QueryHeads * shape.QueryLength * shape.KeyLength);
        // Runs as documents have them, or anything that may also serve as an index of a key.
        bool runs = random.Next(2) == 0;
        int next = 0;
        return Table(argument.TypeName, length, () => runs ? next++ / 16 % keys : random.Next(keys));
    }

    private static object Table(string type, int length, Func<int> next) =>
        type switch
        {
            "bool" => Filled(length, _ => next() % 2 == 0),
            "byte" => Filled(length, _ => (byte)next()),
            "int" => Filled(length, _ => next()),
            "uint" => Filled(length, _ => (uint)next()),
            "long" => Filled(length, _ => (long)next()),
            _ => Filled(length, _ => next() % 17 / 8f),
        };

    private static object Scalar(string type, int value) =>
        type switch
        {
            "bool" => value % 2 == 0,
            "int" => value,
            "uint" => (uint)value,
            "long" => (long)value,
            // Small, so that a score change with it stays where float32 is fine enough for the tolerance.
            _ => 1f / (1 + value),
        };

    private static T[] Filled<T>(int length, Func<int, T> at)
    {
        T[] array = new T[length];
        for (int i = 0; i < length; i++)
            array[i] = at(i);
        return array;
    }
}
