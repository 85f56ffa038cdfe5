using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>
/// Turns expressions into statements, each at the outermost loop level that its operands allow: what depends on the query alone is
/// computed once a row, on the key alone once a column, on neither once a tile. A subexpression that occurs twice gets a name.
///
/// Reads and integer divisions are made everywhere, with clamped indexes and a divisor of 0 giving 0; a guard says where C# would
/// have reached them, and there alone a bad index or divisor counts as a fault.
/// </summary>
internal sealed class ExprScope
{
    private readonly Axis axis;
    private readonly LaneDialect lanes = new();
    private readonly Dialect scalars;
    private readonly Func<string, string> argument;
    private readonly HashSet<string> trusted;
    private readonly Dictionary<Level, List<string>> statements = new();
    private readonly Dictionary<Level, List<(string Type, string Name)>> declared = new();
    private readonly Dictionary<string, Value> locals = new();
    private readonly Dictionary<string, Value> named = new();
    private readonly Dictionary<string, Value> broadcasts = new();
    private readonly HashSet<string> names;
    private readonly HashSet<string> faults = new();
    private Dictionary<Expr, int> uses = new();

    /// <param name="argument">The text of a run-time argument.</param>
    /// <param name="trusted">Tables whose reads are known to be inside: those of ready-made attributes, checked before the call.</param>
    /// <param name="names">Names that the surrounding text uses; those given here join them.</param>
    public ExprScope(
        Axis axis,
        Dialect scalars,
        Func<string, string> argument,
        IEnumerable<string> trusted,
        HashSet<string> names
    )
    {
        (this.axis, this.scalars, this.argument) = (axis, scalars, argument);
        this.trusted = new(trusted, StringComparer.Ordinal);
        this.names = names;
        foreach (Level level in new[] { Level.Uniform, Level.Row, Level.Column, Level.Element })
        {
            statements[level] = new();
            declared[level] = new();
        }
    }

    /// <summary>True when some reached read or division may be at fault; the text then sets `fault` or, in lanes, `faults`.</summary>
    public bool CanFault => faults.Count > 0;

    /// <summary>Whether bad indexes and divisors count; not where an expression is evaluated beyond what C# reaches.</summary>
    public bool CountsFaults { get; set; } = true;

    /// <summary>The statements of a level, in order.</summary>
    public string Statements(Level level) => string.Join("\n", statements[level]);

    /// <summary>The variables that a level's statements declare, for who keeps them beyond a method.</summary>
    public IReadOnlyList<(string Type, string Name)> Declared(Level level) => declared[level];

    /// <summary>Names the score of this element.</summary>
    public Value Score { get; set; } = new("score", ScalarType.Float, Level.Element, false, true);

    /// <summary>Gives a leaf of a coverage test its name.</summary>
    public void Bind(string local, Value value) => locals[local] = value;

    public bool IsLanes(Level level) =>
        axis switch
        {
            Axis.Rows => (level & Level.Row) != 0,
            Axis.Keys => (level & Level.Column) != 0,
            _ => false,
        };

    /// <summary>The value of an expression, reached where the guard holds (null: everywhere).</summary>
    public Value Emit(Expr expr, Value? guard = null)
    {
        uses = new();
        Count(expr);
        return Go(expr, guard);
    }

    /// <summary>Gives a value a name at its level, unless it has one.</summary>
    public Value Name(Value value, string hint)
    {
        if (value.IsAtom)
            return value;
        string key = value.Level + value.Text;
        if (named.TryGetValue(key, out Value known))
            return known;
        string name = Fresh(hint);
        string type = (value.IsLanes ? lanes : scalars).TypeName(value.Type);
        statements[value.Level].Add($"{type} {name} = {value.Text};");
        declared[value.Level].Add((type, name));
        Value result = value with { Text = name, IsAtom = true };
        named[key] = result;
        return result;
    }

    /// <summary>The value as a vector.</summary>
    public string Lanes(Value value)
    {
        if (value.IsLanes)
            return value.Text;
        string text = lanes.Broadcast(value.Type, value.Text);
        if (char.IsDigit(value.Text[0]) || value.Text[0] == '-')
            return text;
        string key = value.Level + text;
        if (!broadcasts.TryGetValue(key, out Value known))
        {
            value = Name(value, "value");
            string name = Fresh(Simple(value.Text) + "Lanes");
            statements[value.Level]
                .Add($"{lanes.TypeName(value.Type)} {name} = {lanes.Broadcast(value.Type, value.Text)};");
            known = value with { Text = name, IsLanes = true, IsAtom = true };
            broadcasts[key] = known;
        }
        return known.Text;
    }

    /// <summary>Both conditions.</summary>
    public Value And(Value? left, Value right) =>
        left is { } value ? Combine(BinaryOp.And, value, right, ScalarType.Bool) : right;

    private void Count(Expr expr)
    {
        uses.TryGetValue(expr, out int count);
        uses[expr] = count + 1;
        if (count == 0)
            foreach (Expr child in ExprModule.children(expr))
                Count(child);
    }

    private Value Go(Expr expr, Value? guard)
    {
        Value value = Node(expr, guard);
        return !value.IsAtom && uses.TryGetValue(expr, out int count) && count > 1 ? Name(value, Hint(expr)) : value;
    }

    private Value Node(Expr expr, Value? guard)
    {
        switch (expr)
        {
            case Expr.Literal literal:
                return new(Dialect.Literal(literal.Item), ExprModule.typeOf(expr), Level.Uniform, false, true);
            case Expr.Position position:
                return Field(position.Item);
            case { IsScore: true }:
                return Score;
            case Expr.Scalar scalar:
                return new(argument(scalar.name), scalar.Item2, Level.Uniform, false, true);
            case Expr.TableLength length:
                return new(argument(length.table + Names.LengthPart), ScalarType.Int, Level.Uniform, false, true);
            case Expr.Local local:
                return locals[local.name];
            case Expr.Let let:
                locals[let.name] = Name(Go(let.value, guard), let.name);
                return Go(let.body, guard);
            case Expr.TableRead read:
                return Read(read, guard);
            case Expr.Unary unary:
                return Unary(unary.Item1, Go(Cheaper(unary.Item1, unary.Item2), guard));
            case Expr.Convert convert:
                return Convert(convert.Item1, Go(convert.Item2, guard));
            case Expr.Binary binary:
                return Capped(binary, guard) ?? Binary(binary, guard);
            case Expr.Select select:
                return Select(select, guard);
            default:
                throw new NotSupportedException(expr.ToString());
        }
    }

    // A vector's division costs as much as a tanh: the argument of one, a score over a constant cap, is multiplied by the cap's
    // reciprocal instead. That moves it by a unit in the last place, and tanh by no more.
    private Expr Cheaper(UnaryOp op, Expr operand)
    {
        if (
            !(op.IsTanh || op.IsTanhApproximate)
            || axis == Axis.None
            || operand
                is not Expr.Binary
                {
                    Item1.IsDiv: true,
                    Item3: Expr.Literal { Item: Literal.FloatLiteral divisor }
                } quotient
        )
            return operand;
        float reciprocal = 1 / LiteralModule.toFloat(divisor.bits);
        return reciprocal is > 1e-30f and < 1e30f
            ? Expr.NewBinary(BinaryOp.Mul, quotient.Item2, Expr.NewLiteral(LiteralModule.ofFloat(reciprocal)))
            : operand;
    }

    // A soft cap, cap * tanh(x / cap): its constants may join those of the target's tanh.
    private Value? Capped(Expr.Binary product, Value? guard)
    {
        if (
            axis != Axis.None
            || !product.Item1.IsMul
            || product.Item2 is not Expr.Literal { Item: Literal.FloatLiteral cap }
            || product.Item3
                is not Expr.Unary { Item1.IsTanh: true, Item2: Expr.Binary { Item1.IsDiv: true } quotient } tanh
            || quotient.Item3 is not Expr.Literal { Item: Literal.FloatLiteral divisor }
            || uses[tanh] > 1
            || uses[quotient] > 1
        )
            return null;
        Value x = Go(quotient.Item2, guard);
        return scalars.Capped(Wrap(x), LiteralModule.toFloat(divisor.bits), LiteralModule.toFloat(cap.bits)) is { } text
            ? x with
            {
                Text = text,
                IsAtom = false,
            }
            : null;
    }

    private Value Field(Field field)
    {
        string name = field.ToString();
        Level level = field.Tag switch
        {
            Dsl.Field.Tags.Query or Dsl.Field.Tags.QueryPosition => Level.Row,
            Dsl.Field.Tags.Key => Level.Column,
            _ => Level.Uniform,
        };
        return new(char.ToLowerInvariant(name[0]) + name.Substring(1), ScalarType.Int, level, IsLanes(level), true);
    }

    private Value Unary(UnaryOp op, Value operand)
    {
        bool isLanes = operand.IsLanes;
        // Math.Abs of ints is written out, so its operand is repeated.
        if (op.IsAbs && !isLanes && !operand.Type.IsFloat)
            operand = Name(operand, "value");
        string text = (isLanes ? lanes : scalars).Unary(op, operand.Type, Wrap(operand));
        return operand with { Text = text, IsAtom = false };
    }

    private Value Convert(ScalarType to, Value operand) =>
        operand.Type.Equals(to)
            ? operand
            : operand with
            {
                Text = (operand.IsLanes ? lanes : scalars).Convert(operand.Type, to, Wrap(operand)),
                Type = to,
                IsAtom = false,
            };

    private Value Binary(Expr.Binary binary, Value? guard)
    {
        BinaryOp op = binary.Item1;
        Value left = Go(binary.Item2, guard);
        Value right;
        if ((op.IsAnd || op.IsOr) && MayFault(binary.Item3))
        {
            left = Name(left, "condition");
            right = Go(binary.Item3, And(guard, op.IsAnd ? left : Unary(UnaryOp.Not, left)));
        }
        else
        {
            right = Go(binary.Item3, guard);
        }
        if ((op.IsDiv || op.IsRem) && !left.Type.IsFloat)
            GuardDivision(binary.Item3, ref right, guard);
        return Combine(op, left, right, ExprModule.typeOf(binary));
    }

    private Value Select(Expr.Select select, Value? guard)
    {
        Value condition = Go(select.condition, guard);
        Value? whenTrue = guard,
            whenFalse = guard;
        if (MayFault(select.ifTrue) || MayFault(select.ifFalse))
        {
            condition = Name(condition, "condition");
            whenTrue = And(guard, condition);
            whenFalse = And(guard, Unary(UnaryOp.Not, condition));
        }
        Value ifTrue = Go(select.ifTrue, whenTrue);
        Value ifFalse = Go(select.ifFalse, whenFalse);
        Level level = condition.Level | ifTrue.Level | ifFalse.Level;
        bool isLanes = IsLanes(level) && (condition.IsLanes || ifTrue.IsLanes || ifFalse.IsLanes);
        (condition, ifTrue, ifFalse) = (Hoist(condition, level), Hoist(ifTrue, level), Hoist(ifFalse, level));
        string text = isLanes
            ? lanes.Select(ifTrue.Type, Dialect.Operand(Lanes(condition)), Lanes(ifTrue), Lanes(ifFalse))
            : scalars.Select(ifTrue.Type, Wrap(condition), Wrap(ifTrue), Wrap(ifFalse));
        return new(text, ifTrue.Type, level, isLanes, false);
    }

    private Value Read(Expr.TableRead read, Value? guard)
    {
        Value index = Name(Go(read.index, guard), "index");
        string table = argument(read.table),
            length = argument(read.table + Names.LengthPart);
        ScalarType type = ExprModule.elementType(read.Item2);
        if (!trusted.Contains(read.table))
        {
            string outside = index.IsLanes
                ? lanes.Outside(length, index.Type, index.Text)
                : scalars.Outside(length, index.Type, index.Text);
            Fault(new(outside, ScalarType.Bool, index.Level, index.IsLanes, false), guard);
        }
        string text = index.IsLanes
            ? lanes.Read(table, length, read.Item2, index.Type, index.Text, index.Level)
            : scalars.Read(table, length, read.Item2, index.Type, index.Text, index.Level);
        // Reads are dear: name them, so that they stay at their own level.
        return Name(new(text, type, index.Level, index.IsLanes, false), read.table);
    }

    private void GuardDivision(Expr divisor, ref Value right, Value? guard)
    {
        if (divisor is Expr.Literal)
            return;
        right = Name(right, "divisor");
        Value zero = new(
            right.Type.IsLong ? "0L"
                : right.Type.IsUInt ? "0u"
                : "0",
            right.Type,
            Level.Uniform,
            false,
            true
        );
        Fault(Combine(BinaryOp.Eq, right, zero, ScalarType.Bool), guard);
    }

    // The test has the level of its index; it joins its guard, which may vary more, where both are known.
    private void Fault(Value bad, Value? guard)
    {
        if (!CountsFaults)
            return;
        bad = Name(bad, "outside");
        Value reached = guard is { } value ? Combine(BinaryOp.And, bad, value, ScalarType.Bool) : bad;
        string statement = reached.IsLanes ? $"faults |= {reached.Text};" : $"fault |= {reached.Text};";
        if (faults.Add(reached.Level + statement))
            statements[reached.Level].Add(statement);
    }

    private Value Combine(BinaryOp op, Value left, Value right, ScalarType type)
    {
        Level level = left.Level | right.Level;
        bool isLanes = left.IsLanes || right.IsLanes;
        (left, right) = (Hoist(left, level), Hoist(right, level));
        // Several elements by one count: vectors shift by a scalar.
        bool isShift = op.IsShl || op.IsShr || op.IsUShr;
        string text = isLanes
            ? lanes.Binary(
                op,
                left.Type,
                Dialect.Operand(Lanes(left)),
                isShift && !right.IsLanes ? Wrap(right) : Dialect.Operand(Lanes(right))
            )
            : scalars.Binary(op, left.Type, Wrap(left), Wrap(right));
        return new(text, type, level, isLanes, false);
    }

    // A part of an outer level is computed there.
    private Value Hoist(Value value, Level level) => value.Level == level ? value : Name(value, "part");

    private static bool MayFault(Expr expr) =>
        expr switch
        {
            Expr.TableRead => true,
            Expr.Binary { Item1: { IsDiv: true } or { IsRem: true }, Item3: not Expr.Literal } => true,
            _ => ExprModule.children(expr).Any(MayFault),
        };

    private static string Hint(Expr expr) =>
        expr switch
        {
            Expr.TableRead read => read.table,
            Expr.Convert => "converted",
            Expr.Binary { Item1: { IsSub: true } } => "difference",
            Expr.Binary { Item1: { IsAdd: true } } => "sum",
            _ => "part",
        };

    private string Fresh(string hint)
    {
        hint = Simple(hint);
        string name = hint;
        for (int i = 2; !names.Add(name); i++)
            name = hint + i;
        return name;
    }

    // The last part of a qualified name, as an identifier that is no keyword, type or bound of a leaf.
    private static string Simple(string text)
    {
        string name = new(
            text.Substring(text.LastIndexOf('.') + 1).Where(c => char.IsLetterOrDigit(c) || c == '_').ToArray()
        );
        if (name.StartsWith(Names.ArgumentPrefix, StringComparison.Ordinal))
            name = name.Substring(Names.ArgumentPrefix.Length);
        if (name.Length > 0)
            name = char.ToLowerInvariant(name[0]) + name.Substring(1);
        return name.Length == 0 || char.IsDigit(name[0])
            ? "value" + name
            : name + (Keywords.Is(name) || IsLeafBound(name) ? "Value" : "");
    }

    // As row0Low and key12Any, which coverage tests have as fields and as locals.
    private static bool IsLeafBound(string name) =>
        (name.StartsWith("row", StringComparison.Ordinal) || name.StartsWith("key", StringComparison.Ordinal))
        && name.Length > 3
        && char.IsDigit(name[3])
        && char.IsLetter(name[name.Length - 1]);

    private static string Wrap(Value value) =>
        value.IsAtom && value.Text[0] != '-' ? value.Text : Dialect.Operand(value.Text);
}
