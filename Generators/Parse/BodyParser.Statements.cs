using System.Collections.Immutable;
using FlashGen.Dsl;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

// Statements: locals become lets, an if becomes a choice between what follows it.
internal sealed partial class BodyParser
{
    /// <summary>The value that a block returns from its nth statement on; past its end the code after the block goes on.</summary>
    private Expr Statements(ImmutableArray<IOperation> statements, int first, Frame frame, Func<Expr>? after)
    {
        if (first < statements.Length)
            return Deeper(() => Statement(statements, first, frame, after));
        if (after is not null)
            return after();
        // C# does not let a method end without returning, but after a throw or a loop, which was refused.
        return _context.Rejected ? Anything(frame.Method.ReturnType) : LeaveToCompiler(frame.Method.ReturnType);
    }

    private Expr Statement(ImmutableArray<IOperation> statements, int first, Frame frame, Func<Expr>? after)
    {
        Expr Rest(Frame next) => Statements(statements, first + 1, next, after);

        switch (statements[first])
        {
            case IReturnOperation { ReturnedValue: { } value, Kind: OperationKind.Return }:
                return Expression(value, frame);
            case IBlockOperation block:
                return Statements(block.Operations, 0, frame, () => Rest(frame));
            case IConditionalOperation choice:
                return Expr.NewSelect(
                    Expression(choice.Condition, frame),
                    Branch(choice.WhenTrue, frame, () => Rest(frame)),
                    choice.WhenFalse is null ? Rest(frame) : Branch(choice.WhenFalse, frame, () => Rest(frame))
                );
            case IVariableDeclarationGroupOperation group:
                var declarators = group.Declarations.SelectMany(declaration => declaration.Declarators).ToList();
                return Declarations(declarators, 0, frame, Rest);
            case IEmptyOperation:
                return Rest(frame);
            case var statement when IsInvalid(statement):
                _context.LeaveToCompiler();
                return Rest(frame);
            case var statement:
                var (place, what, instead) = Advice.OnStatement(statement);
                Forbid(place, null, what, instead);
                return Rest(frame);
        }
    }

    private Expr Branch(IOperation statement, Frame frame, Func<Expr> after) =>
        Statements(ImmutableArray.Create(statement), 0, frame, after);

    private Expr Declarations(
        IReadOnlyList<IVariableDeclaratorOperation> declarators,
        int first,
        Frame frame,
        Func<Frame, Expr> rest
    )
    {
        if (first == declarators.Count)
            return rest(frame);
        var declarator = declarators[first];
        var local = declarator.Symbol;
        Expr Next(Frame next) => Declarations(declarators, first + 1, next, rest);

        // The compiler has put its value wherever it is used.
        if (local.IsConst)
            return Next(frame);
        var initializer = declarator.Initializer ?? (declarator.Parent as IVariableDeclarationOperation)?.Initializer;
        if (
            local.Type is IErrorTypeSymbol
            || IsInvalid(declarator)
            || (initializer is not null && IsInvalid(initializer.Value))
        )
        {
            _context.LeaveToCompiler();
            return Next(frame.With(local, Anything(local.Type)));
        }
        if (local.IsRef)
        {
            Forbid(declarator, "a ref local", "declare it without ref");
            return Next(frame.With(local, Anything(local.Type)));
        }
        if (initializer is null)
        {
            Forbid(
                declarator,
                "a local without a value",
                "give its value where it is declared, with ?: or a switch expression"
            );
            return Next(frame.With(local, Anything(local.Type)));
        }
        return Bind(local.Name, Expression(initializer.Value, frame), value => Next(frame.With(local, value)));
    }

    private static bool IsInvalid(IOperation operation) =>
        operation.Kind == OperationKind.Invalid
        || operation is IExpressionStatementOperation { Operation.Kind: OperationKind.Invalid };
}
