using FlashGen.Dsl;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

// Patterns: every one is a test of one scalar.
internal sealed partial class BodyParser
{
    private Expr IsPattern(IIsPatternOperation test, Frame frame)
    {
        if (ModTypes.ScalarOf(test.Value.Type) is null)
            return RefuseType(test.Value);
        return Bind(
            "value",
            Expression(test.Value, frame),
            value => Test(test.Pattern, value) ?? ExprModule.@bool(true)
        );
    }

    private Expr Switch(ISwitchExpressionOperation choice, Frame frame)
    {
        if (ModTypes.ScalarOf(choice.Value.Type) is null)
            return RefuseType(choice.Value);
        if (ModTypes.ScalarOf(choice.Type) is null)
            return RefuseType(choice);
        return Bind("value", Expression(choice.Value, frame), value => Arms(choice, 0, value, frame));
    }

    private Expr Arms(ISwitchExpressionOperation choice, int first, Expr value, Frame frame)
    {
        var arm = choice.Arms[first];
        var armFrame = arm.Pattern is IDeclarationPatternOperation { DeclaredSymbol: { } named }
            ? frame.With(named, value)
            : frame;
        var test = NamesWhole(arm.Pattern) ? null : Test(arm.Pattern, value);
        if (arm.Guard is not null)
        {
            var guard = Expression(arm.Guard, armFrame);
            test = test is null ? guard : Expr.NewBinary(BinaryOp.And, test, guard);
        }
        var result = Expression(arm.Value, armFrame);
        if (test is null)
            return result;
        if (first + 1 < choice.Arms.Length)
            return Expr.NewSelect(test, result, Deeper(() => Arms(choice, first + 1, value, frame)));
        // Some arm always takes the value, so the last one needs no test.
        return choice.IsExhaustive
            ? result
            : Forbid(
                choice.Syntax.GetLastToken().GetLocation(),
                choice.Type,
                "a switch expression that leaves values out",
                "add an arm '_ => ...'"
            );
    }

    /// <summary>The test of a pattern on a leaf; null where it always holds.</summary>
    private Expr? Test(IPatternOperation pattern, Expr value)
    {
        switch (pattern)
        {
            case IDiscardPatternOperation:
                return null;
            case IConstantPatternOperation constant:
                return ConstantOf(constant.Value, value) is { } equal ? Equal(value, equal) : RefusePattern(pattern);
            case IRelationalPatternOperation relation:
                return ConstantOf(relation.Value, value) is { } bound && OperatorOf(relation.OperatorKind) is { } op
                    ? Expr.NewBinary(op, value, bound)
                    : RefusePattern(pattern);
            case INegatedPatternOperation negated:
                return Test(negated.Pattern, value) is { } inner
                    ? Expr.NewUnary(UnaryOp.Not, inner)
                    : ExprModule.@bool(false);
            case IBinaryPatternOperation both:
                return Deeper(() => Both(both, value));
            default:
                return RefusePattern(pattern);
        }
    }

    private Expr? Both(IBinaryPatternOperation pattern, Expr value)
    {
        var left = Test(pattern.LeftPattern, value);
        var right = Test(pattern.RightPattern, value);
        if (pattern.OperatorKind == BinaryOperatorKind.Or)
            return left is null || right is null ? null : Expr.NewBinary(BinaryOp.Or, left, right);
        return left is null ? right
            : right is null ? left
            : Expr.NewBinary(BinaryOp.And, left, right);
    }

    /// <summary>A constant pattern is ==, but the pattern float.NaN matches NaN.</summary>
    private static Expr Equal(Expr value, Expr constant) =>
        constant is Expr.Literal { Item: Literal.FloatLiteral bits } && float.IsNaN(LiteralModule.toFloat(bits.bits))
            ? Expr.NewBinary(BinaryOp.Ne, value, value)
            : Expr.NewBinary(BinaryOp.Eq, value, constant);

    private static Expr? ConstantOf(IOperation operation, Expr value)
    {
        if (
            operation.ConstantValue is not { HasValue: true, Value: { } constant }
            || Constant(constant) is not Expr.Literal literal
        )
            return null;
        return Expr.NewLiteral(Evaluate.convert(ExprModule.typeOf(value), literal.Item));
    }

    /// <summary>`var x`, or a type that the value has anyway.</summary>
    private static bool NamesWhole(IPatternOperation pattern) =>
        pattern is IDeclarationPatternOperation declaration
        && (
            declaration.MatchedType is null
            || SymbolEqualityComparer.Default.Equals(declaration.MatchedType, declaration.InputType)
        );

    private Expr RefusePattern(IPatternOperation pattern) =>
        pattern.Kind == OperationKind.Invalid
        || pattern is IConstantPatternOperation { Value.Kind: OperationKind.Invalid }
            ? LeaveToCompiler(null)
            : Forbid(
                pattern.Syntax.GetLocation(),
                null,
                "this pattern",
                "constants, comparisons, and, or, not, _ and, in an arm, var are the patterns of a mod"
            );
}
