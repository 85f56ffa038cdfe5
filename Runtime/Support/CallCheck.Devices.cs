using ILGPU;
using ILGPU.Runtime;

namespace FlashGen.Support;

// What calls on a device check besides: where memory is, how it is aligned, and what it shares.
public static partial class CallCheck
{
    /// <summary>Checks that a stream belongs to a device.</summary>
    public static void Stream(Accelerator accelerator, AcceleratorStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.Accelerator != accelerator)
            throw new ArgumentException(
                $"stream is one of {stream.Accelerator.Name}; the kernels were loaded on another accelerator, {accelerator.Name}.",
                nameof(stream)
            );
    }

    /// <summary>
    /// Checks that a view's memory is on a device, still there, and starts at a whole element. A view of nothing may be anywhere.
    /// </summary>
    public static void View<T>(Accelerator accelerator, string name, ArrayView<T> view)
        where T : unmanaged
    {
        if (!view.IsValid || view.Length == 0)
            return;
        if (view.GetAccelerator() != accelerator)
            throw new ArgumentException(
                $"{name} is memory of {view.GetAccelerator().Name}; the kernels were loaded on another accelerator, {accelerator.Name}.",
                name
            );
        // ILGPU takes the view of a freed buffer for one of memory from address 0 on.
        if (BufferOf(view).IsDisposed)
            throw new ArgumentException($"{name} is memory of a buffer that was disposed.", name);
        if ((ulong)view.LoadEffectiveAddressAsPtr() % (ulong)Interop.SizeOf<T>() != 0)
            throw new ArgumentException(
                Text(
                    $"{name} starts in the middle of an element; its address must be a multiple of {Interop.SizeOf<T>()}."
                ),
                name
            );
    }

    /// <summary>Checks that two views share no memory: results are written while the others are still read.</summary>
    public static void Disjoint<TA, TB>(string nameA, ArrayView<TA> a, string nameB, ArrayView<TB> b)
        where TA : unmanaged
        where TB : unmanaged
    {
        if (!a.IsValid || !b.IsValid || a.Length == 0 || b.Length == 0)
            return;
        ulong startA = (ulong)a.LoadEffectiveAddressAsPtr(),
            startB = (ulong)b.LoadEffectiveAddressAsPtr();
        if (startA < startB + (ulong)b.LengthInBytes && startB < startA + (ulong)a.LengthInBytes)
            throw new ArgumentException(
                $"{nameA} and {nameB} overlap in memory; a result must have memory of its own.",
                nameA
            );
    }

    /// <summary>A view of bytes as one of elements.</summary>
    public static ArrayView<T> Typed<T>(string name, ArrayView<byte> bytes)
        where T : unmanaged
    {
        if (!bytes.IsValid || bytes.Length == 0)
            return ArrayView<T>.Empty;
        int size = Interop.SizeOf<T>();
        if ((ulong)bytes.LoadEffectiveAddressAsPtr() % (ulong)size != 0 || bytes.Length % size != 0)
            throw new ArgumentException(
                Text(
                    $"{name} is {bytes.Length} bytes of memory; start and length must be multiples of {size}, the size of an element."
                ),
                name
            );
        return bytes.Cast<T>();
    }

    private static MemoryBuffer BufferOf<TView>(TView view)
        where TView : struct, IArrayView => view.Buffer;
}
