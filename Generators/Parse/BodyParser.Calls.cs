using System.Collections.Immutable;
using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace FlashGen.Generators.Parse;

// Calls: functions that expressions have, and helpers, which are inlined.
internal sealed partial class BodyParser
{
    private Expr Call(IInvocationOperation call, Frame frame)
    {
        var method = call.TargetMethod;
        // Where it is declared: reading may not come there, if all ways return before it.
        if (method.MethodKind == MethodKind.LocalFunction)
            return Forbid(method.Locations[0], call.Type, Advice.LocalFunction.What, Advice.LocalFunction.Instead);
        if (Intrinsics.IsLibrary(method.ContainingType))
            return Function(call, frame);
        if (!method.IsStatic || method.MethodKind != MethodKind.Ordinary)
        {
            var instead = "call a static method of this project, or write it with operators";
            return Forbid(call, $"a call of '{method.Name}' on a value", instead);
        }
        if (method.Arity > 0 || method.ContainingType.IsGenericType)
        {
            var instead = "write one for the type it is used with";
            return Forbid(call, $"a call of the generic method '{method.Name}'", instead);
        }
        return Helper(call, method, frame);
    }

    private Expr Function(IInvocationOperation call, Frame frame)
    {
        var method = call.TargetMethod;
        if (Intrinsics.Find(method) is not { } function)
        {
            if (ModTypes.ScalarOf(method.ReturnType) is null)
                return RefuseType(call);
            var name = $"{method.ContainingType.Name}.{method.Name}";
            return Forbid(call, $"the function {name}", Intrinsics.Instead(method));
        }
        if (_isMask && !function.IsExact)
        {
            var instead = "pass precomputed values in a Table<float>, or compare the function's arguments";
            RefuseInexact(call, $"{method.ContainingType.Name}.{method.Name}", instead);
        }

        var inOrder = call
            .Arguments.OrderBy(argument => argument.Parameter!.Ordinal)
            .Select(argument => argument.Value)
            .ToList();
        if (function.Fits(inOrder) is { } misfit)
            return Forbid(call, misfit.What, misfit.Instead);
        return function.Build([.. inOrder.Select(argument => Expression(argument, frame))], Bind);
    }

    private Expr Helper(IInvocationOperation call, IMethodSymbol method, Frame frame)
    {
        if (ModTypes.ScalarOf(method.ReturnType) is null || method.RefKind != RefKind.None)
            return RefuseType(call);
        var source = SourceOf(method);
        if (method.IsExtern)
            return Forbid(call, $"a call of '{method.Name}', which has no body", "write one");
        if (source is null || !_context.Compilation.ContainsSyntaxTree(source.SyntaxTree))
        {
            var home = method.ContainingAssembly?.Name ?? "another assembly";
            _context.Report(
                DiagnosticCatalog.HelperSource,
                call.Syntax.GetLocation(),
                ModTypes.Show(method.ContainingType) + "." + method.Name,
                home
            );
            return Anything(call.Type);
        }
        if (frame.CircleOf(method) is { Count: > 0 } circle)
        {
            var through =
                circle.Count == 1
                    ? ""
                    : $" through {string.Join(", ", circle.Skip(1).Select(step => $"'{step.Name}'"))}";
            _context.Report(DiagnosticCatalog.Recursion, call.Syntax.GetLocation(), method.Name, through);
            return Anything(call.Type);
        }
        var none = ImmutableDictionary.Create<ISymbol, Operand>(SymbolEqualityComparer.Default);
        return Inline(call.Arguments, 0, frame, none, operands => Body(source, new Frame(method, operands, frame)));
    }

    /// <summary>Binds a helper's parameters to its arguments around its body: they are reached even where the body does not need them.</summary>
    private Expr Inline(
        ImmutableArray<IArgumentOperation> arguments,
        int first,
        Frame caller,
        ImmutableDictionary<ISymbol, Operand> operands,
        Func<ImmutableDictionary<ISymbol, Operand>, Expr> body
    )
    {
        if (first == arguments.Length)
            return body(operands);
        var argument = arguments[first];
        var parameter = argument.Parameter!;
        Expr Next(Operand operand) => Inline(arguments, first + 1, caller, operands.Add(parameter, operand), body);

        if (argument.ArgumentKind == ArgumentKind.ParamArray || parameter.RefKind is not (RefKind.None or RefKind.In))
        {
            Forbid(
                argument,
                $"the parameter '{parameter.Name}', which is {Advice.KindOf(parameter)}",
                "pass values only"
            );
            return Next(new Operand.Value(Anything(parameter.Type)));
        }
        if (ModTypes.IsPosition(parameter.Type) || ModTypes.IsTable(parameter.Type))
        {
            if (OperandOf(argument.Value, caller) is { } operand)
                return Next(operand);
            RefuseType(argument.Value);
            return Next(new Operand.Value(Anything(null)));
        }
        return Bind(parameter.Name, Expression(argument.Value, caller), value => Next(new Operand.Value(value)));
    }
}
