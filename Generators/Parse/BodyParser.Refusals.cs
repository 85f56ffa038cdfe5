using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

// What is refused, and at which token.
internal sealed partial class BodyParser
{
    private Expr RefuseExpression(IOperation operation)
    {
        var (what, instead) = Advice.OnExpression(operation);
        return Forbid(operation, what, instead);
    }

    /// <summary>Refuses an operator for the types that it is used with.</summary>
    private Expr RefuseOperands(IOperation operation, params IOperation[] operands)
    {
        var refused = operands.Where(operand => ModTypes.ScalarOf(operand.Type) is null).ToList();
        if (refused.Count == 0)
            return RefuseExpression(operation);
        foreach (var operand in refused)
            RefuseType(operand);
        return Anything(operation.Type);
    }

    private Expr RefuseChecked(IOperation operation) =>
        Forbid(
            operation,
            "checked arithmetic",
            "integers of a mod wrap, so write unchecked(...) or turn CheckForOverflowUnderflow off"
        );

    private Expr RefuseInexact(IOperation operation, string what, string instead)
    {
        _context.Report(DiagnosticCatalog.InexactInMask, operation.Syntax.GetLocation(), what, instead);
        return Anything(operation.Type);
    }

    /// <summary>Refuses a value of a type that mods do not have; a double where it comes from, not where it ends up.</summary>
    private Expr RefuseType(IOperation operation)
    {
        if (operation.Kind == OperationKind.Invalid || operation.Type is IErrorTypeSymbol)
            return LeaveToCompiler(null);
        if (operation.Type?.SpecialType == SpecialType.System_Double)
        {
            if (!RefuseDoubles(operation))
                ReportDouble(operation.Syntax.GetLocation(), "this", "convert to float before computing");
            return Anything(null);
        }
        var (what, instead) = Advice.OnType(operation);
        return Forbid(operation, what, instead);
    }

    /// <summary>Reports every token below that brings a double in; false when there is none.</summary>
    private bool RefuseDoubles(IOperation operation)
    {
        if (operation.ConstantValue is { HasValue: true, Value: { } constant } && Constant(constant) is not null)
            return false;
        var isDouble = operation.Type?.SpecialType == SpecialType.System_Double;
        if (isDouble && Advice.OnDouble(operation) is var (what, instead))
        {
            ReportDouble(operation.Syntax.GetLocation(), what, instead);
            // Inside a call the arguments were converted for its sake.
            if (operation is not IInvocationOperation)
                return true;
            foreach (var child in operation.ChildOperations)
                RefuseDoubles(child);
            return true;
        }
        var found = false;
        foreach (var child in operation.ChildOperations)
            found |= RefuseDoubles(child);
        return found;
    }

    private void ReportDouble(Location place, string what, string instead) =>
        _context.Report(DiagnosticCatalog.DoubleArithmetic, place, what, instead);
}
