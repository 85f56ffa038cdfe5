using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>One element at a time, in plain C#.</summary>
/// <param name="wide">Floats are doubles: the ready-made score changes of Float64.</param>
internal class ScalarDialect(bool wide = false) : Dialect
{
    private readonly string real = wide ? "double" : "float";

    protected virtual string MathClass => wide ? "global::System.Math" : "global::System.MathF";

    /// <summary>The class of the helpers that C# has no operator for.</summary>
    protected virtual string Helpers => "global::FlashGen.Support.Scalars";

    public override string TypeName(ScalarType type) =>
        type.Tag switch
        {
            ScalarType.Tags.Bool => "bool",
            ScalarType.Tags.Int => "int",
            ScalarType.Tags.UInt => "uint",
            ScalarType.Tags.Long => "long",
            _ => real,
        };

    public override string Unary(UnaryOp op, ScalarType type, string operand) =>
        op.Tag switch
        {
            UnaryOp.Tags.Negate => Wrapping(type, $"-{operand}"),
            UnaryOp.Tags.Not => $"!{operand}",
            UnaryOp.Tags.Complement => $"~{operand}",
            // Math.Abs throws for int.MinValue, where integers of a mod wrap.
            UnaryOp.Tags.Abs when type.IsFloat => $"{MathClass}.Abs({Bare(operand)})",
            UnaryOp.Tags.Abs when type.IsUInt => operand,
            UnaryOp.Tags.Abs => $"({operand} < 0 ? {Wrapping(type, $"-{operand}")} : {operand})",
            UnaryOp.Tags.Exp2 => $"{Helpers}.Exp2({operand})",
            _ => $"{MathClass}.{op}({Bare(operand)})",
        };

    public override string Binary(BinaryOp op, ScalarType type, string left, string right) =>
        op.Tag switch
        {
            BinaryOp.Tags.Add => Wrapping(type, $"{left} + {right}"),
            BinaryOp.Tags.Sub => Wrapping(type, $"{left} - {right}"),
            BinaryOp.Tags.Mul => Wrapping(type, $"{left} * {right}"),
            BinaryOp.Tags.Div when type.IsFloat => $"{left} / {right}",
            BinaryOp.Tags.Rem when type.IsFloat => $"{left} % {right}",
            BinaryOp.Tags.Div => $"{Helpers}.Divide({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Rem => $"{Helpers}.Remainder({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Min => $"{(type.IsFloat ? MathClass : "global::System.Math")}.Min({left}, {right})",
            BinaryOp.Tags.Max => $"{(type.IsFloat ? MathClass : "global::System.Math")}.Max({left}, {right})",
            BinaryOp.Tags.BitAnd or BinaryOp.Tags.And => $"{left} & {right}",
            BinaryOp.Tags.BitOr or BinaryOp.Tags.Or => $"{left} | {right}",
            BinaryOp.Tags.BitXor => $"{left} ^ {right}",
            BinaryOp.Tags.Shl => $"{left} << {right}",
            BinaryOp.Tags.Shr => $"{left} >> {right}",
            BinaryOp.Tags.UShr => $"{left} >>> {right}",
            BinaryOp.Tags.Eq => $"{left} == {right}",
            BinaryOp.Tags.Ne => $"{left} != {right}",
            BinaryOp.Tags.Lt => $"{left} < {right}",
            BinaryOp.Tags.Le => $"{left} <= {right}",
            BinaryOp.Tags.Gt => $"{left} > {right}",
            BinaryOp.Tags.Ge => $"{left} >= {right}",
            BinaryOp.Tags.Pow => $"{MathClass}.Pow({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Atan2 => $"{MathClass}.Atan2({Bare(left)}, {Bare(right)})",
            _ => throw No(op, type),
        };

    public override string Convert(ScalarType from, ScalarType to, string operand) =>
        Wrapping(to, $"({TypeName(to)}){operand}");

    // Integers of a mod wrap (semantics 15), whatever the user's project says of overflow.
    private static string Wrapping(ScalarType type, string text) => type.IsFloat ? text : $"unchecked({text})";

    public override string Select(ScalarType type, string condition, string ifTrue, string ifFalse) =>
        $"{condition} ? {ifTrue} : {ifFalse}";

    public override string Read(
        string table,
        string length,
        TableElement element,
        ScalarType indexType,
        string index,
        Level level
    ) => $"{Helpers}.Read({table}, {length}, {index})";

    public override string Outside(string length, ScalarType indexType, string index) =>
        $"{Helpers}.Outside({length}, {index})";
}
