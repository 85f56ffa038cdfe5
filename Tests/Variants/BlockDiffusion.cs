using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Noisy blocks before clean ones (BD3-LM): three masks of one sequence that is there twice, in locals.</summary>
[Attention(Types = Float32)]
public static partial class BlockDiffusion
{
    private const int Block = 16;

    [MaskMod]
    private static bool Keep(in Position at, int length)
    {
        bool cleanQuery = at.Query >= length;
        bool cleanKey = at.Key >= length;
        int queryBlock = (cleanQuery ? at.Query - length : at.Query) / Block;
        int keyBlock = (cleanKey ? at.Key - length : at.Key) / Block;
        bool blockDiagonal = queryBlock == keyBlock && cleanQuery == cleanKey;
        bool offsetBlockCausal = queryBlock > keyBlock && cleanKey && !cleanQuery;
        bool blockCausal = queryBlock >= keyBlock && cleanKey && cleanQuery;
        return blockDiagonal || offsetBlockCausal || blockCausal;
    }
}
