using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FlashGen.Support;

/// <summary>Conversions of whole rows between what a tensor stores and what the kernels compute in.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class SimdElements
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    // 2^112: float's exponent bias less half's.
    private const float HalfBias = 5.192296858534828e33f;

    /// <summary>Copies rows, widened to float, one behind the other.</summary>
    [MethodImpl(Hot)]
    public static void Widen<T>(T* source, long stride, int rows, int columns, float* target)
        where T : unmanaged
    {
        if (stride == columns)
            (rows, columns) = (1, rows * columns);
        for (int row = 0; row < rows; row++, source += stride, target += columns)
            Widen(source, target, columns);
    }

    /// <summary>Widens consecutive elements to float, exactly.</summary>
    [MethodImpl(Hot)]
    public static void Widen<T>(T* source, float* target, int count)
        where T : unmanaged
    {
        if (typeof(T) == typeof(Half))
            WidenHalf((ushort*)source, target, count);
        else if (typeof(T) == typeof(BFloat16))
            WidenBFloat16((ushort*)source, target, count);
        else if (typeof(T) == typeof(float))
            Copy((float*)source, target, count);
        else
            throw new NotSupportedException($"{typeof(T)} does not widen to float.");
    }

    /// <summary>Rounds consecutive floats to the element type, to nearest even.</summary>
    [MethodImpl(Hot)]
    public static void Narrow<T>(float* source, T* target, int count)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            Unsafe.CopyBlockUnaligned(target, source, (uint)count * sizeof(float));
        else
            for (int i = 0; i < count; i++)
                target[i] = Elements.Narrow<T>(source[i]);
    }

    // In place of a call for each row, which are short.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* source, float* target, int count)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
            for (; i + 16 <= count; i += 16)
                Vector512.Load(source + i).Store(target + i);
        for (; i + 8 <= count; i += 8)
            Vector256.Load(source + i).Store(target + i);
        for (; i < count; i++)
            target[i] = source[i];
    }

    [MethodImpl(Hot)]
    private static void WidenBFloat16(ushort* source, float* target, int count)
    {
        int i = 0;
        if (Avx512F.IsSupported)
            for (; i + 16 <= count; i += 16)
                (Avx512F.ConvertToVector512UInt32(Vector256.Load(source + i)) << 16).AsSingle().Store(target + i);
        if (Avx2.IsSupported)
            for (; i + 8 <= count; i += 8)
                (Avx2.ConvertToVector256Int32(Vector128.Load(source + i)) << 16).AsSingle().Store(target + i);
        for (; i < count; i++)
            target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    // Exponent and fraction move into place as they are; a multiplication by 2^112 then mends the exponent's bias, subnormals too.
    // Infinities and NaN come out as large numbers and are lifted by hand.
    [MethodImpl(Hot)]
    private static void WidenHalf(ushort* source, float* target, int count)
    {
        int i = 0;
        if (Avx512F.IsSupported)
            for (; i + 16 <= count; i += 16)
            {
                Vector512<uint> bits = Avx512F.ConvertToVector512UInt32(Vector256.Load(source + i));
                Vector512<float> magnitude =
                    ((bits & Vector512.Create(0x7FFFu)) << 13).AsSingle() * Vector512.Create(HalfBias);
                Vector512<uint> special = Vector512.GreaterThanOrEqual(
                    bits & Vector512.Create(0x7FFFu),
                    Vector512.Create(0x7C00u)
                );
                Vector512<uint> lifted = magnitude.AsUInt32() | (special & Vector512.Create(0x7F800000u));
                (lifted | ((bits & Vector512.Create(0x8000u)) << 16)).AsSingle().Store(target + i);
            }
        if (Avx2.IsSupported)
            for (; i + 8 <= count; i += 8)
            {
                Vector256<uint> bits = Avx2.ConvertToVector256Int32(Vector128.Load(source + i)).AsUInt32();
                Vector256<float> magnitude =
                    ((bits & Vector256.Create(0x7FFFu)) << 13).AsSingle() * Vector256.Create(HalfBias);
                Vector256<uint> special = Vector256.GreaterThanOrEqual(
                    bits & Vector256.Create(0x7FFFu),
                    Vector256.Create(0x7C00u)
                );
                Vector256<uint> lifted = magnitude.AsUInt32() | (special & Vector256.Create(0x7F800000u));
                (lifted | ((bits & Vector256.Create(0x8000u)) << 16)).AsSingle().Store(target + i);
            }
        for (; i < count; i++)
            target[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
    }
}
