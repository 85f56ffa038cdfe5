using System;
using System.Globalization;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>How operations are written in the text of one target.</summary>
internal abstract class Dialect
{
    public abstract string TypeName(ScalarType type);

    public abstract string Unary(UnaryOp op, ScalarType type, string operand);

    /// <param name="type">The type of the operands.</param>
    public abstract string Binary(BinaryOp op, ScalarType type, string left, string right);

    /// <summary>cap * tanh(x / divisor) in one; null where the target has nothing better than its parts.</summary>
    public virtual string? Capped(string x, float divisor, float cap) => null;

    public abstract string Convert(ScalarType from, ScalarType to, string operand);

    public abstract string Select(ScalarType type, string condition, string ifTrue, string ifFalse);

    /// <summary>A read whose index is clamped to the table; an empty table reads 0.</summary>
    /// <param name="level">What the index depends on.</param>
    public abstract string Read(
        string table,
        string length,
        TableElement element,
        ScalarType indexType,
        string index,
        Level level
    );

    /// <summary>Whether an index lies outside its table.</summary>
    public abstract string Outside(string length, ScalarType indexType, string index);

    /// <summary>A C# literal with exactly this value.</summary>
    public static string Literal(Literal literal) =>
        literal switch
        {
            Literal.BoolLiteral b => b.Item ? "true" : "false",
            Literal.IntLiteral i => i.Item == int.MinValue
                ? "int.MinValue"
                : i.Item.ToString(CultureInfo.InvariantCulture),
            Literal.UIntLiteral u => u.Item.ToString(CultureInfo.InvariantCulture) + "u",
            Literal.LongLiteral l => l.Item == long.MinValue
                ? "long.MinValue"
                : l.Item.ToString(CultureInfo.InvariantCulture) + "L",
            Literal.FloatLiteral f => Float(f.bits),
            _ => throw new NotSupportedException(literal.ToString()),
        };

    private static string Float(int bits)
    {
        float value = LiteralModule.toFloat(bits);
        if (float.IsNaN(value))
            return "float.NaN";
        if (float.IsInfinity(value))
            return value > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity";
        if (value == 0)
            return bits < 0 ? "-0f" : "0f";
        return value.ToString("G9", CultureInfo.InvariantCulture) + "f";
    }

    /// <summary>The text as an operand: in parentheses, unless it is a name, a literal or a call.</summary>
    public static string Operand(string text) => IsWhole(text) ? text : "(" + text + ")";

    /// <summary>The text as an argument: without parentheses around all of it.</summary>
    protected static string Bare(string text) =>
        text[0] == '(' && Closing(text, 0) == text.Length - 1 ? text.Substring(1, text.Length - 2) : text;

    // Names, literals, calls and member accesses: a.b, V.Create(1), (a + b).AsSingle().
    private static bool IsWhole(string text)
    {
        int at = 0;
        while (at < text.Length)
        {
            if (text[at] == '(')
                at = Closing(text, at) + 1;
            else if (char.IsLetterOrDigit(text[at]) || text[at] is '_' or '.' or '@' or ':')
                at++;
            else
                return false;
        }
        // A cast is an identifier or parentheses before an operand, and no member access.
        return !(text[0] == '(' && Closing(text, 0) + 1 is int next && next < text.Length && text[next] != '.');
    }

    private static int Closing(string text, int open)
    {
        int depth = 0;
        for (int at = open; at < text.Length; at++)
        {
            depth +=
                text[at] == '(' ? 1
                : text[at] == ')' ? -1
                : 0;
            if (depth == 0)
                return at;
        }
        return text.Length - 1;
    }

    protected static NotSupportedException No(object op, ScalarType type) =>
        new("The operation " + op + " does not exist on " + type + ".");
}
