using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FlashGen.Tool.Npy;

/// <summary>
/// What a NumPy file says of its array: NumPy's format page, versions 1.0 to 3.0. The text is a Python dictionary of three entries;
/// nothing else is accepted, so that a file of another kind is refused by name instead of read as numbers.
/// </summary>
/// <param name="Type">The element type.</param>
/// <param name="FortranOrder">Whether the first axis runs fastest.</param>
/// <param name="Shape">The axes' lengths, outermost first.</param>
/// <param name="DataOffset">Where the elements begin in the file.</param>
internal sealed partial record NpyHeader(NpyType Type, bool FortranOrder, long[] Shape, long DataOffset)
{
    // NumPy itself refuses to parse more than 10,000 characters.
    private const int LongestText = 10_000;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Elements of the array.</summary>
    public long Count { get; } = CountOf(Shape);

    /// <summary>The shape as Python writes it: (2, 3), (4,) or ().</summary>
    public string ShapeText => TextOf(Shape);

    /// <summary>The shape as Python writes it.</summary>
    public static string TextOf(IReadOnlyList<long> shape) =>
        shape.Count == 1
            ? string.Create(CultureInfo.InvariantCulture, $"({shape[0]},)")
            : $"({string.Join(", ", shape.Select(n => n.ToString(CultureInfo.InvariantCulture)))})";

    /// <summary>Reads the header and leaves the stream at the first element.</summary>
    /// <exception cref="ToolException">It is not a NumPy file, or one of a kind that is not read; the message lacks the file's name.</exception>
    public static NpyHeader Read(Stream stream)
    {
        Span<byte> start = stackalloc byte[8];
        if (stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length)
            throw new ToolException("it is too short for a NumPy file (.npy).");
        if (!start[..6].SequenceEqual(Magic))
            throw new ToolException(
                "it is not a NumPy file (.npy): it begins with "
                    + Convert.ToHexString(start[..6])
                    + ", not with "
                    + Convert.ToHexString(Magic)
                    + "."
            );
        int version = start[6];
        if (version is < 1 or > 3 || start[7] != 0)
            throw new ToolException(
                FormattableString.Invariant(
                    $"its format version is {start[6]}.{start[7]}; allowed are 1.0, 2.0 and 3.0."
                )
            );
        Span<byte> lengthBytes = stackalloc byte[version == 1 ? 2 : 4];
        ReadAll(stream, lengthBytes);
        long length =
            version == 1
                ? BinaryPrimitives.ReadUInt16LittleEndian(lengthBytes)
                : BinaryPrimitives.ReadUInt32LittleEndian(lengthBytes);
        if (length > LongestText)
            throw new ToolException(
                FormattableString.Invariant($"its header is {length} bytes long; allowed are up to {LongestText}.")
            );
        byte[] text = new byte[length];
        ReadAll(stream, text);
        long offset = start.Length + lengthBytes.Length + length;
        return Parse((version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(text), offset);
    }

    private static NpyHeader Parse(string text, long offset)
    {
        Match match = Dictionary().Match(text);
        if (!match.Success)
            throw new ToolException(
                "its header is not the dictionary of descr, fortran_order and shape that NumPy writes."
            );
        Dictionary<string, string> entries = new(StringComparer.Ordinal);
        foreach ((Capture key, Capture value) in match.Groups["key"].Captures.Zip(match.Groups["value"].Captures))
            if (!entries.TryAdd(key.Value, value.Value))
                throw new ToolException($"its header has '{key.Value}' twice.");
        if (!entries.Keys.Order(StringComparer.Ordinal).SequenceEqual(["descr", "fortran_order", "shape"]))
            throw new ToolException(
                $"its header has the entries {string.Join(", ", entries.Keys)}; it must have descr, fortran_order and shape."
            );
        string quoted = entries["descr"];
        string descr = quoted.Trim('\'', '"');
        NpyType type =
            (quoted == descr ? null : NpyType.Parse(descr))
            ?? throw new ToolException($"its element type is {descr}; allowed are {NpyType.Allowed}.");
        bool fortran = entries["fortran_order"] switch
        {
            "True" => true,
            "False" => false,
            string other => throw new ToolException($"its fortran_order is {other}; allowed are True and False."),
        };
        return new(type, fortran, ShapeOf(entries["shape"]), offset);
    }

    private static long[] ShapeOf(string text)
    {
        Match match = Tuple().Match(text);
        if (!match.Success)
            throw new ToolException(
                $"its shape is {text}; it must be a tuple of lengths, each 0 or more, as NumPy writes it."
            );
        long[] shape =
        [
            .. match
                .Groups["axis"]
                .Captures.Select(axis =>
                    long.TryParse(axis.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out long length)
                        ? length
                        : throw new ToolException($"its shape is {text}; a length passes 2^63 - 1.")
                ),
        ];
        if (CountOf(shape) < 0)
            throw new ToolException($"its shape is {text}; it passes 2^63 - 1 elements.");
        return shape;
    }

    // -1 where it passes 63 bits; an axis of 0 makes the array empty whatever the others say.
    private static long CountOf(long[] shape)
    {
        if (shape.Contains(0))
            return 0;
        Int128 count = 1;
        foreach (long length in shape)
        {
            count *= length;
            if (count > long.MaxValue)
                return -1;
        }
        return (long)count;
    }

    private static void ReadAll(Stream stream, Span<byte> bytes)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new ToolException("it ends within its header.");
    }

    [GeneratedRegex(
        """\A\s*\{(?:\s*['"](?<key>\w+)['"]\s*:\s*(?<value>'[^']*'|"[^"]*"|\w+|\([^()]*\)|\[[^{}]*\])\s*(?:,|(?=\})))*\s*\}\s*\z""",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Dictionary();

    // As in Python: one length alone has a comma behind it, and no number begins with a 0 that it need not have.
    [GeneratedRegex(
        @"\A\(\s*(?:(?<axis>0|[1-9][0-9]*)\s*,\s*(?:(?<axis>0|[1-9][0-9]*)\s*(?:,\s*|(?=\))))*)?\)\z",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Tuple();
}
