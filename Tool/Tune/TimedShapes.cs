using FlashGen.Dsl;

namespace FlashGen.Tool.Tune;

/// <summary>The shapes on which candidates are timed, one for each class: enough work for every thread or multiprocessor, in tens of milliseconds at most.</summary>
internal static class TimedShapes
{
    // A head dimension for variants that take any.
    private const int UsualDim = 128;

    /// <summary>The shape of a kernel and class.</summary>
    /// <param name="dims">The dimensions of the plan: what buffers are sized for.</param>
    /// <param name="isAny">Whether the variant takes any dimension.</param>
    /// <param name="shapeClass">The class.</param>
    /// <param name="kind">Where it runs.</param>
    public static AttentionShape Of(HeadDims dims, bool isAny, ShapeClass shapeClass, WorkerKind kind)
    {
        // On the CPU one text serves all; a device kernel is one of several, told by its number of value columns.
        int usual = kind == WorkerKind.Simd ? Math.Min(UsualDim, dims.ValueDim) : dims.ValueDim;
        (int headDim, int valueDim) = isAny ? (usual, usual) : (dims.HeadDim, dims.ValueDim);
        return kind switch
        {
            WorkerKind.Simulator => new(1, 2, 1, 33, 65, headDim, valueDim),
            WorkerKind.Device => shapeClass.IsShort ? new(8, 16, 4, 1024, 1024, headDim, valueDim)
            : shapeClass.IsDecode ? new(16, 32, 8, 1, 8192, headDim, valueDim)
            : new(2, 16, 4, 4096, 4096, headDim, valueDim),
            _ => shapeClass.IsShort ? new(1, 8, 4, 512, 512, headDim, valueDim)
            : shapeClass.IsDecode ? new(1, 8, 2, 1, 8192, headDim, valueDim)
            : new(1, 2, 1, 2048, 2048, headDim, valueDim),
        };
    }
}

/// <summary>The kinds of machine that candidates are timed on.</summary>
internal enum WorkerKind
{
    /// <summary>The CPU's vectors.</summary>
    Simd,

    /// <summary>A GPU through ILGPU.</summary>
    Device,

    /// <summary>ILGPU's CPU simulator: for trying the way, its times mean nothing.</summary>
    Simulator,
}
