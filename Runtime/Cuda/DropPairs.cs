using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// What dropout draws for a tile (semantics 11; <see cref="Philox.DropoutWords"/> has the counter). A draw gives what a thread holds of one
/// row in 32 columns of an accumulator: eight probabilities, 16 bits each, by two neighbouring columns a word. Kernels compare them.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public struct DropPairs
{
    /// <summary>The generator's fourth counter word, its third, and a weight's least draw, of 16 bits, in the upper half of a word.</summary>
    public uint Offset,
        BatchHead,
        Threshold;

    /// <summary>The query of the thread's first row, and how many on that of its second is.</summary>
    public int Query,
        Below;

    /// <summary>The tile's first key, a multiple of 32, over 8, and the thread's place among four that share a row.</summary>
    public int KeyGroup;

    /// <summary>Draws for 32 columns of the thread's first row (0) or its second (1), to registers word0 to word3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Draw(int firstColumn, int second) =>
        CudaAsm.Emit(
            "mov.b32 word0, %0; mov.b32 word1, %1; mov.b32 word2, %2; mov.b32 word3, %3;\n" + PhiloxKeys.Rounds,
            KeyGroup + firstColumn / 8,
            Query + second * Below,
            BatchHead,
            Offset
        );
}
