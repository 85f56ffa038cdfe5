using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>
/// A vector of elements at a time. The text is the same for every width: each file says by its using directives what V, Floats, Ints,
/// UInts and Longs are. Bools are masks of ints.
/// </summary>
internal sealed class LaneDialect : Dialect
{
    public override string TypeName(ScalarType type) =>
        type.Tag switch
        {
            ScalarType.Tags.Bool or ScalarType.Tags.Int => "Ints",
            ScalarType.Tags.UInt => "UInts",
            ScalarType.Tags.Long => "Longs",
            _ => "Floats",
        };

    /// <summary>A scalar in every lane.</summary>
    public string Broadcast(ScalarType type, string scalar) =>
        type.Tag switch
        {
            ScalarType.Tags.Bool => $"V.Create({scalar} ? -1 : 0)",
            ScalarType.Tags.Long => $"Longs.Create({scalar})",
            _ => $"V.Create({scalar})",
        };

    public override string Unary(UnaryOp op, ScalarType type, string operand) =>
        op.Tag switch
        {
            UnaryOp.Tags.Negate => $"-{operand}",
            UnaryOp.Tags.Not or UnaryOp.Tags.Complement => $"~{operand}",
            UnaryOp.Tags.Abs when type.IsUInt => operand,
            UnaryOp.Tags.Abs when type.IsLong => $"Longs.Abs({Bare(operand)})",
            UnaryOp.Tags.Abs => $"V.Abs({Bare(operand)})",
            UnaryOp.Tags.Sqrt => $"V.Sqrt({Bare(operand)})",
            UnaryOp.Tags.Floor => $"V.Floor({Bare(operand)})",
            UnaryOp.Tags.Ceiling => $"V.Ceiling({Bare(operand)})",
            UnaryOp.Tags.Round => $"V.Round({Bare(operand)})",
            UnaryOp.Tags.Truncate => $"V.Truncate({Bare(operand)})",
            UnaryOp.Tags.Exp => $"Lanes.Exp({Bare(operand)})",
            UnaryOp.Tags.Log => $"Lanes.Log({Bare(operand)})",
            UnaryOp.Tags.Log2 => $"Lanes.Log2({Bare(operand)})",
            UnaryOp.Tags.Sin => $"V.Sin({Bare(operand)})",
            UnaryOp.Tags.Cos => $"V.Cos({Bare(operand)})",
            UnaryOp.Tags.Tanh or UnaryOp.Tags.TanhApproximate => $"Lanes.Tanh({Bare(operand)})",
            UnaryOp.Tags.Exp2 => $"Lanes.Exp2({Bare(operand)})",
            _ => $"Lanes.Map({Bare(operand)}, &global::System.MathF.{op})",
        };

    public override string Binary(BinaryOp op, ScalarType type, string left, string right)
    {
        bool isLong = type.IsLong;
        string Compare(string name) =>
            isLong ? $"Longs.{name}({Bare(left)}, {Bare(right)})"
            : type.IsInt ? $"V.{name}({Bare(left)}, {Bare(right)})"
            : $"V.{name}({Bare(left)}, {Bare(right)}).AsInt32()";
        return op.Tag switch
        {
            BinaryOp.Tags.Add => $"{left} + {right}",
            BinaryOp.Tags.Sub => $"{left} - {right}",
            BinaryOp.Tags.Mul => $"{left} * {right}",
            BinaryOp.Tags.Div when type.IsFloat => $"{left} / {right}",
            BinaryOp.Tags.Rem when type.IsFloat =>
                $"Lanes.Map({Bare(left)}, {Bare(right)}, &global::FlashGen.Support.Scalars.Remainder)",
            BinaryOp.Tags.Div => $"Lanes.Divide({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Rem => $"Lanes.Remainder({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Min => isLong
                ? $"Longs.Min({Bare(left)}, {Bare(right)})"
                : $"V.Min({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Max => isLong
                ? $"Longs.Max({Bare(left)}, {Bare(right)})"
                : $"V.Max({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.BitAnd or BinaryOp.Tags.And => $"{left} & {right}",
            BinaryOp.Tags.BitOr or BinaryOp.Tags.Or => $"{left} | {right}",
            BinaryOp.Tags.BitXor => $"{left} ^ {right}",
            BinaryOp.Tags.Shl => $"Lanes.ShiftLeft({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Shr => $"Lanes.ShiftRight({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.UShr => $"Lanes.ShiftRightLogical({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Eq when type.IsBool => $"~({left} ^ {right})",
            BinaryOp.Tags.Ne when type.IsBool => $"{left} ^ {right}",
            BinaryOp.Tags.Eq => Compare("Equals"),
            BinaryOp.Tags.Ne => "~" + Compare("Equals"),
            BinaryOp.Tags.Lt => Compare("LessThan"),
            BinaryOp.Tags.Le => Compare("LessThanOrEqual"),
            BinaryOp.Tags.Gt => Compare("GreaterThan"),
            BinaryOp.Tags.Ge => Compare("GreaterThanOrEqual"),
            BinaryOp.Tags.Pow => $"Lanes.Pow({Bare(left)}, {Bare(right)})",
            BinaryOp.Tags.Atan2 => $"Lanes.Map({Bare(left)}, {Bare(right)}, &global::System.MathF.Atan2)",
            _ => throw No(op, type),
        };
    }

    public override string Convert(ScalarType from, ScalarType to, string operand)
    {
        if (from.Equals(to))
            return operand;
        return (from.Tag, to.Tag) switch
        {
            (ScalarType.Tags.Int, ScalarType.Tags.UInt) => $"{operand}.AsUInt32()",
            (ScalarType.Tags.UInt, ScalarType.Tags.Int) => $"{operand}.AsInt32()",
            (_, ScalarType.Tags.Long) => $"Longs.From({Bare(operand)})",
            (ScalarType.Tags.Long, ScalarType.Tags.Int) => $"{operand}.ToInts()",
            (ScalarType.Tags.Long, ScalarType.Tags.UInt) => $"{operand}.ToInts().AsUInt32()",
            (ScalarType.Tags.Long, ScalarType.Tags.Float) => $"{operand}.ToFloats()",
            (ScalarType.Tags.Float, ScalarType.Tags.Int) => $"V.ConvertToInt32({operand})",
            (ScalarType.Tags.Float, ScalarType.Tags.UInt) => $"V.ConvertToUInt32({operand})",
            (_, ScalarType.Tags.Float) => $"V.ConvertToSingle({Bare(operand)})",
            _ => throw No("conversion to " + to, from),
        };
    }

    public override string Select(ScalarType type, string condition, string ifTrue, string ifFalse) =>
        type.Tag switch
        {
            ScalarType.Tags.Long => $"Longs.Select({condition}, {Bare(ifTrue)}, {Bare(ifFalse)})",
            ScalarType.Tags.UInt => $"V.ConditionalSelect({condition}.AsUInt32(), {Bare(ifTrue)}, {Bare(ifFalse)})",
            ScalarType.Tags.Float => $"V.ConditionalSelect({condition}.AsSingle(), {Bare(ifTrue)}, {Bare(ifFalse)})",
            _ => $"V.ConditionalSelect({condition}, {Bare(ifTrue)}, {Bare(ifFalse)})",
        };

    public override string Read(
        string table,
        string length,
        TableElement element,
        ScalarType indexType,
        string index,
        Level level
    ) => $"Lanes.Read({table}, {length}, {index})";

    public override string Outside(string length, ScalarType indexType, string index) =>
        $"Lanes.Outside({length}, {index})";
}
