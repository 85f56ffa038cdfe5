using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Support;

/// <summary>
/// The counters of <see cref="TensorLastPart"/>: a stream has its own, for its calls come one after another and each leaves them at 0. Safe
/// to use from several threads.
/// </summary>
internal sealed class TensorArrivals(CudaAccelerator accelerator) : IDisposable
{
    // A stream that nobody holds any more takes its counters with it.
    private readonly ConditionalWeakTable<CudaStream, MemoryBuffer1D<int, Stride1D.Dense>> ofStreams = [];
    private readonly Lock gate = new();

    /// <summary>
    /// The counters of a stream; none while its calls become a graph, which may run beside what the stream runs then, with the same counters.
    /// </summary>
    public ArrayView<int> Of(CudaStream stream)
    {
        if (CudaDriver.IsCapturing(stream.StreamPtr))
            return ArrayView<int>.Empty;
        lock (gate)
        {
            if (!ofStreams.TryGetValue(stream, out MemoryBuffer1D<int, Stride1D.Dense>? counters))
            {
                counters = accelerator.Allocate1D<int>(TensorLastPart.MostTiles);
                counters.MemSetToZero(stream);
                ofStreams.Add(stream, counters);
            }
            return counters.View.BaseView;
        }
    }

    /// <summary>Frees all counters.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (!accelerator.IsDisposed)
                foreach ((_, MemoryBuffer1D<int, Stride1D.Dense> counters) in ofStreams)
                    counters.Dispose();
            ofStreams.Clear();
        }
    }
}
