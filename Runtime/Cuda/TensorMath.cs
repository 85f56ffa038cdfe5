using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// Float functions of score changes on tensor cores, where every instruction of a score counts. The device's approximations of exp2 and
/// 1 / x are within two units of the last place (PTX ISA, ex2.approx and rcp.approx).
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    private const float Log2E = 1.44269504f;

    /// <summary>tanh by 1 - 2 / (1 + exp(2 x)), within 2^-22 of it: what counts for a capped score is the absolute error.</summary>
    [MethodImpl(Inline)]
    public static float Tanh(float x) => 1 - 2 * Reciprocal(1 + Exp2(x * (2 * Log2E)));

    /// <summary>2^x.</summary>
    [MethodImpl(Inline)]
    public static float Exp2(float x)
    {
        CudaAsm.Emit("ex2.approx.f32 %0, %1;", out float power, x);
        return power;
    }

    /// <summary>1 / x.</summary>
    [MethodImpl(Inline)]
    public static float Reciprocal(float x)
    {
        CudaAsm.Emit("rcp.approx.f32 %0, %1;", out float result, x);
        return result;
    }
}
