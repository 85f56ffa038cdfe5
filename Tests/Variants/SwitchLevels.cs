using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Switch expressions over constants, relations and guards, one in the mask and one in the score.</summary>
[Attention(Types = Float32 | Float64)]
public static partial class SwitchLevels
{
    [MaskMod]
    private static bool Keep(in Position at) =>
        (at.QueryPosition - at.Key) switch
        {
            < -20 => false,
            < 0 => at.Key % 2 == 0,
            0 or 1 => true,
            > 100 and < 120 => false,
            var far when far > 150 => at.Head == 0,
            _ => at.Key % 5 != 3,
        };

    [ScoreMod]
    private static float Change(float score, in Position at) =>
        at.KeyHead switch
        {
            0 => score,
            1 when at.Key > 10 => score * 0.5f,
            1 => -score,
            _ => score + 1f,
        };
}
