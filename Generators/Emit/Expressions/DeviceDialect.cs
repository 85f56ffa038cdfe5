using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>
/// One element at a time, inside an ILGPU kernel: operators as in C#, but every function and conversion by a helper whose result is the
/// same on all devices. Bools are joined without branches.
/// </summary>
/// <param name="wide">Floats are doubles: the ready-made score changes of Float64.</param>
/// <param name="exact">Products are kept apart from the sums that follow: masks, where one unit of the last place flips a pair.</param>
/// <param name="tensor">Inside a tensor-core kernel: NVIDIA's own instructions where they are near enough.</param>
internal sealed class DeviceDialect(bool wide = false, bool exact = false, bool tensor = false) : ScalarDialect(wide)
{
    private const string Functions = "PortableMath";
    private const string Scalars = "PortableScalars";

    private readonly bool isWide = wide;

    public override string Unary(UnaryOp op, ScalarType type, string operand) =>
        op.Tag switch
        {
            UnaryOp.Tags.Negate or UnaryOp.Tags.Not or UnaryOp.Tags.Complement or UnaryOp.Tags.Abs => base.Unary(
                op,
                type,
                operand
            ),
            // Correctly rounded on every device that ILGPU knows.
            UnaryOp.Tags.Sqrt or UnaryOp.Tags.Floor or UnaryOp.Tags.Ceiling => base.Unary(op, type, operand),
            UnaryOp.Tags.Tanh or UnaryOp.Tags.Exp2 when tensor => $"TensorMath.{op}({operand})",
            UnaryOp.Tags.TanhApproximate =>
                $"{(tensor ? "TensorMath.TanhApproximate" : Functions + ".Tanh")}({operand})",
            _ => $"{Functions}.{op}({operand})",
        };

    public override string Binary(BinaryOp op, ScalarType type, string left, string right) =>
        op.Tag switch
        {
            BinaryOp.Tags.Min or BinaryOp.Tags.Max or BinaryOp.Tags.Pow or BinaryOp.Tags.Atan2 when type.IsFloat =>
                $"{Functions}.{op}({left}, {right})",
            // The compiler folds the reciprocal of a constant.
            BinaryOp.Tags.Div when tensor && type.IsFloat && IsNumber(right) => $"{left} * (1f / {right})",
            BinaryOp.Tags.Div or BinaryOp.Tags.Rem when !type.IsFloat =>
                $"{Scalars}.{(op.IsDiv ? "Divide" : "Remainder")}({left}, {right})",
            BinaryOp.Tags.Rem when type.IsFloat => $"{Scalars}.Remainder({left}, {right})",
            BinaryOp.Tags.Mul when exact && type.IsFloat => $"{Functions}.Separate({left} * {right}, call.Zero)",
            _ => base.Binary(op, type, left, right),
        };

    // Outside these bounds the constants' products could leave float's range.
    public override string? Capped(string x, float divisor, float cap) =>
        tensor && divisor is > 1e-18f and < 1e18f && cap is > 1e-18f and < 1e18f
            ? $"TensorMath.Capped({x}, 1f / {Literal(LiteralModule.ofFloat(divisor))}, {Literal(LiteralModule.ofFloat(cap))})"
            : null;

    private static bool IsNumber(string operand) =>
        char.IsDigit(operand[0]) && operand.EndsWith("f", System.StringComparison.Ordinal);

    public override string Convert(ScalarType from, ScalarType to, string operand) =>
        to.IsFloat ? $"{Scalars}.{(isWide ? "ToDouble" : "ToFloat")}({operand})"
        : from.IsFloat ? $"{Scalars}.To{to}({operand})"
        : base.Convert(from, to, operand);

    // The view knows its length, which may be beyond an int.
    public override string Read(
        string table,
        string length,
        TableElement element,
        ScalarType indexType,
        string index,
        Level level
    ) =>
        $"{Scalars}.Read{(element.IsBoolElement ? "Bool" : "")}{(level == Level.Uniform ? "OfAll" : "")}({table}, {index})";

    public override string Outside(string length, ScalarType indexType, string index) =>
        $"{Scalars}.Outside({length}, {index})";
}
