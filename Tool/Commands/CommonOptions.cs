using System.CommandLine;
using FlashGen.Tool.Arguments;
using FlashGen.Tool.Run;

namespace FlashGen.Tool.Commands;

/// <summary>Options that several commands have.</summary>
internal static class CommonOptions
{
    public static Argument<string> Variant() =>
        new("VARIANT") { Description = "A variant by its full name or the end of it, such as Causal." };

    public static Option<string?> Assembly() =>
        new("--assembly")
        {
            Description = "Take the variants of this assembly (.dll) instead of the gallery, FlashGen.Kernels.",
            HelpName = "FILE",
        };

    public static Option<string[]> Arguments() =>
        new("--arg")
        {
            Description = ArgumentReader.Help,
            HelpName = "NAME=VALUE",
            DefaultValueFactory = _ => [],
        };

    public static Option<string> Device() =>
        new Option<string>("--device")
        {
            Description =
                "Where to run: simd is the CPU's vectors; cpu (a simulator, slow), cuda and opencl go through ILGPU.",
            DefaultValueFactory = _ => "simd",
        }.OneOf(Backend.Names);

    public static Option<int> Threads() =>
        new Option<int>("--threads")
        {
            Description =
                "Threads for --device simd; 0 means as many as there are cores. The result does not depend on it.",
            HelpName = "N",
        }.From(0);

    public static Option<string?> Align() =>
        new Option<string?>("--align")
        {
            Description = "Where the queries stand among the keys, instead of where the variant puts them.",
        }.OneOf("bottom-right", "top-left");

    /// <summary>A shape whose offsets are those of an alignment; null leaves it to the variant.</summary>
    public static AttentionShape Aligned(in AttentionShape shape, string? align)
    {
        if (align is null)
            return shape;
        int[] offsets = new int[shape.Batch];
        for (int batch = 0; batch < offsets.Length; batch++)
            offsets[batch] = align == "top-left" ? 0 : shape.KeyLengthAt(batch) - shape.QueryLength;
        return shape with { Offsets = offsets };
    }
}
