using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>The rows that see a key begin and end where tables say (FlashMask).</summary>
[Attention(Types = Float32 | Float64)]
public static partial class Thresholds
{
    [MaskMod]
    private static bool Between(in Position at, Table<int> begins, Table<int> ends) =>
        at.Query >= begins[at.Key] && at.Query < ends[at.Key];
}
