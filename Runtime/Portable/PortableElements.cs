using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>How an element type is stored on a device, and its conversions to and from what kernels compute in.</summary>
/// <typeparam name="TStored">What memory holds: the bits of a 16-bit type, or the number itself.</typeparam>
/// <typeparam name="TReal">float or double.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IPortableElement<TStored, TReal>
    where TStored : unmanaged
    where TReal : unmanaged
{
    /// <summary>The number: exact.</summary>
    static abstract TReal Load(TStored stored);

    /// <summary>The nearest number of the type, ties to even.</summary>
    static abstract TStored Store(TReal value);
}

/// <summary>binary16. Integer operations only, for a device need not have halves.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PortableFloat16 : IPortableElement<ushort, float>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <inheritdoc/>
    // Exponent and fraction move into place as they are; a multiplication by 2^112 mends the exponent's bias, subnormals too.
    [MethodImpl(Inline)]
    public static float Load(ushort stored)
    {
        uint bits = stored;
        float magnitude = Interop.IntAsFloat((bits & 0x7FFF) << 13) * 5.192296858534828e33f;
        uint special = (bits & 0x7C00) == 0x7C00 ? 0x7F800000u : 0u;
        return Interop.IntAsFloat(Interop.FloatAsInt(magnitude) | special | ((bits & 0x8000) << 16));
    }

    /// <inheritdoc/>
    [MethodImpl(Inline)]
    public static ushort Store(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        uint sign = (bits >> 16) & 0x8000;
        uint magnitude = bits & 0x7FFFFFFF;
        uint result;
        if (magnitude > 0x7F800000)
            result = 0x7E00;
        else if (magnitude >= 0x477FF000)
            result = 0x7C00; // 65520 and more: nearer to the step after the largest number.
        else if (magnitude < 0x38800000)
            result = Interop.FloatAsInt(Interop.IntAsFloat(magnitude) + 0.5f) - 0x3F000000; // A step of 0.5 is one of the subnormals.
        else
            result = (magnitude + 0xC8000FFF + ((magnitude >> 13) & 1)) >> 13;
        return (ushort)(sign | result);
    }
}

/// <summary>bfloat16.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PortableBFloat16 : IPortableElement<ushort, float>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(ushort stored) => Interop.IntAsFloat((uint)stored << 16);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Store(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        uint result =
            (bits & 0x7FFFFFFF) > 0x7F800000 ? (bits >> 16) | 0x0040 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
        return (ushort)result;
    }
}

/// <summary>binary32.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PortableFloat32 : IPortableElement<float, float>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float stored) => stored;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Store(float value) => value;
}

/// <summary>binary64.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PortableFloat64 : IPortableElement<double, double>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Load(double stored) => stored;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Store(double value) => value;
}
