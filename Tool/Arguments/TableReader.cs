using System.Numerics;
using FlashGen.Tool.Npy;

namespace FlashGen.Tool.Arguments;

/// <summary>Tables of a NumPy file in the type that an argument has: converted element by element, and refused where that is not exact.</summary>
internal static class TableReader
{
    /// <summary>The table of an argument.</summary>
    /// <exception cref="ToolException">The file cannot be read, or an element has no equal in the argument's type.</exception>
    public static object FromFile(ArgumentInfo argument, string path)
    {
        using NpyFile file = NpyFile.Open($"--arg {argument.Name}", path);
        return Read(file, argument.TypeName);
    }

    /// <summary>The one element of a file, for a scalar argument.</summary>
    /// <exception cref="ToolException">The file cannot be read, has more or fewer elements, or the element has no equal in the type.</exception>
    public static object ScalarFromFile(ArgumentInfo argument, string path)
    {
        using NpyFile file = NpyFile.Open($"--arg {argument.Name}", path);
        if (file.Header.Count != 1)
            throw new ToolException(
                FormattableString.Invariant(
                    $"{file.Name}: shape {file.Header.ShapeText} has {file.Header.Count} elements; {argument.Name} is one {argument.TypeName}."
                )
            );
        return ((Array)Read(file, argument.TypeName)).GetValue(0)!;
    }

    /// <summary>The elements of a file as bool[], byte[], int[], uint[], long[] or float[].</summary>
    public static object Read(NpyFile file, string typeName) =>
        typeName switch
        {
            "bool" => Truths(file),
            "byte" => Convert<byte>(file, typeName),
            "int" => Convert<int>(file, typeName),
            "uint" => Convert<uint>(file, typeName),
            "long" => Convert<long>(file, typeName),
            "float" => Convert<float>(file, typeName),
            _ => throw new ToolException($"{file.Name}: the type {typeName} is unknown to this tool."),
        };

    private static bool[] Truths(NpyFile file)
    {
        if (file.Header.Type.Kind is not ('b' or 'i' or 'u'))
            throw Mismatch(file, "bool", "bool, or integers of 0 and 1");
        byte[] bytes = Convert<byte>(file, "bool");
        int wrong = Array.FindIndex(bytes, b => b > 1);
        return wrong < 0
            ? Array.ConvertAll(bytes, b => b != 0)
            : throw new ToolException(
                FormattableString.Invariant(
                    $"{file.Name}: element {wrong} is {bytes[wrong]}; a table of bool takes 0 and 1."
                )
            );
    }

    private static T[] Convert<T>(NpyFile file, string typeName)
        where T : unmanaged, INumber<T>
    {
        bool toFloat = typeof(T) == typeof(float);
        return (file.Header.Type.Kind, file.Header.Type.Size) switch
        {
            ('b', 1) when !toFloat => From<byte, T>(file, typeName),
            ('i', 1) => From<sbyte, T>(file, typeName),
            ('i', 2) => From<short, T>(file, typeName),
            ('i', 4) => From<int, T>(file, typeName),
            ('i', 8) => From<long, T>(file, typeName),
            ('u', 1) => From<byte, T>(file, typeName),
            ('u', 2) => From<ushort, T>(file, typeName),
            ('u', 4) => From<uint, T>(file, typeName),
            ('u', 8) => From<ulong, T>(file, typeName),
            ('f', 2) when toFloat => From<Half, T>(file, typeName),
            ('f', 4) when toFloat => From<float, T>(file, typeName),
            ('f', 8) when toFloat => From<double, T>(file, typeName),
            _ => throw Mismatch(file, typeName, toFloat ? "floats and integers" : "integers"),
        };
    }

    private static TTo[] From<TFrom, TTo>(NpyFile file, string typeName)
        where TFrom : unmanaged, INumber<TFrom>
        where TTo : unmanaged, INumber<TTo>
    {
        TFrom[] elements = file.Read<TFrom>();
        if (elements is TTo[] same && typeof(TFrom) == typeof(TTo))
            return same;
        TTo[] result = new TTo[elements.Length];
        for (int i = 0; i < elements.Length; i++)
        {
            result[i] = TTo.CreateSaturating(elements[i]);
            // Back again must give the same number; NaN is the same number here. A sign lost on the way would be equal, hence the ranges.
            bool exact =
                TFrom.IsNaN(elements[i])
                || (
                    TFrom.CreateSaturating(result[i]) == elements[i]
                    && TFrom.IsNegative(elements[i]) == TTo.IsNegative(result[i])
                    && TFrom.IsInfinity(elements[i]) == TTo.IsInfinity(result[i])
                    && IsExactInteger(elements[i], result[i])
                );
            if (!exact)
                throw new ToolException(
                    FormattableString.Invariant(
                        $"{file.Name}: element {i} is {elements[i]}, which {typeName} cannot hold exactly; save the array as {NumPyName(typeName)} to round it."
                    )
                );
        }
        return result;
    }

    private static string NumPyName(string typeName) =>
        typeName switch
        {
            "byte" => "uint8",
            "int" => "int32",
            "uint" => "uint32",
            "long" => "int64",
            "float" => "float32",
            _ => typeName,
        };

    // An integer near the top of its range may saturate on the way back from float to the very number it came from.
    private static bool IsExactInteger<TFrom, TTo>(TFrom from, TTo to)
        where TFrom : INumber<TFrom>
        where TTo : INumber<TTo> =>
        !TFrom.IsInteger(from)
        || typeof(TTo) != typeof(float)
        || TFrom.IsInfinity(from)
        || BigInteger.CreateTruncating(from) == BigInteger.CreateTruncating(to);

    private static ToolException Mismatch(NpyFile file, string typeName, string allowed) =>
        new($"{file.Name}: its element type is {file.Header.Type}; a table of {typeName} takes {allowed}.");
}
