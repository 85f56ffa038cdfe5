using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

/// <summary>What refused C# is called, and what to write instead.</summary>
internal static class Advice
{
    private const string Computed = "write the closed form, or read precomputed values from a Table";
    private const string NewLocal = "declare a new local with the new value, or choose with ?: or a switch expression";
    private const string Value = "give a value instead: a kernel cannot throw";

    /// <summary>A function in a method.</summary>
    public static readonly (string What, string Instead) LocalFunction = (
        "a local function",
        "make it a static method of this project"
    );

    private const string Scalars = "a mod computes with bool, int, uint, long and float";

    /// <summary>A statement that mods do not have; loops and the like are shown by their keyword.</summary>
    public static (Location Place, string What, string Instead) OnStatement(IOperation statement)
    {
        var first = statement.Syntax.GetFirstToken().GetLocation();
        return statement switch
        {
            ILoopOperation => (first, "a loop", Computed),
            ISwitchOperation => (first, "a switch statement", "write a switch expression"),
            IThrowOperation or IExpressionStatementOperation { Operation: IThrowOperation } => (
                first,
                "a throw",
                Value
            ),
            ILocalFunctionOperation function => (
                function.Symbol.Locations[0],
                LocalFunction.What,
                LocalFunction.Instead
            ),
            IExpressionStatementOperation { Operation: var expression } => OnEffect(expression),
            ITryOperation => (first, "a try statement", "a mod has nothing to catch, so leave it out"),
            IUsingOperation or IUsingDeclarationOperation => (first, "a using statement", Scalars),
            ILockOperation => (first, "a lock", "a mod has no state, so leave it out"),
            IBranchOperation or ILabeledOperation => (first, "a jump", "write if, ?: or a switch expression"),
            _ => (first, Words(statement), "a mod has locals, if and return"),
        };
    }

    /// <summary>An expression that mods do not have.</summary>
    public static (string What, string Instead) OnExpression(IOperation operation) =>
        operation switch
        {
            IAssignmentOperation or IIncrementOrDecrementOperation => ("an assignment", NewLocal),
            IThrowOperation => ("a throw", Value),
            // A constant already: its type is what is wrong.
            IFieldReferenceOperation { Field.ContainingType.TypeKind: TypeKind.Enum } => OnType(operation),
            IFieldReferenceOperation { Field: { IsStatic: true, IsReadOnly: true } field } => (
                $"the static readonly field '{field.Name}'",
                "make it const, or pass it as a parameter"
            ),
            IFieldReferenceOperation { Field: var field } => (
                $"the field '{field.Name}'",
                "make it const, or pass it as a parameter"
            ),
            IPropertyReferenceOperation { Property: { IsIndexer: true } } => (
                "an element of this type",
                "take a Table<T> as a parameter and read that"
            ),
            IPropertyReferenceOperation { Property: { IsStatic: true } property } => (
                $"the property '{property.Name}'",
                "make it const, or a static method"
            ),
            IPropertyReferenceOperation { Property: var property } => (
                $"the property '{property.Name}' of this value",
                "the fields of a Position and the elements and Length of a Table are what a mod reads"
            ),
            IArrayElementReferenceOperation => ("an array", "take a Table<T> as a parameter and read that"),
            IAnonymousFunctionOperation or IDelegateCreationOperation => ("a lambda", "call a static method"),
            IObjectCreationOperation or IArrayCreationOperation or ITypeParameterObjectCreationOperation => (
                "a new object",
                Scalars
            ),
            IInterpolatedStringOperation => ("a string", Scalars),
            ILiteralOperation { Type.SpecialType: SpecialType.System_String } => ("a string", Scalars),
            ITupleBinaryOperation => ("a comparison of tuples", "compare element by element"),
            ITupleOperation => ("a tuple", "use one local for each element"),
            IIsTypeOperation => ("a type test", Scalars),
            IWithOperation => ("a with expression", "take what you need as parameters of a static method"),
            ICoalesceOperation or IConditionalAccessOperation => ("a test for null", Scalars),
            IAwaitOperation => ("an await", "a kernel computes at once"),
            _ when OnType(operation) is var (what, instead) && ModTypes.ScalarOf(operation.Type) is null => (
                what,
                instead
            ),
            _ => (Words(operation), Scalars),
        };

    /// <summary>A value of a type that mods do not have.</summary>
    public static (string What, string Instead) OnType(IOperation operation)
    {
        if (operation.Type is not { } type)
            return (Words(operation), Scalars);
        if (ModTypes.IsPosition(type))
            return ("a whole Position", "use its fields, or hand the parameter itself to a static method");
        if (ModTypes.IsTable(type))
            return ("a whole Table", "read its elements, or hand the parameter itself to a static method");
        var shown = $"the type {ModTypes.Show(type)}";
        return type.SpecialType switch
        {
            SpecialType.System_Void => ("a call without a result", Scalars),
            SpecialType.System_Decimal => (shown, "write float numbers, such as 0.5f"),
            SpecialType.System_UInt64 or SpecialType.System_UIntPtr or SpecialType.System_IntPtr => (
                shown,
                "use uint or long"
            ),
            SpecialType.System_SByte
            or SpecialType.System_Int16
            or SpecialType.System_UInt16
            or SpecialType.System_Char => (shown, "use int"),
            SpecialType.System_String => ("a string", Scalars),
            _ when type.TypeKind == TypeKind.Enum => (
                shown,
                "declare the enumeration as one of int, uint, long or byte"
            ),
            _ when type.OriginalDefinition.SpecialType == SpecialType.System_Nullable_T => (shown, Scalars),
            _ when type.TypeKind == TypeKind.Delegate => ("a delegate", "call a static method"),
            _ => (shown, Scalars),
        };
    }

    /// <summary>A token that brings a double in, or null for an operation that is double only because of its operands.</summary>
    public static (string What, string Instead)? OnDouble(IOperation operation)
    {
        var text = operation.Syntax.ToString();
        switch (operation)
        {
            case ILiteralOperation:
                return ($"'{text}'", $"write {text.TrimEnd('d', 'D')}f");
            case IInvocationOperation { TargetMethod: var method } when Intrinsics.FloatName(method) is { } name:
                return ($"{method.ContainingType.Name}.{method.Name}", $"write {name}");
            case IInvocationOperation { TargetMethod: var method } when Intrinsics.IsLibrary(method.ContainingType):
                return ($"{method.ContainingType.Name}.{method.Name}", Intrinsics.Instead(method));
            case IInvocationOperation { TargetMethod: var method }:
                return ($"'{method.Name}'", "let it return float");
            case IFieldReferenceOperation { Field: { ContainingType.Name: "Math" } field }:
                return ($"Math.{field.Name}", $"write MathF.{field.Name}");
            case IFieldReferenceOperation { Field: { ContainingType.SpecialType: SpecialType.System_Double } field }:
                return ($"double.{field.Name}", $"write float.{field.Name}");
            case IFieldReferenceOperation or ILocalReferenceOperation or IParameterReferenceOperation:
                return ($"'{text}'", "make it float");
            case IConversionOperation { IsImplicit: false, Syntax: CastExpressionSyntax }:
                return ("this cast", "write (float), or leave it out");
            default:
                return null;
        }
    }

    public static string KindOf(IParameterSymbol parameter) =>
        parameter.IsParams ? "a params array" : "passed by reference";

    private static (Location Place, string What, string Instead) OnEffect(IOperation expression)
    {
        var place = expression.Syntax.GetLocation();
        return expression is IAssignmentOperation or IIncrementOrDecrementOperation
            ? (place, "an assignment", NewLocal)
            : (place, "a statement without a result", "leave it out: a mod only returns a value");
    }

    /// <summary>The construct's name in the compiler, as words: "a collection expression".</summary>
    private static string Words(IOperation operation)
    {
        var words = new System.Text.StringBuilder();
        foreach (var letter in operation.Syntax.Kind().ToString())
            words.Append(char.IsUpper(letter) ? " " : "").Append(char.ToLowerInvariant(letter));
        var name = words.ToString().TrimStart();
        return ("aeiou".IndexOf(name[0]) >= 0 ? "an " : "a ") + name;
    }
}
