using System.Globalization;

namespace FlashGen;

/// <summary>
/// Dropout of softmax weights: its probability and the Philox key that decides, by position alone, which weights go.
/// The probability is taken in steps of 1 / 65536, for a draw has 16 bits.
/// </summary>
/// <param name="Probability">The share of weights dropped, in [0, 1) and below 1 - 2^-17. torch's <c>dropout_p</c>.</param>
/// <param name="Seed">The 64-bit Philox key.</param>
/// <param name="Offset">The fourth Philox counter word: another value gives another mask under the same seed.</param>
public readonly record struct Dropout(float Probability, ulong Seed, uint Offset = 0)
{
    /// <summary>The share of weights dropped, as it was asked for.</summary>
    public float Probability { get; } = Checked(Probability);

    /// <summary>A weight is kept when its 16-bit draw is at least this: round(probability * 65536), ties to even; 0 to 65535.</summary>
    public int Threshold => (int)Steps(Probability);

    /// <summary>The share of weights really dropped: threshold / 65536.</summary>
    public double EffectiveProbability => Threshold / 65536.0;

    /// <summary>The factor of kept weights: 65536 / (65536 - threshold).</summary>
    public float Scale => 65536f / (65536 - Threshold);

    private static double Steps(float probability) => Math.Round((double)probability * 65536);

    private static float Checked(float probability) =>
        probability is >= 0 and < 1 && Steps(probability) < 65536
            ? probability
            : throw new ArgumentOutOfRangeException(
                nameof(Probability),
                probability,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The dropout probability is {probability}; allowed are 0 to below 1, and it must not round to 1 in steps of 1/65536."
                )
            );
}
