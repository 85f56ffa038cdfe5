using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FlashGen.Tool.Run;

namespace FlashGen.Tool.Npy;

/// <summary>
/// A NumPy file that is being read: the header is checked against the file's length when it is opened, the elements come when they are
/// asked for, in C order and the machine's byte order whatever the file has.
/// </summary>
internal sealed class NpyFile : IDisposable
{
    // Elements moved at once: spans of bytes end at 2^31.
    private const int Chunk = 1 << 20;

    private readonly FileStream stream;

    private NpyFile(string name, FileStream stream, NpyHeader header)
    {
        (Name, this.stream, Header) = (name, stream, header);
    }

    /// <summary>The option and the file, as messages name it.</summary>
    public string Name { get; }

    /// <summary>The full path.</summary>
    public string Path => stream.Name;

    /// <summary>What the file says of its array.</summary>
    public NpyHeader Header { get; }

    /// <summary>Opens a file and checks its header and length.</summary>
    /// <param name="option">What the file is given as, such as --query.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ToolException">It cannot be read, or is not a whole NumPy file of a known kind.</exception>
    public static NpyFile Open(string option, string path)
    {
        if (path.Length == 0)
            throw new ToolException($"{option} is empty; give the name of a file.");
        string name = $"{option} {path}";
        FileStream? stream = null;
        try
        {
            if (Directory.Exists(path))
                throw new ToolException("it is a folder; give the name of a NumPy file (.npy).");
            // The header is held against the file's length.
            if (!FileKind.IsFreeOrRegular(System.IO.Path.GetFullPath(path)))
                throw new ToolException("it is a device, a pipe or a socket; give the name of a NumPy file (.npy).");
            stream = File.OpenRead(path);
            NpyHeader header = NpyHeader.Read(stream);
            Int128 length = header.DataOffset + ((Int128)header.Count * header.Type.Size);
            if (stream.Length != length)
                throw new ToolException(
                    FormattableString.Invariant(
                        $"it is {stream.Length} bytes long; shape {header.ShapeText} of {header.Type} needs exactly {length}."
                    )
                );
            if (header.Count > Array.MaxLength)
                throw new ToolException(
                    FormattableString.Invariant(
                        $"shape {header.ShapeText} has {header.Count} elements; allowed are up to {Array.MaxLength}."
                    )
                );
            return new(name, stream, header);
        }
        catch (Exception e)
            when (e
                    is ToolException
                        or IOException
                        or UnauthorizedAccessException
                        or ArgumentException
                        or NotSupportedException
            )
        {
            stream?.Dispose();
            throw e is FileNotFoundException or DirectoryNotFoundException
                ? new ToolException($"{name}: there is no such file.", e)
                : new ToolException($"{name}: {e.Message}", e);
        }
    }

    /// <summary>Reads the elements in C order.</summary>
    /// <typeparam name="T">A type of the file's element size.</typeparam>
    public T[] Read<T>()
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() != Header.Type.Size)
            throw new InvalidOperationException($"{typeof(T)} is not {Header.Type.Size} bytes.");
        T[] elements = new T[Header.Count];
        try
        {
            stream.Position = Header.DataOffset;
            for (int start = 0; start < elements.Length; start += Chunk)
                stream.ReadExactly(
                    MemoryMarshal.AsBytes(elements.AsSpan(start, Math.Min(Chunk, elements.Length - start)))
                );
        }
        catch (IOException e)
        {
            throw new ToolException($"{Name}: {e.Message}", e);
        }
        if (Header.Type.BigEndian == BitConverter.IsLittleEndian)
            ReverseBytes(elements);
        return Header.FortranOrder && Header.Shape.Length > 1 ? InCOrder(elements) : elements;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => stream.Dispose();

    private static void ReverseBytes<T>(T[] elements)
        where T : unmanaged
    {
        for (int i = 0; i < elements.Length; i++)
            elements[i] = Unsafe.SizeOf<T>() switch
            {
                2 => Unsafe.BitCast<ushort, T>(
                    BinaryPrimitives.ReverseEndianness(Unsafe.BitCast<T, ushort>(elements[i]))
                ),
                4 => Unsafe.BitCast<uint, T>(BinaryPrimitives.ReverseEndianness(Unsafe.BitCast<T, uint>(elements[i]))),
                8 => Unsafe.BitCast<ulong, T>(
                    BinaryPrimitives.ReverseEndianness(Unsafe.BitCast<T, ulong>(elements[i]))
                ),
                _ => elements[i],
            };
    }

    private T[] InCOrder<T>(T[] elements)
    {
        long[] shape = Header.Shape;
        long[] steps = new long[shape.Length];
        long step = 1;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            steps[axis] = step;
            step *= shape[axis];
        }
        T[] result = new T[elements.Length];
        long[] index = new long[shape.Length];
        long from = 0;
        for (int to = 0; to < result.Length; to++)
        {
            result[to] = elements[from];
            // Count up, last axis fastest, and keep the place in the file in step.
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                from += steps[axis];
                if (++index[axis] < shape[axis])
                    break;
                from -= steps[axis] * shape[axis];
                index[axis] = 0;
            }
        }
        return result;
    }
}
