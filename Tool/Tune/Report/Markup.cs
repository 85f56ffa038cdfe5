using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace FlashGen.Tool.Tune.Report;

/// <summary>
/// Elements of a page that is HTML and well-formed XML at once: names of variants and messages of compilers are text in it, whatever they
/// hold.
/// </summary>
internal static class Markup
{
    // HTML has no end tag for these, and SVG needs none. All others get one, since HTML takes <td /> for a beginning.
    private static readonly HashSet<string> WithoutEnd =
    [
        "meta",
        "br",
        "rect",
        "line",
        "circle",
        "path",
        "polyline",
        "polygon",
    ];

    /// <summary>An element of attributes, elements and text.</summary>
    public static XElement Element(string name, params object?[] content)
    {
        XElement element = new(name, content.Select(part => part is string text ? Clean(text) : part));
        if (element.IsEmpty && !WithoutEnd.Contains(name))
            element.Add("");
        return element;
    }

    /// <summary>An attribute.</summary>
    public static XAttribute With(string name, string value) => new(name, Clean(value));

    /// <summary>An attribute that is a length in a drawing.</summary>
    public static XAttribute With(string name, double value) =>
        new(name, Math.Round(value, 2).ToString(CultureInfo.InvariantCulture));

    /// <summary>A page as text.</summary>
    public static string Print(XElement html)
    {
        StringBuilder text = new("<!DOCTYPE html>\n");
        using (
            XmlWriter writer = XmlWriter.Create(
                text,
                new() { OmitXmlDeclaration = true, NewLineHandling = NewLineHandling.None }
            )
        )
            html.WriteTo(writer);
        return text.Append('\n').ToString();
    }

    // A message may hold what no document may: control characters, halves of pairs.
    private static string Clean(string text)
    {
        StringBuilder clean = new(text.Length);
        for (int i = 0; i < text.Length; i++)
            if (XmlConvert.IsXmlChar(text[i]))
                clean.Append(text[i]);
            else if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
                clean.Append(text[i]).Append(text[++i]);
            else
                clean.Append('\uFFFD');
        return clean.ToString();
    }
}
