using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace FlashGen.Tool.Npy;

/// <summary>Writes NumPy files of format version 1.0.</summary>
internal static class NpyWriter
{
    // NumPy aligns the elements so, that the file can be mapped into memory.
    private const int Alignment = 64;

    // Elements moved at once: spans of bytes end at 2^31.
    private const int Chunk = 1 << 20;

    /// <summary>Writes an array in C order.</summary>
    /// <typeparam name="T">A type of the element size.</typeparam>
    /// <param name="stream">Where to write.</param>
    /// <param name="type">The element type, in this machine's byte order.</param>
    /// <param name="shape">The axes' lengths.</param>
    /// <param name="elements">The elements.</param>
    public static void Write<T>(Stream stream, NpyType type, IReadOnlyList<long> shape, ReadOnlySpan<T> elements)
        where T : unmanaged
    {
        string text = $"{{'descr': '{type.Descr}', 'fortran_order': False, 'shape': {NpyHeader.TextOf(shape)}, }}";
        const int Start = 10;
        int length = ((Start + text.Length + 1 + Alignment - 1) / Alignment * Alignment) - Start;
        Span<byte> start = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, 0, 0];
        BinaryPrimitives.WriteUInt16LittleEndian(start[8..], (ushort)length);
        stream.Write(start);
        stream.Write(Encoding.ASCII.GetBytes(text.PadRight(length - 1) + "\n"));
        for (int from = 0; from < elements.Length; from += Chunk)
            stream.Write(MemoryMarshal.AsBytes(elements.Slice(from, Math.Min(Chunk, elements.Length - from))));
    }
}
