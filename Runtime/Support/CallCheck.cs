using System.ComponentModel;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FlashGen.Support;

/// <summary>
/// The checks that every call makes before it computes anything. Each throws an exception that names the argument, what it was and
/// what it must be.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class CallCheck
{
    /// <summary>Checks a call on the CPU: type, dimensions, shape, the lengths of all spans, and that no result overlaps anything.</summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <typeparam name="TLogSumExp">float, or double for double.</typeparam>
    public static void Forward<T, TLogSumExp>(
        AttentionVariant variant,
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        ReadOnlySpan<T> output,
        in AttentionShape shape,
        ReadOnlySpan<TLogSumExp> logSumExp
    )
        where T : unmanaged
        where TLogSumExp : unmanaged
    {
        Inputs(variant, query, key, value, shape);
        Results(output.Length, logSumExp.Length, shape, variant.Layout);

        // Only the part that a call may touch counts: slices of one buffer often reach into each other behind it.
        query = query[..(int)shape.QueryElements(variant.Layout)];
        key = key[..(int)shape.KeyElements(variant.Layout)];
        value = value[..(int)shape.ValueElements(variant.Layout)];
        output = output[..(int)shape.OutputElements(variant.Layout)];
        Disjoint(nameof(output), output, nameof(query), query);
        Disjoint(nameof(output), output, nameof(key), key);
        Disjoint(nameof(output), output, nameof(value), value);
        Disjoint(nameof(logSumExp), logSumExp, nameof(query), query);
        Disjoint(nameof(logSumExp), logSumExp, nameof(key), key);
        Disjoint(nameof(logSumExp), logSumExp, nameof(value), value);
        Disjoint(nameof(output), output, nameof(logSumExp), logSumExp);
    }

    /// <summary>Checks what does not need an output: type, dimensions, shape, and the lengths of the inputs.</summary>
    public static void Inputs<T>(
        AttentionVariant variant,
        ReadOnlySpan<T> query,
        ReadOnlySpan<T> key,
        ReadOnlySpan<T> value,
        in AttentionShape shape
    )
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(variant);
        Declared(variant, Elements.TypeOf<T>());
        Shape(variant, shape);
        Length(nameof(query), query.Length, shape.QueryElements(variant.Layout), shape.QueryStrides is null, shape);
        Length(nameof(key), key.Length, shape.KeyElements(variant.Layout), shape.KeyStrides is null, shape);
        Length(nameof(value), value.Length, shape.ValueElements(variant.Layout), shape.ValueStrides is null, shape);
    }

    /// <summary>Checks the lengths of a call on a device, in elements; the views' overlap is for the caller to judge.</summary>
    public static void Lengths(
        AttentionVariant variant,
        ElementType type,
        long query,
        long key,
        long value,
        long output,
        long logSumExp,
        in AttentionShape shape
    )
    {
        Declared(variant, type);
        Shape(variant, shape);
        Length(nameof(query), query, shape.QueryElements(variant.Layout), shape.QueryStrides is null, shape);
        Length(nameof(key), key, shape.KeyElements(variant.Layout), shape.KeyStrides is null, shape);
        Length(nameof(value), value, shape.ValueElements(variant.Layout), shape.ValueStrides is null, shape);
        Results(output, logSumExp, shape, variant.Layout);
    }

    /// <summary>Checks the lengths of results, in elements.</summary>
    public static void Results(long output, long logSumExp, in AttentionShape shape, TensorLayout layout)
    {
        Length(nameof(output), output, shape.OutputElements(layout), shape.OutputStrides is null, shape);
        LogSumExpLength(logSumExp, shape);
    }

    /// <summary>Checks that the variant declares an element type.</summary>
    public static void Declared(AttentionVariant variant, ElementType type)
    {
        // Not HasFlag, which allocates until the method is compiled a second time.
        if ((variant.Types & type.Flag()) == 0)
            throw new NotSupportedException(
                $"{variant.Name} does not declare {type}; it declares {variant.Types}. Add it to Types of its [Attention]."
            );
    }

    /// <summary>Checks a shape, and that the variant declares its dimensions.</summary>
    public static void Shape(AttentionVariant variant, in AttentionShape shape)
    {
        shape.Check(variant.Layout);
        (int headDim, int valueDim) = (shape.HeadDim, shape.ValueDim);
        if (variant.Dims.Count == 0)
        {
            if (headDim > 256 || valueDim > 256)
                throw new ArgumentOutOfRangeException(
                    nameof(shape),
                    Text(
                        $"The head dimension is {headDim} and the value dimension {valueDim}; {variant.Name} allows 1 to 256 for both."
                    )
                );
        }
        else if (!variant.Dims.Contains((headDim, valueDim)))
            throw new ArgumentOutOfRangeException(
                nameof(shape),
                Text(
                    $"The head dimension is {headDim} and the value dimension {valueDim}; {variant.Name} declares {string.Join(", ", variant.Dims.Select(Describe))}."
                )
            );
    }

    /// <summary>Checks that argument names are those that a variant takes, none missing and none unknown.</summary>
    public static void Names(AttentionVariant variant, ICollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(variant);
        IReadOnlyList<ArgumentInfo> arguments = variant.Arguments;
        for (int i = 0; i < arguments.Count; i++)
            if (!names.Contains(arguments[i].Name))
                throw new ArgumentException(
                    $"Argument '{arguments[i].Name}' of {variant.Name} is missing; {Takes(variant)}.",
                    arguments[i].Name
                );
        if (names.Count == arguments.Count)
            return;
        string unknown = names.Except(arguments.Select(a => a.Name)).Order(StringComparer.Ordinal).First();
        throw new ArgumentException($"{variant.Name} has no argument '{unknown}'; {Takes(variant)}.", unknown);
    }

    private static string Takes(AttentionVariant variant) =>
        variant.Arguments.Count == 0
            ? "it takes none"
            : "it takes " + string.Join(", ", variant.Arguments.Select(a => $"{a.Name} ({a.TypeName})"));

    /// <summary>Checks that two spans share no memory: results are written while the others are still read.</summary>
    public static void Disjoint<TA, TB>(string nameA, ReadOnlySpan<TA> a, string nameB, ReadOnlySpan<TB> b)
        where TA : unmanaged
        where TB : unmanaged
    {
        if (a.IsEmpty || b.IsEmpty)
            return;
        nuint apart = (nuint)
            Unsafe.ByteOffset(
                ref Unsafe.As<TA, byte>(ref MemoryMarshal.GetReference(a)),
                ref Unsafe.As<TB, byte>(ref MemoryMarshal.GetReference(b))
            );
        nuint bytesA = (nuint)a.Length * (nuint)Unsafe.SizeOf<TA>();
        nuint bytesB = (nuint)b.Length * (nuint)Unsafe.SizeOf<TB>();
        // b starts inside a, or a inside b; unsigned wrap-around makes one comparison of each.
        if (apart < bytesA || apart > unchecked((nuint)0 - bytesB))
            throw new ArgumentException(
                $"{nameA} and {nameB} overlap in memory; a result must have memory of its own.",
                nameA
            );
    }

    // Without strides the length is known exactly, and another one is a mistake in the shape; with strides a buffer may go on.
    private static void Length(string name, long length, long needed, bool exactly, in AttentionShape shape)
    {
        if (length < needed || (exactly && length != needed))
            throw new ArgumentException(
                Text($"{name} has {length} elements; {shape} needs {(exactly ? "exactly" : "at least")} {needed}."),
                name
            );
    }

    private static void LogSumExpLength(long length, in AttentionShape shape)
    {
        if (length != 0 && length != shape.LogSumExpElements)
            throw new ArgumentException(
                Text(
                    $"logSumExp has {length} elements; {shape} needs exactly {shape.LogSumExpElements}, or none when it is not wanted."
                ),
                "logSumExp"
            );
    }

    private static string Describe((int HeadDim, int ValueDim) dims) =>
        dims.HeadDim == dims.ValueDim
            ? Text($"{dims.HeadDim}")
            : Text($"{dims.HeadDim} with value dimension {dims.ValueDim}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
