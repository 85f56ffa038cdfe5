using System.Globalization;
using FlashGen.Tool.Npy;

namespace FlashGen.Tool.Arguments;

/// <summary>Turns the command line's <c>--arg name=value</c> into a variant's run-time arguments.</summary>
internal static class ArgumentReader
{
    /// <summary>What an option's help says.</summary>
    public const string Help =
        "A run-time argument, name=value; `show` lists those of a variant. A table is a .npy file or a list (slopes=0.5,0.25), "
        + "converted to the argument's type where that is exact. bias is a .npy file; its strides follow from its shape, broadcast over "
        + "(batch, head, query, key) as NumPy does. dropout is p, p:seed or p:seed:offset.";

    /// <summary>The arguments by name.</summary>
    /// <param name="variant">The variant.</param>
    /// <param name="texts">The values of --arg.</param>
    /// <param name="shape">The sizes of the call, against which a bias is broadcast.</param>
    /// <exception cref="ToolException">A name is unknown, twice or missing, or a value does not fit.</exception>
    public static ModArguments Read(AttentionVariant variant, IReadOnlyList<string> texts, in AttentionShape shape)
    {
        Dictionary<string, string> given = Split(variant, texts);
        ModArguments arguments = [];
        foreach (ArgumentInfo argument in variant.Arguments)
        {
            bool isGiven = given.TryGetValue(argument.Name, out string? text);
            if (argument.Kind == ArgumentKind.BiasStrides && !isGiven)
                continue; // They come with the bias.
            if (!isGiven)
                throw new ToolException($"--arg {argument.Name}=... is missing; {Takes(variant)}.");
            bool isBias = argument.Name == "bias" && variant.Arguments.Any(a => a.Kind == ArgumentKind.BiasStrides);
            if (isBias && !given.ContainsKey("biasStrides"))
                AddBias(arguments, text!, shape);
            else
                arguments.Add(argument.Name, Value(argument, text!));
        }
        return arguments;
    }

    /// <summary>Whether a value names a file.</summary>
    public static bool IsFile(string text) => text.EndsWith(".npy", StringComparison.OrdinalIgnoreCase);

    /// <summary>The arguments that a variant takes, for messages.</summary>
    private static string Takes(AttentionVariant variant) =>
        variant.Arguments.Count == 0
            ? $"{variant.Name} takes none"
            : $"{variant.Name} takes " + string.Join(", ", variant.Arguments.Select(Describe));

    /// <summary>An argument with its type, as in "slopes (table of float)".</summary>
    public static string Describe(ArgumentInfo argument) => $"{argument.Name} ({TypeOf(argument)})";

    /// <summary>The type of an argument in words.</summary>
    public static string TypeOf(ArgumentInfo argument) =>
        argument.Kind switch
        {
            ArgumentKind.Table => $"table of {argument.TypeName}",
            ArgumentKind.BiasStrides => "batch,head,query,key; follows from the bias's shape",
            ArgumentKind.Dropout => "p:seed:offset",
            _ => argument.TypeName,
        };

    private static Dictionary<string, string> Split(AttentionVariant variant, IReadOnlyList<string> texts)
    {
        Dictionary<string, string> given = new(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            int at = text.IndexOf('=', StringComparison.Ordinal);
            if (at < 1)
                throw new ToolException($"--arg {text}: it must be name=value; {Takes(variant)}.");
            string name = text[..at];
            if (variant.Arguments.All(argument => argument.Name != name))
                throw new ToolException($"--arg {text}: there is no argument '{name}'; {Takes(variant)}.");
            if (!given.TryAdd(name, text[(at + 1)..]))
                throw new ToolException($"--arg {name} is given twice.");
        }
        return given;
    }

    private static object Value(ArgumentInfo argument, string text) =>
        argument.Kind switch
        {
            ArgumentKind.Table => IsFile(text)
                ? TableReader.FromFile(argument, text)
                : ScalarText.Table(argument, text.Length == 0 ? [] : text.Split(',')),
            ArgumentKind.Scalar => IsFile(text)
                ? TableReader.ScalarFromFile(argument, text)
                : ScalarText.One(argument, text),
            ArgumentKind.Dropout => DropoutOf(text),
            _ => StridesOf(text),
        };

    private static Dropout DropoutOf(string text)
    {
        string[] parts = text.Split(':');
        ulong seed = 0;
        uint offset = 0;
        if (
            parts.Length is < 1 or > 3
            || !float.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out float probability)
            || (
                parts.Length > 1 && !ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out seed)
            )
            || (
                parts.Length > 2
                && !uint.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out offset)
            )
        )
            throw new ToolException(
                $"--arg dropout={text}: it must be p, p:seed or p:seed:offset, p in [0, 1), seed below 2^64, offset below 2^32."
            );
        try
        {
            return new Dropout(probability, seed, offset);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new ToolException($"--arg dropout={text}: {Messages.Of(e)}", e);
        }
    }

    private static BiasStrides StridesOf(string text)
    {
        long[] steps =
        [
            .. text.Split(',')
                .Select(part =>
                    long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long step) ? step : -1
                ),
        ];
        return steps.Length == 4 && steps.All(step => step >= 0)
            ? new(steps[0], steps[1], steps[2], steps[3])
            : throw new ToolException(
                $"--arg biasStrides={text}: it must be four steps in elements, batch,head,query,key, each 0 or more."
            );
    }

    private static void AddBias(ModArguments arguments, string text, in AttentionShape shape)
    {
        if (!IsFile(text))
            throw new ToolException(
                $"--arg bias={text}: it must be a .npy file, whose shape gives its strides, unless --arg biasStrides=batch,head,query,key is given."
            );
        using NpyFile file = NpyFile.Open("--arg bias", text);
        BiasStrides strides = BiasBroadcast.Strides(file.Name, file.Header, shape);
        arguments.Add("bias", TableReader.Read(file, "float"));
        arguments.Add("biasStrides", strides);
    }
}
