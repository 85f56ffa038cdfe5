using System.Globalization;
using System.Numerics;

namespace FlashGen.Tool.Arguments;

/// <summary>Numbers and truth values as a user writes them on the command line.</summary>
internal static class ScalarText
{
    /// <summary>One value of an argument's type.</summary>
    /// <exception cref="ToolException">It is none.</exception>
    public static object One(ArgumentInfo argument, string text) =>
        argument.TypeName switch
        {
            "bool" => Truth(argument, text),
            "byte" => Number<byte>(argument, text),
            "int" => Number<int>(argument, text),
            "uint" => Number<uint>(argument, text),
            "long" => Number<long>(argument, text),
            "float" => Number<float>(argument, text),
            _ => throw new ToolException(
                $"--arg {argument.Name}: the type {argument.TypeName} is unknown to this tool."
            ),
        };

    /// <summary>A table of an argument's element type.</summary>
    /// <exception cref="ToolException">An entry is none.</exception>
    public static object Table(ArgumentInfo argument, string[] texts) =>
        argument.TypeName switch
        {
            "bool" => Array.ConvertAll(texts, text => Truth(argument, text)),
            "byte" => Array.ConvertAll(texts, text => Number<byte>(argument, text)),
            "int" => Array.ConvertAll(texts, text => Number<int>(argument, text)),
            "uint" => Array.ConvertAll(texts, text => Number<uint>(argument, text)),
            "long" => Array.ConvertAll(texts, text => Number<long>(argument, text)),
            "float" => Array.ConvertAll(texts, text => Number<float>(argument, text)),
            _ => throw new ToolException(
                $"--arg {argument.Name}: the type {argument.TypeName} is unknown to this tool."
            ),
        };

    private static bool Truth(ArgumentInfo argument, string text) =>
        text.Trim().ToLowerInvariant() switch
        {
            "true" or "1" => true,
            "false" or "0" => false,
            _ => throw new ToolException(
                $"--arg {argument.Name}: '{text}' is no bool; allowed are true, false, 1 and 0."
            ),
        };

    private static T Number<T>(ArgumentInfo argument, string text)
        where T : INumber<T>, IMinMaxValue<T>
    {
        NumberStyles style = typeof(T) == typeof(float) ? NumberStyles.Float : NumberStyles.AllowLeadingSign;
        return
            T.TryParse(text.Trim(), style, CultureInfo.InvariantCulture, out T? number)
            // Infinity is a number of its own; digits that end there are too many.
            && !(T.IsInfinity(number) && text.Any(char.IsDigit))
            ? number
            : throw new ToolException(
                typeof(T) == typeof(float)
                    ? $"--arg {argument.Name}: '{text}' is neither a float (up to 3.4e38, Infinity or NaN) nor a .npy file."
                    : FormattableString.Invariant(
                        $"--arg {argument.Name}: '{text}' is no {argument.TypeName}, {T.MinValue} to {T.MaxValue}, and no .npy file."
                    )
            );
    }
}
