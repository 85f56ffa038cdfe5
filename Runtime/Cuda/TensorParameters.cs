using System.ComponentModel;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace FlashGen.Support;

/// <summary>The parameters of a kernel launch, in the order of its method's: the driver takes an address for each.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed unsafe class TensorParameters : IDisposable
{
    // A parameter's offset is a multiple of 64, which a tensor map wants of its own.
    private const int Alignment = 64;

    // Kernels take at most 4 KB of parameters (CUDA C++ programming guide, "Function parameters").
    private const int Capacity = 8192;

    private readonly byte* memory = (byte*)NativeMemory.AlignedAlloc(Capacity, Alignment);
    private readonly List<nint> addresses = [];
    private int end;

    /// <summary>The addresses, one for each parameter.</summary>
    internal ReadOnlySpan<nint> Addresses => CollectionsMarshal.AsSpan(addresses);

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

    /// <summary>Frees the parameters; the driver has copied them by then.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        addresses.Clear();
    }

    internal byte* Next(int size)
    {
        byte* place = memory + end;
        end += (size + Alignment - 1) / Alignment * Alignment;
        if (end > Capacity)
            throw new NotSupportedException($"The kernel's parameters take more than {Capacity} bytes.");
        addresses.Add((nint)place);
        return place;
    }
}
