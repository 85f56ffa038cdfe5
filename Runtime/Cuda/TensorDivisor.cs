using System.ComponentModel;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace FlashGen.Support;

/// <summary>
/// A number that a kernel divides by, as the host knows it before the call: a product and a shift take its place, where a device takes some twenty
/// instructions for a quotient, most of them waiting for the one before (Granlund and Montgomery, "Division by invariant integers using
/// multiplication", 1994, theorem 4.2).
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct TensorDivisor
{
    /// <summary>2 to the 31 + <see cref="Shift"/> over the divisor, and what is missing to the next whole number.</summary>
    public uint Multiplier;

    /// <summary>The bits of the divisor less one.</summary>
    public int Shift;

    /// <summary>A divisor.</summary>
    /// <param name="divisor">1 or more.</param>
    internal static TensorDivisor Of(int divisor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(divisor, 1);
        TensorDivisor result = default;
        result.Shift = 32 - BitOperations.LeadingZeroCount((uint)divisor - 1);
        result.Multiplier = (uint)((1UL << 31 + result.Shift) / (uint)divisor + 1);
        return result;
    }

    /// <summary>How often the divisor goes into a number.</summary>
    /// <param name="number">0 to 2^31 - 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Into(int number) => (int)((uint)((ulong)((uint)number << 1) * Multiplier >> 32) >> Shift);
}
