using System.Globalization;
using FlashGen.Support;

namespace FlashGen.Tool.Commands;

/// <summary>Parts of a variant in words.</summary>
internal static class Describe
{
    /// <summary>The head dimensions: "64, 128", "any up to 256", "192 with value 128".</summary>
    public static string Dims(AttentionVariant variant) =>
        variant.Dims.Count == 0
            ? "any up to 256"
            : string.Join(
                ", ",
                variant.Dims.Select(d =>
                    d.HeadDim == d.ValueDim
                        ? d.HeadDim.ToString(CultureInfo.InvariantCulture)
                        : string.Create(CultureInfo.InvariantCulture, $"{d.HeadDim} with value {d.ValueDim}")
                )
            );

    /// <summary>Element types as the command line writes them.</summary>
    public static string Types(ElementTypes types) =>
        string.Join(", ", Enum.GetValues<ElementType>().Where(t => types.HasFlag(t.Flag())).Select(Type));

    /// <summary>An element type as the command line writes it.</summary>
    public static string Type(ElementType type) => type.ToString().ToLowerInvariant();

    /// <summary>An alignment as the command line writes it.</summary>
    public static string Align(Alignment align) => align == Alignment.BottomRight ? "bottom-right" : "top-left";

    /// <summary>A layout as the command line writes it.</summary>
    public static string Layout(TensorLayout layout) =>
        layout == TensorLayout.BatchHeadSequence ? "batch-head-sequence" : "batch-sequence-head";
}
