using System.Globalization;
using System.Text.RegularExpressions;

namespace FlashGen.Tool.Npy;

/// <summary>The element type of a NumPy file, from its <c>descr</c>.</summary>
/// <param name="Kind">NumPy's letter: b bool, i integer, u unsigned, f float, V raw bytes.</param>
/// <param name="Size">Bytes of one element.</param>
/// <param name="BigEndian">Whether the file has the high byte first.</param>
internal readonly partial record struct NpyType(char Kind, int Size, bool BigEndian = false)
{
    /// <summary>What can be read, for messages.</summary>
    public const string Allowed =
        "bool (|b1), int8 to int64 (<i1 to <i8), uint8 to uint64 (<u1 to <u8), float16, float32, float64 (<f2, <f4, <f8) and 2 raw bytes (<V2)";

    /// <summary>Whether this is a type that the tool reads.</summary>
    private bool IsKnown =>
        (Kind, Size) switch
        {
            ('b', 1) or ('V', 2) => true,
            ('i' or 'u', 1 or 2 or 4 or 8) => true,
            ('f', 2 or 4 or 8) => true,
            _ => false,
        };

    /// <summary>NumPy's name of the type, such as <c>&lt;f4</c>.</summary>
    public string Descr =>
        string.Create(CultureInfo.InvariantCulture, $"{(BigEndian ? '>' : Size == 1 ? '|' : '<')}{Kind}{Size}");

    /// <summary>The type of a <c>descr</c>; null when it is none that is read.</summary>
    public static NpyType? Parse(string descr)
    {
        // NumPy writes the byte order of the machine as < or >, and | where there is none; ml_dtypes writes bfloat16 as <V2 or |V2.
        Match match = Pattern().Match(descr);
        if (!match.Success)
            return null;
        NpyType type = new(
            match.Groups["kind"].ValueSpan[0],
            int.Parse(match.Groups["size"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture),
            match.Groups["order"].Value == ">" && match.Groups["size"].Value != "1"
        );
        return type.IsKnown && !(type.Kind == 'V' && type.BigEndian) ? type : null;
    }

    /// <summary>As <see cref="Descr"/>.</summary>
    public override string ToString() => Descr;

    [GeneratedRegex(@"\A(?<order>[<>|=]?)(?<kind>[biufV])(?<size>[1248])\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
