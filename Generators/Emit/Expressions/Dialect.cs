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

    public abstract string Convert(ScalarType from, ScalarType to, string operand);

    public abstract string Select(ScalarType type, string condition, string ifTrue, string ifFalse);

    /// <summary>A read whose index is clamped to the table; an empty table reads 0.</summary>
    public abstract string Read(string table, string length, TableElement element, ScalarType indexType, string index);

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

    protected static NotSupportedException No(object op, ScalarType type) =>
        new("The operation " + op + " does not exist on " + type + ".");
}
