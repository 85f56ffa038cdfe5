using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>What the four element types are in C#: names, sizes and conversions.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Elements
{
    /// <summary>The element type that a C# type stands for.</summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <exception cref="NotSupportedException">T is none of these.</exception>
    public static ElementType TypeOf<T>()
        where T : unmanaged =>
        typeof(T) == typeof(Half) ? ElementType.Float16
        : typeof(T) == typeof(BFloat16) ? ElementType.BFloat16
        : typeof(T) == typeof(float) ? ElementType.Float32
        : typeof(T) == typeof(double) ? ElementType.Float64
        : throw new NotSupportedException(
            $"The element type {typeof(T)} is not supported; allowed are System.Half, FlashGen.BFloat16, float and double."
        );

    /// <summary>The set of this one type.</summary>
    public static ElementTypes Flag(this ElementType type) => (ElementTypes)(1 << (int)type);

    /// <summary>Bytes of one element.</summary>
    public static int Size(this ElementType type) =>
        type switch
        {
            ElementType.Float16 or ElementType.BFloat16 => 2,
            ElementType.Float32 => 4,
            _ => 8,
        };

    /// <summary>The set of this one target.</summary>
    public static Targets Flag(this Target target) => (Targets)(1 << (int)target);

    /// <summary>An element as float64: exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Widen<T>(T value)
        where T : unmanaged
    {
        if (typeof(T) == typeof(Half))
            return (double)Unsafe.BitCast<T, Half>(value);
        if (typeof(T) == typeof(BFloat16))
            return (float)Unsafe.BitCast<T, BFloat16>(value);
        if (typeof(T) == typeof(float))
            return Unsafe.BitCast<T, float>(value);
        if (typeof(T) == typeof(double))
            return Unsafe.BitCast<T, double>(value);
        throw new NotSupportedException($"{typeof(T)} is no element type.");
    }

    /// <summary>The element nearest to a float32, ties to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Narrow<T>(float value)
        where T : unmanaged
    {
        if (typeof(T) == typeof(Half))
            return Unsafe.BitCast<Half, T>((Half)value);
        if (typeof(T) == typeof(BFloat16))
            return Unsafe.BitCast<BFloat16, T>((BFloat16)value);
        if (typeof(T) == typeof(float))
            return Unsafe.BitCast<float, T>(value);
        if (typeof(T) == typeof(double))
            return Unsafe.BitCast<double, T>(value);
        throw new NotSupportedException($"{typeof(T)} is no element type.");
    }
}
