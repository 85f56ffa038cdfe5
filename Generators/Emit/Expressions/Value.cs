using System;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Expressions;

/// <summary>Where a statement stands in a kernel's loops over rows and keys; the levels are those that its operands vary with.</summary>
[Flags]
internal enum Level
{
    Uniform = 0,
    Row = 1,
    Column = 2,
    Element = 3,
}

/// <summary>What the lanes of a vector are.</summary>
internal enum Axis
{
    /// <summary>No vectors: one element at a time.</summary>
    None,
    Rows,
    Keys,
}

/// <summary>A piece of C# with its type and the level at which it can be computed.</summary>
/// <param name="IsAtom">A name or a literal: repeating it costs nothing.</param>
internal readonly record struct Value(string Text, ScalarType Type, Level Level, bool IsLanes, bool IsAtom);
