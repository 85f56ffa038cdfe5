using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>What a warp's threads, which are all there together, agree on.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorWarp
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>
    /// A number that is the same in all threads of a warp, in a way that the driver's compiler knows: it then keeps what follows from it
    /// in uniform registers, where matrix descriptors must be.
    /// </summary>
    [MethodImpl(Inline)]
    public static int Uniform(int value)
    {
        CudaAsm.Emit("shfl.sync.idx.b32 %0, %1, 0, 31, 0xffffffff;", out int same, value);
        return same;
    }

    /// <summary>
    /// The thread's number in its group, asked for where it is wanted, by a warp's threads together: the driver's compiler does not keep
    /// what follows from it in registers from one tile of rows to the next.
    /// </summary>
    [MethodImpl(Inline)]
    public static int Thread()
    {
        CudaAsm.Emit("shfl.sync.bfly.b32 %0, %1, 0, 31, 0xffffffff;", out int thread, Group.IdxX);
        return thread;
    }

    /// <summary>The least value of a warp (PTX ISA, redux.sync).</summary>
    /// <param name="value">The thread's value.</param>
    [MethodImpl(Inline)]
    public static int Min(int value)
    {
        CudaAsm.Emit("redux.sync.min.s32 %0, %1, 0xffffffff;", out int least, value);
        return least;
    }

    /// <summary>The greatest value of a warp.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static int Max(int value)
    {
        CudaAsm.Emit("redux.sync.max.s32 %0, %1, 0xffffffff;", out int greatest, value);
        return greatest;
    }

    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static long Min(long value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = Math.Min(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <inheritdoc cref="Max(int)"/>
    [MethodImpl(Inline)]
    public static long Max(long value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = Math.Max(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The sum of a warp's values, in the same order in each of its threads.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static float Sum(float value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value += Warp.ShuffleXor(value, mask);
        return value;
    }

    /// <summary>The least value of a warp; NaN where one is NaN.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static float Min(float value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = PortableMath.Min(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The greatest value of a warp; NaN where one is NaN.</summary>
    /// <inheritdoc cref="Min(int)"/>
    [MethodImpl(Inline)]
    public static float Max(float value)
    {
        for (int mask = 16; mask > 0; mask /= 2)
            value = PortableMath.Max(value, Warp.ShuffleXor(value, mask));
        return value;
    }

    /// <summary>The greatest value of sixteen threads, of a half of the warp, for each of them; a NaN counts for nothing. Written out, where a loop would be one step after another.</summary>
    /// <param name="value">The thread's value.</param>
    [MethodImpl(Inline)]
    public static float MaxOfHalf(float value)
    {
        CudaAsm.Emit(
            """
            {
            .reg .f32 other;
            shfl.sync.bfly.b32 other, %1, 8, 31, 0xffffffff; max.f32 %0, %1, other;
            shfl.sync.bfly.b32 other, %0, 4, 31, 0xffffffff; max.f32 %0, %0, other;
            shfl.sync.bfly.b32 other, %0, 2, 31, 0xffffffff; max.f32 %0, %0, other;
            shfl.sync.bfly.b32 other, %0, 1, 31, 0xffffffff; max.f32 %0, %0, other;
            }
            """,
            out float largest,
            value
        );
        return largest;
    }

    /// <summary>The sum of their values, in the same order in each of them.</summary>
    /// <param name="value">The thread's value.</param>
    [MethodImpl(Inline)]
    public static float SumOfHalf(float value)
    {
        CudaAsm.Emit(
            """
            {
            .reg .f32 other;
            shfl.sync.bfly.b32 other, %1, 8, 31, 0xffffffff; add.rn.f32 %0, %1, other;
            shfl.sync.bfly.b32 other, %0, 4, 31, 0xffffffff; add.rn.f32 %0, %0, other;
            shfl.sync.bfly.b32 other, %0, 2, 31, 0xffffffff; add.rn.f32 %0, %0, other;
            shfl.sync.bfly.b32 other, %0, 1, 31, 0xffffffff; add.rn.f32 %0, %0, other;
            }
            """,
            out float sum,
            value
        );
        return sum;
    }
}
