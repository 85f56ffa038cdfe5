using FlashGen.Dsl;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The register tile of a CPU kernel: what the micro-kernels depend on, and nothing else. Variants with the same tile share them.
/// </summary>
internal readonly record struct SimdTile(int VectorBits, bool Wide, int RowVectors, int KeyUnroll, int ValueUnroll)
{
    public static SimdTile Of(TilePlan plan)
    {
        SimdSchedule schedule = ((Schedule.SimdSchedule)plan.Schedule).Item;
        return new(
            schedule.VectorBits,
            plan.Type.IsFloat64,
            schedule.RowVectors,
            schedule.KeyUnroll,
            schedule.ValueUnroll
        );
    }

    /// <summary>float or double.</summary>
    public string Real => Wide ? "double" : "float";

    public int Lanes => VectorBits / (Wide ? 64 : 32);

    public int Rows => RowVectors * Lanes;

    /// <summary>The function of a multiply-add: 128 bits are there without the instruction, too.</summary>
    public string Fma => VectorBits == 128 ? "V.MultiplyAddEstimate" : "V.FusedMultiplyAdd";

    /// <summary>Row numbers in a vector, which bounds and mods go by: a panel's rows are padded to as many.</summary>
    public int IntLanes => VectorBits / 32;

    /// <summary>
    /// Whether a panel's last vector of rows is computed alone where only its rows keep keys, as at a causal mask's edge, and where it is all
    /// that the panel has. A panel of doubles has too few rows.
    /// </summary>
    public bool SplitsLast => !Wide && RowVectors > 1;

    /// <summary>
    /// Whether whole tiles are taken against the maxima that rows have: where an exponential that is too large is infinite, and registers are left
    /// beside the scores for it (at 256 bits it was 4 to 8 % slower).
    /// </summary>
    public bool TakesKnownMaxima => VectorBits == 512 && !Wide;

    /// <summary>The class of the micro-kernels, in namespace FlashGen.Generated.</summary>
    public string ClassName => $"Panel{VectorBits}{(Wide ? "Wide" : "")}_{RowVectors}x{KeyUnroll}x{ValueUnroll}";
}
