using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// Barriers in shared memory, by which Hopper's copy engine and the warps of a group hand tiles to each other (PTX ISA, "Parallel
/// Synchronization and Communication Instructions: mbarrier").
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class TensorBarrier
{
    /// <summary>Waits until a barrier has left a phase.</summary>
    /// <param name="barrier">Its address in shared memory.</param>
    /// <param name="phase">The phase's parity, 0 for the first.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Wait(int barrier, int phase) =>
        CudaAsm.Emit(
            "{ .reg .pred done; again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1; @done bra after; bra again; after: }",
            barrier,
            phase
        );

    /// <summary>A warp says by one of its threads that something is there.</summary>
    /// <param name="barrier">Its address in shared memory.</param>
    /// <param name="thread">The thread's number in the warp: 0 says it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Arrive(int barrier, int thread) =>
        CudaAsm.Emit(
            "{ .reg .pred one; setp.eq.s32 one, %1, 0; @one mbarrier.arrive.shared::cta.b64 _, [%0]; }",
            barrier,
            thread
        );

    /// <summary>A warp says by one of its threads that all of them are done with something.</summary>
    /// <param name="barrier">Its address in shared memory.</param>
    /// <param name="thread">The thread's number in the warp: 0 says it.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ArriveTogether(int barrier, int thread) =>
        CudaAsm.Emit(
            "{ .reg .pred one; bar.warp.sync -1; setp.eq.s32 one, %1, 0; @one mbarrier.arrive.shared::cta.b64 _, [%0]; }",
            barrier,
            thread
        );
}
