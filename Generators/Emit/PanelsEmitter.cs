using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Portable;
using FlashGen.Generators.Emit.Simd;
using FlashGen.Generators.Emit.Tensor;
using Microsoft.FSharp.Collections;

namespace FlashGen.Generators.Emit;

/// <summary>Writes what the kernels of an assembly share: micro-kernels and vector helpers on the CPU, whole kernels on devices.</summary>
internal static class PanelsEmitter
{
    private const string Lanes = "lanes";
    private const string Panel = "panel";
    private const string Portable = "portable";
    private const string Tensor = "tensor";

    /// <summary>What a declaration asks of the shared files, in canonical text: all that they depend on.</summary>
    public static FSharpList<string> Needs(Declaration declaration) =>
        ListModule.OfSeq(
            SimdPlans
                .Kernels(declaration)
                .Select(text => SimdTile.Of(text.Plan))
                .SelectMany(tile => new[] { $"{Lanes} {tile.VectorBits}", PanelNeed(tile) })
                .Concat(PortablePlans.Texts(declaration).Select(PortableNeed))
                .Concat(TensorPlans.Tiles(declaration).Select(TensorNeed))
                .Distinct()
        );

    /// <param name="needs">The needs of all declarations, each once, in ordinal order.</param>
    public static IEnumerable<(string Part, string Text)> Emit(IReadOnlyList<string> needs)
    {
        foreach (string need in needs)
        {
            string[] words = need.Split(' ');
            int[] numbers = words
                .Skip(1)
                .Select(word => int.Parse(word, NumberStyles.None, CultureInfo.InvariantCulture))
                .ToArray();
            if (words[0] == Lanes)
            {
                yield return ($"Lanes{numbers[0]}", LanesEmitter.Emit(numbers[0]));
            }
            else if (words[0] == Portable)
            {
                PortableText text = new(numbers[0] == 1, numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
                yield return (text.ClassName, new PortableEmitter(text).Emit());
            }
            else if (words[0] == Tensor)
            {
                TensorTile tile = new(
                    numbers[0] == 90 ? TargetKind.Sm90 : TargetKind.Sm80,
                    numbers[1],
                    numbers[2],
                    numbers[3],
                    numbers[4],
                    numbers[5],
                    numbers[6],
                    numbers[7]
                );
                yield return (
                    tile.ClassName,
                    tile.Target.IsSm90 ? new Sm90Emitter(tile).Emit() : new Sm80Emitter(tile).Emit()
                );
            }
            else
            {
                SimdTile tile = new(numbers[0], numbers[1] == 1, numbers[2], numbers[3], numbers[4]);
                yield return (tile.ClassName, PanelEmitter.Emit(tile));
            }
        }
    }

    private static string PortableNeed(PortableText text) =>
        $"{Portable} {(text.Wide ? 1 : 0)} {text.Rows} {text.BlockN} {text.Columns} {text.HeadSlice} {text.ValueSlice}";

    private static string TensorNeed(TensorTile tile) =>
        $"{Tensor} {(tile.Target.IsSm90 ? 90 : 80)} {tile.BlockM} {tile.BlockN} {tile.HeadDim} {tile.ValueDim} {tile.Warps} {tile.Stages} {tile.Groups}";

    private static string PanelNeed(SimdTile tile) =>
        $"{Panel} {tile.VectorBits} {(tile.Wide ? 1 : 0)} {tile.RowVectors} {tile.KeyUnroll} {tile.ValueUnroll}";
}
