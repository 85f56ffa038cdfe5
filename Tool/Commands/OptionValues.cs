using System.CommandLine;
using System.Globalization;

namespace FlashGen.Tool.Commands;

/// <summary>What options take. A value that is refused is named, with its option and what is allowed.</summary>
internal static class OptionValues
{
    private delegate bool Parser<T>(string text, out T value);

    /// <summary>One of some words.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, params string[] words)
    {
        option.CompletionSources.Add(words);
        option.Validators.Add(result =>
        {
            foreach (string word in result.Tokens.Select(token => token.Value).Where(word => !words.Contains(word)))
                result.AddError($"{option.Name} is {word}; allowed are {Listed(words)}.");
        });
        return option;
    }

    /// <summary>A whole number, from a least one on.</summary>
    public static Option<int> From(this Option<int> option, int least) =>
        Parsed(
            option,
            (string text, out int number) =>
                int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)
                && number >= least,
            string.Create(CultureInfo.InvariantCulture, $"it must be a whole number from {least} to {int.MaxValue}")
        );

    /// <summary>A whole number, one of some.</summary>
    public static Option<int> OneOf(this Option<int> option, IEnumerable<int> numbers) =>
        Parsed(
            option,
            (string text, out int number) =>
                int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)
                && numbers.Contains(number),
            $"allowed are {Listed([.. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))])}"
        );

    /// <summary>Seconds, as many as are allowed.</summary>
    /// <param name="option">The option.</param>
    /// <param name="isAllowed">Whether a number of seconds is; infinity may be asked about, and what is no number is not.</param>
    /// <param name="allowed">Those that are, in words.</param>
    public static Option<double> Seconds(this Option<double> option, Func<double, bool> isAllowed, string allowed) =>
        Parsed(
            option,
            (string text, out double seconds) =>
                double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out seconds)
                && isAllowed(seconds),
            $"it must be a number of seconds, {allowed}"
        );

    // The library says itself that a value is missing, or given more than once.
    private static Option<T> Parsed<T>(Option<T> option, Parser<T> parse, string rule)
    {
        option.CustomParser = result =>
        {
            if (!parse(result.Tokens[0].Value, out T value))
                result.AddError($"{option.Name} is {result.Tokens[0].Value}; {rule}.");
            return value;
        };
        return option;
    }

    private static string Listed(string[] words) => $"{string.Join(", ", words[..^1])} and {words[^1]}";
}
