using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>Loops of few rounds that stand once in the driver's code: written out four times they take up to a tenth of its compiler's time.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorLoop
{
    /// <summary>The condition of such a loop (PTX ISA, "Pragma Strings: nounroll").</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsBelow(int index, int end)
    {
        CudaAsm.Emit(".pragma \"nounroll\";");
        return index < end;
    }
}
