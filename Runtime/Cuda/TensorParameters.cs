using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace FlashGen.Support;

/// <summary>
/// The parameters of a kernel launch, in the order of its method's: the driver takes an address for each. A thread's launches come one after another
/// and share the memory.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed unsafe class TensorParameters : IDisposable
{
    // A parameter's offset is a multiple of 64, which a tensor map wants of its own.
    private const int Alignment = 64;

    // Kernels take at most 4 KB of parameters (CUDA C++ programming guide, "Function parameters").
    private const int Capacity = 8192;

    [ThreadStatic]
    private static TensorParameters? free;

    private readonly byte[] bytes = GC.AllocateUninitializedArray<byte>(Capacity + Alignment, pinned: true);
    private readonly nint[] addresses = new nint[Capacity / Alignment];
    private readonly byte* memory;
    private int count,
        end;

    private TensorParameters() => memory = (byte*)(((nint)Unsafe.AsPointer(ref bytes[0]) + Alignment - 1) & -Alignment);

    /// <summary>None so far, until they are disposed.</summary>
    public static TensorParameters Begin()
    {
        TensorParameters parameters = free ?? new();
        free = null;
        (parameters.count, parameters.end) = (0, 0);
        return parameters;
    }

    /// <summary>The addresses, one for each parameter.</summary>
    internal ReadOnlySpan<nint> Addresses => addresses.AsSpan(0, count);

    /// <summary>Adds a number, or a struct of numbers.</summary>
    public void Add<T>(T value)
        where T : unmanaged => *(T*)Next(sizeof(T)) = value;

    /// <summary>Adds a view: its address and its length.</summary>
    public void Add<T>(ArrayView<T> view)
        where T : unmanaged
    {
        long* words = (long*)Next(2 * sizeof(long));
        words[0] = view.Length == 0 ? 0 : view.LoadEffectiveAddressAsPtr();
        words[1] = view.Length;
    }

    /// <summary>Leaves the memory to the thread's next launch; the driver has copied it by then.</summary>
    public void Dispose() => free = this;

    internal byte* Next(int size)
    {
        byte* place = memory + end;
        end += (size + Alignment - 1) / Alignment * Alignment;
        if (end > Capacity)
            throw new NotSupportedException($"The kernel's parameters take more than {Capacity} bytes.");
        addresses[count++] = (nint)place;
        return place;
    }
}
