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
    public static float Tanh(float x) => Capped(x, 1, 1);

    /// <summary>tanh in one instruction, within 2^-11 of it relative to its size (PTX ISA, tanh.approx).</summary>
    [MethodImpl(Inline)]
    public static float TanhApproximate(float x)
    {
        CudaAsm.Emit("tanh.approx.f32 %0, %1;", out float result, x);
        return result;
    }

    /// <summary>cap * tanh(factor * x) for constants, within 2^-22 of the cap.</summary>
    [MethodImpl(Inline)]
    public static float Capped(float x, float factor, float cap)
    {
        // What underflows here is nothing beside 1: no subnormals are needed.
        CudaAsm.Emit("ex2.approx.ftz.f32 %0, %1;", out float power, x * (2 * Log2E * factor));
        CudaAsm.Emit("rcp.approx.ftz.f32 %0, %1;", out float reciprocal, 1 + power);
        return cap - 2 * cap * reciprocal;
    }

    /// <summary>2^x.</summary>
    [MethodImpl(Inline)]
    public static float Exp2(float x)
    {
        CudaAsm.Emit("ex2.approx.f32 %0, %1;", out float power, x);
        return power;
    }
}
