using FlashGen.Dsl;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

// Expressions, without patterns and calls.
internal sealed partial class BodyParser
{
    private Expr Expression(IOperation operation, Frame frame) => Deeper(() => Read(operation, frame));

    private Expr Read(IOperation operation, Frame frame)
    {
        if (operation.Kind == OperationKind.Invalid || operation.Type is IErrorTypeSymbol)
            return LeaveToCompiler(operation.Type);
        if (operation.ConstantValue is { HasValue: true, Value: { } constant } && Constant(constant) is { } literal)
            return literal;
        if (operation.Type?.SpecialType == SpecialType.System_Double)
            return RefuseType(operation);
        return operation switch
        {
            IParameterReferenceOperation reference => Reference(reference, reference.Parameter, frame),
            ILocalReferenceOperation reference => Reference(reference, reference.Local, frame),
            IPropertyReferenceOperation property => Property(property, frame),
            IUnaryOperation unary => Unary(unary, frame),
            IBinaryOperation binary => Binary(binary, frame),
            IConversionOperation conversion => Conversion(conversion, frame),
            IConditionalOperation choice => Choice(choice, frame),
            ISwitchExpressionOperation choice => Switch(choice, frame),
            IIsPatternOperation test => IsPattern(test, frame),
            IInvocationOperation call => Call(call, frame),
            _ => RefuseExpression(operation),
        };
    }

    private static Expr? Constant(object value) =>
        value switch
        {
            bool v => ExprModule.@bool(v),
            byte v => ExprModule.@int(v),
            int v => ExprModule.@int(v),
            uint v => Expr.NewLiteral(Literal.NewUIntLiteral(v)),
            long v => ExprModule.@long(v),
            float v => ExprModule.@float(v),
            _ => null,
        };

    private Expr Reference(IOperation operation, ISymbol symbol, Frame frame) =>
        ModTypes.ScalarOf(operation.Type) is null ? RefuseType(operation)
        : frame.Find(symbol) is Operand.Value value ? value.Expr
        // A local that has no value was refused where it is declared.
        : symbol is ILocalSymbol ? Anything(operation.Type)
        : RefuseExpression(operation);

    private Expr Property(IPropertyReferenceOperation property, Frame frame)
    {
        switch (OperandOf(property.Instance, frame))
        {
            case Operand.Table table when property.Property.IsIndexer:
                return Expr.NewTableRead(table.Name, table.Element, Index(property.Arguments[0].Value, frame));
            case Operand.Table table when property.Property.Name == "Length":
                return Expr.NewTableLength(table.Name);
            case { } operand when operand == Operand.Position && ModTypes.FieldOf(property.Property.Name) is { } field:
                return Expr.NewPosition(field);
            case null when property.Instance is { } instance && ModTypes.ScalarOf(instance.Type) is null:
                // What the property belongs to is refused already, nearer to the mistake.
                Expression(instance, frame);
                return Anything(property.Type);
            default:
                return RefuseExpression(property);
        }
    }

    /// <summary>A table's index is a long, but an int needs no widening: reads take both.</summary>
    private Expr Index(IOperation index, Frame frame) =>
        index is IConversionOperation { IsImplicit: true, Operand: { } narrow }
        && ModTypes.ScalarOf(narrow.Type) is { IsInt: true }
            ? Expression(narrow, frame)
            : Expression(index, frame);

    private Operand? OperandOf(IOperation? operation, Frame frame) =>
        operation is IParameterReferenceOperation reference ? frame.Find(reference.Parameter) : null;

    private Expr Unary(IUnaryOperation unary, Frame frame)
    {
        if (ModTypes.ScalarOf(unary.Type) is not { } type)
            return RefuseType(unary);
        if (unary.OperatorMethod is not null || unary.IsLifted)
            return RefuseOperands(unary, unary.Operand);
        if (unary.IsChecked && !type.IsFloat)
            return RefuseChecked(unary);
        var operand = Expression(unary.Operand, frame);
        return unary.OperatorKind switch
        {
            UnaryOperatorKind.Plus => operand,
            UnaryOperatorKind.Minus => Expr.NewUnary(UnaryOp.Negate, operand),
            UnaryOperatorKind.BitwiseNegation => Wrapped(unary, Expr.NewUnary(UnaryOp.Complement, operand)),
            UnaryOperatorKind.Not => Expr.NewUnary(UnaryOp.Not, operand),
            _ => RefuseExpression(unary),
        };
    }

    private Expr Binary(IBinaryOperation binary, Frame frame)
    {
        if (ModTypes.ScalarOf(binary.Type) is not { } type)
            return RefuseType(binary);
        if (binary.OperatorMethod is not null || binary.IsLifted)
            return RefuseOperands(binary, binary.LeftOperand, binary.RightOperand);
        if (binary.IsChecked && !type.IsFloat && !type.IsBool)
            return RefuseChecked(binary);
        if (OperatorOf(binary.OperatorKind) is not { } op)
            return RefuseExpression(binary);
        if (op.IsRem && type.IsFloat && _isMask)
            return RefuseInexact(binary, "% of floats", "write x - y * MathF.Floor(x / y)");
        var (left, right) = (Expression(binary.LeftOperand, frame), Expression(binary.RightOperand, frame));
        return Wrapped(binary, Expr.NewBinary(op, left, right));
    }

    // Enumerations of bytes are what C# computes with in bytes; bytes themselves become ints before.
    private static Expr Wrapped(IOperation operation, Expr number) =>
        ModTypes.IsByte(operation.Type) ? LowByte(number) : number;

    private static Expr LowByte(Expr number) => Expr.NewBinary(BinaryOp.BitAnd, number, ExprModule.@int(255));

    private static BinaryOp? OperatorOf(BinaryOperatorKind kind) =>
        kind switch
        {
            BinaryOperatorKind.Add => BinaryOp.Add,
            BinaryOperatorKind.Subtract => BinaryOp.Sub,
            BinaryOperatorKind.Multiply => BinaryOp.Mul,
            BinaryOperatorKind.Divide => BinaryOp.Div,
            BinaryOperatorKind.Remainder => BinaryOp.Rem,
            BinaryOperatorKind.LeftShift => BinaryOp.Shl,
            BinaryOperatorKind.RightShift => BinaryOp.Shr,
            BinaryOperatorKind.UnsignedRightShift => BinaryOp.UShr,
            BinaryOperatorKind.And => BinaryOp.BitAnd,
            BinaryOperatorKind.Or => BinaryOp.BitOr,
            BinaryOperatorKind.ExclusiveOr => BinaryOp.BitXor,
            BinaryOperatorKind.ConditionalAnd => BinaryOp.And,
            BinaryOperatorKind.ConditionalOr => BinaryOp.Or,
            BinaryOperatorKind.Equals => BinaryOp.Eq,
            BinaryOperatorKind.NotEquals => BinaryOp.Ne,
            BinaryOperatorKind.LessThan => BinaryOp.Lt,
            BinaryOperatorKind.LessThanOrEqual => BinaryOp.Le,
            BinaryOperatorKind.GreaterThan => BinaryOp.Gt,
            BinaryOperatorKind.GreaterThanOrEqual => BinaryOp.Ge,
            _ => null,
        };

    private Expr Conversion(IConversionOperation conversion, Frame frame)
    {
        if (conversion.Operand is IThrowOperation)
            return RefuseExpression(conversion.Operand);
        if (ModTypes.ScalarOf(conversion.Type) is not { } target)
            return RefuseType(conversion);
        if (conversion.OperatorMethod is not null)
            return RefuseOperands(conversion, conversion.Operand);
        var operand = Expression(conversion.Operand, frame);
        if (ModTypes.ScalarOf(conversion.Operand.Type) is not { } source)
            return Anything(conversion.Type);
        if (conversion.IsChecked && !target.IsFloat && !Widens(source, target))
            return RefuseChecked(conversion);
        if (ModTypes.IsByte(conversion.Type))
            return ToByte(conversion, operand, source);
        return source.Equals(target) ? operand : Expr.NewConvert(target, operand);
    }

    /// <summary>A byte is an int from 0 to 255.</summary>
    private Expr ToByte(IConversionOperation conversion, Expr operand, ScalarType source)
    {
        if (ModTypes.IsByte(conversion.Operand.Type))
            return operand;
        if (source.IsFloat)
            return Forbid(conversion, "a conversion of float to byte", "convert to int");
        return LowByte(source.IsInt ? operand : Expr.NewConvert(ScalarType.Int, operand));
    }

    private static bool Widens(ScalarType source, ScalarType target) =>
        source.Equals(target) || (target.IsLong && (source.IsInt || source.IsUInt));

    private Expr Choice(IConditionalOperation choice, Frame frame)
    {
        if (ModTypes.ScalarOf(choice.Type) is null)
            return RefuseType(choice);
        return Expr.NewSelect(
            Expression(choice.Condition, frame),
            Expression(choice.WhenTrue, frame),
            Expression(choice.WhenFalse!, frame)
        );
    }
}
