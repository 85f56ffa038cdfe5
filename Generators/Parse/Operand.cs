using System.Collections.Immutable;
using FlashGen.Dsl;
using Microsoft.CodeAnalysis;

namespace FlashGen.Generators.Parse;

/// <summary>What a parameter or a local stands for.</summary>
internal abstract record Operand
{
    /// <summary>The position of the score.</summary>
    public static readonly Operand Position = new PositionOperand();

    private Operand() { }

    /// <summary>A value that is cheap to say twice: a leaf.</summary>
    public sealed record Value(Expr Expr) : Operand;

    /// <summary>A captured table.</summary>
    public sealed record Table(string Name, TableElement Element) : Operand;

    private sealed record PositionOperand : Operand;
}

/// <summary>A method being read: what its parameters and locals stand for, and who called it.</summary>
internal sealed record Frame(IMethodSymbol Method, ImmutableDictionary<ISymbol, Operand> Operands, Frame? Caller)
{
    public Frame With(ISymbol symbol, Expr value) =>
        this with
        {
            Operands = Operands.SetItem(symbol, new Operand.Value(value)),
        };

    public Operand? Find(ISymbol symbol) => Operands.TryGetValue(Declared(symbol), out var operand) ? operand : null;

    // Operands are those of the part that callers see; a partial method's body has parameters of its own.
    private static ISymbol Declared(ISymbol symbol) =>
        symbol
            is IParameterSymbol { ContainingSymbol: IMethodSymbol { PartialDefinitionPart: { } declaration } } parameter
            ? declaration.Parameters[parameter.Ordinal]
            : symbol;

    /// <summary>The methods between a call of one and the call inside it that closes the circle; empty when there is none.</summary>
    public IReadOnlyList<IMethodSymbol> CircleOf(IMethodSymbol method)
    {
        var circle = new List<IMethodSymbol>();
        for (var frame = this; frame is not null; frame = frame.Caller)
        {
            circle.Insert(0, frame.Method);
            if (SymbolEqualityComparer.Default.Equals(frame.Method, method))
                return circle;
        }
        return [];
    }
}
