using static FlashGen.ElementTypes;

namespace FlashGen.Tests.Variants;

/// <summary>Text rows attend the tiles of the image they speak of (Llama 3.2 vision): keys of another kind than queries, top-left.</summary>
[Attention(Types = Float32, Align = Alignment.TopLeft)]
public static partial class VisionCross
{
    [MaskMod]
    private static bool SameImage(in Position at, Table<int> imageOfText, int patches) =>
        imageOfText[at.Query] == at.Key / patches;
}
