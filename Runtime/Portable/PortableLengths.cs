using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Runtime;

namespace FlashGen.Support;

/// <summary>
/// Brings key lengths and offsets to a device. They travel as kernel parameters, some batch entries at a time: a copy from the host's
/// memory would make the host wait for the stream.
/// </summary>
internal sealed class PortableLengths(Accelerator accelerator) : IDisposable
{
    private delegate void Launch(
        AcceleratorStream stream,
        KernelConfig config,
        ArrayView<int> target,
        int batch,
        int first,
        LengthBlock block
    );

    private delegate void Body(ArrayView<int> target, int batch, int first, LengthBlock block);

    private readonly Lock gate = new();
    private Kernel? kernel;
    private Launch? launch;

    /// <summary>Whether batch entries differ: otherwise one length and offset go along with the call.</summary>
    public static bool AreGiven(in AttentionShape shape) => !shape.KeyLengths.IsEmpty || !shape.Offsets.IsEmpty;

    /// <summary>Queues the key lengths of all batch entries, then their offsets.</summary>
    public ArrayView<int> Write(
        AcceleratorStream stream,
        in AttentionShape shape,
        Alignment align,
        ArrayView<byte> workspace
    )
    {
        ArrayView<int> target = CallCheck.Typed<int>(
            nameof(workspace),
            workspace.SubView(0, 2L * sizeof(int) * shape.Batch)
        );
        Launch write = Load();
        for (int first = 0; first < shape.Batch; first += LengthBlock.Entries)
        {
            LengthBlock block = default;
            int count = Math.Min(LengthBlock.Entries, shape.Batch - first);
            for (int i = 0; i < count; i++)
                block.Set(i, shape.KeyLengthAt(first + i), shape.OffsetAt(first + i, align));
            write(stream, new KernelConfig(1, 1), target, shape.Batch, first, block);
        }
        return target;
    }

    public void Dispose() => kernel?.Dispose();

    private Launch Load()
    {
        lock (gate)
        {
            if (launch is null)
            {
                var entry = EntryPointDescription.FromExplicitlyGroupedKernel(((Body)Store).Method);
                kernel = accelerator.LoadKernel(accelerator.CompileKernel(entry, new KernelSpecialization(1, null)));
                launch = kernel.CreateLauncherDelegate<Launch>();
            }
            return launch;
        }
    }

    private static void Store(ArrayView<int> target, int batch, int first, LengthBlock block)
    {
        StoreEntry(target, batch, first, block.Entry0);
        StoreEntry(target, batch, first + 1, block.Entry1);
        StoreEntry(target, batch, first + 2, block.Entry2);
        StoreEntry(target, batch, first + 3, block.Entry3);
        StoreEntry(target, batch, first + 4, block.Entry4);
        StoreEntry(target, batch, first + 5, block.Entry5);
        StoreEntry(target, batch, first + 6, block.Entry6);
        StoreEntry(target, batch, first + 7, block.Entry7);
    }

    private static void StoreEntry(ArrayView<int> target, int batch, int index, long entry)
    {
        if (index >= batch)
            return;
        target[index] = (int)(entry >> 32);
        target[batch + index] = (int)entry;
    }
}
