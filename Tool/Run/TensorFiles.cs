using FlashGen.Support;
using FlashGen.Tool.Npy;

namespace FlashGen.Tool.Run;

/// <summary>The query, key and value files of a call: their shapes fit each other and the variant before an element is read.</summary>
internal sealed class TensorFiles : IDisposable
{
    private readonly NpyFile query;
    private readonly NpyFile key;
    private readonly NpyFile value;

    private TensorFiles(NpyFile query, NpyFile key, NpyFile value, ElementType type, TensorLayout layout)
    {
        (this.query, this.key, this.value, ElementType, Layout) = (query, key, value, type, layout);
    }

    /// <summary>The element type of the call.</summary>
    public ElementType ElementType { get; }

    /// <summary>The order of the files' axes.</summary>
    public TensorLayout Layout { get; }

    /// <summary>The type in which the output is stored: the one of the inputs.</summary>
    public NpyType FileType => query.Header.Type with { BigEndian = false };

    /// <summary>The full paths, so that a result does not overwrite an input.</summary>
    public IEnumerable<string> Paths => [query.Path, key.Path, value.Path];

    /// <summary>Opens the files.</summary>
    /// <param name="queryPath">--query.</param>
    /// <param name="keyPath">--key.</param>
    /// <param name="valuePath">--value.</param>
    /// <param name="asked">--type, or null for the files' own.</param>
    /// <param name="layout">The order of the files' axes.</param>
    /// <exception cref="ToolException">One cannot be read, or they are not of one element type.</exception>
    public static TensorFiles Open(
        string queryPath,
        string keyPath,
        string valuePath,
        ElementType? asked,
        TensorLayout layout
    )
    {
        List<NpyFile> files = [];
        try
        {
            foreach (
                (string option, string path) in new[]
                {
                    ("--query", queryPath),
                    ("--key", keyPath),
                    ("--value", valuePath),
                }
            )
            {
                NpyFile file = NpyFile.Open(option, path);
                files.Add(file);
                CheckAxes(file, layout);
                if (Stored(file) != Stored(files[0]))
                    throw new ToolException(
                        $"{file.Name}: its element type is {file.Header.Type}, but that of {files[0].Name} is {files[0].Header.Type}; all three must be of one type."
                    );
            }
            return new(files[0], files[1], files[2], ElementTypes.Of(files[0], asked), layout);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    /// <summary>The sizes of the call, with the strides of the files.</summary>
    /// <param name="variant">The variant, which must declare the element type and the dimensions.</param>
    /// <exception cref="ToolException">The files' shapes do not fit each other.</exception>
    /// <exception cref="ArgumentException">A size is outside what the variant allows.</exception>
    /// <exception cref="NotSupportedException">The variant does not declare the element type.</exception>
    public AttentionShape Shape(AttentionVariant variant)
    {
        Axes q = AxesOf(query);
        Axes k = AxesOf(key);
        Axes v = AxesOf(value);
        Same("batch", q.Batch, k.Batch, query, key);
        Same("batch", q.Batch, v.Batch, query, value);
        Same("heads", k.Heads, v.Heads, key, value);
        Same("length", k.Length, v.Length, key, value);
        Same("dim", q.Dim, k.Dim, query, key);
        if (q.Heads != 0 && (k.Heads == 0 || q.Heads % k.Heads != 0))
            throw new ToolException(
                FormattableString.Invariant(
                    $"{query.Name} has {q.Heads} heads and {key.Name} {k.Heads}; the query's heads must be a multiple of the key's."
                )
            );
        CallCheck.Declared(variant, ElementType);
        AttentionShape shape = new AttentionShape(q.Batch, q.Heads, k.Heads, q.Length, k.Length, q.Dim, v.Dim);
        shape = shape with
        {
            QueryStrides = TensorStrides.Contiguous(Layout, q.Heads, q.Length, q.Dim),
            KeyStrides = TensorStrides.Contiguous(Layout, k.Heads, k.Length, k.Dim),
            ValueStrides = TensorStrides.Contiguous(Layout, v.Heads, v.Length, v.Dim),
            OutputStrides = TensorStrides.Contiguous(Layout, q.Heads, q.Length, v.Dim),
        };
        CallCheck.Shape(variant, shape);
        long most = Math.Max(shape.OutputElements(Layout), shape.LogSumExpElements);
        if (most > Array.MaxLength)
            throw new ToolException(
                FormattableString.Invariant(
                    $"The output would have {most} elements; allowed are up to {Array.MaxLength}."
                )
            );
        return shape;
    }

    /// <summary>Reads the elements.</summary>
    public (T[] Query, T[] Key, T[] Value) Read<T>()
        where T : unmanaged => (Elements<T>(query), Elements<T>(key), Elements<T>(value));

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        query.Dispose();
        key.Dispose();
        value.Dispose();
    }

    // A float32 file given as bfloat16 is rounded; every other pair has equal bits.
    private T[] Elements<T>(NpyFile file)
        where T : unmanaged =>
        file.Header.Type.Size == ElementType.Size()
            ? file.Read<T>()
            : Array.ConvertAll(file.Read<float>(), FlashGen.Support.Elements.Narrow<T>);

    private static (char, int) Stored(NpyFile file) => (file.Header.Type.Kind, file.Header.Type.Size);

    private static void CheckAxes(NpyFile file, TensorLayout layout)
    {
        string axes =
            layout == TensorLayout.BatchHeadSequence ? "(batch, heads, length, dim)" : "(batch, length, heads, dim)";
        if (file.Header.Shape.Length != 4)
            throw new ToolException($"{file.Name}: its shape is {file.Header.ShapeText}; it must be {axes}.");
        if (file.Header.Shape[^1] == 0)
            throw new ToolException($"{file.Name}: its shape is {file.Header.ShapeText}; dim must be 1 or more.");
        foreach (long length in file.Header.Shape)
            if (length > int.MaxValue)
                throw new ToolException(
                    FormattableString.Invariant(
                        $"{file.Name}: its shape is {file.Header.ShapeText}; allowed are up to {int.MaxValue} along each axis."
                    )
                );
    }

    private Axes AxesOf(NpyFile file)
    {
        long[] s = file.Header.Shape;
        return Layout == TensorLayout.BatchHeadSequence
            ? new((int)s[0], (int)s[1], (int)s[2], (int)s[3])
            : new((int)s[0], (int)s[2], (int)s[1], (int)s[3]);
    }

    private static void Same(string axis, int a, int b, NpyFile fileA, NpyFile fileB)
    {
        if (a != b)
            throw new ToolException(
                FormattableString.Invariant(
                    $"{fileB.Name}: its shape is {fileB.Header.ShapeText}, {axis} {b}; that of {fileA.Name} is {fileA.Header.ShapeText}, {axis} {a}, and they must be equal."
                )
            );
    }

    private readonly record struct Axes(int Batch, int Heads, int Length, int Dim);

    private static class ElementTypes
    {
        public static ElementType Of(NpyFile file, ElementType? asked)
        {
            ElementType? own = (file.Header.Type.Kind, file.Header.Type.Size) switch
            {
                ('f', 2) => ElementType.Float16,
                ('f', 4) => ElementType.Float32,
                ('f', 8) => ElementType.Float64,
                _ => null,
            };
            bool mayBeBFloat16 = (file.Header.Type.Kind, file.Header.Type.Size) is ('V' or 'u', 2);
            if (asked is null)
                return own
                    ?? throw new ToolException(
                        $"{file.Name}: its element type is {file.Header.Type}; allowed are float16 (<f2), float32 (<f4), float64 (<f8)"
                            + (mayBeBFloat16 ? ", and with --type bfloat16 its 16 bits are bfloat16." : ".")
                    );
            if (asked == own || (asked == ElementType.BFloat16 && (mayBeBFloat16 || own == ElementType.Float32)))
                return asked.Value;
            throw new ToolException(
                asked == ElementType.BFloat16
                    ? $"{file.Name}: its element type is {file.Header.Type}; --type bfloat16 allows 16 raw bits (<V2, <u2) and float32 (<f4), which is rounded."
                    : $"{file.Name}: its element type is {file.Header.Type}, not {asked.Value.ToString().ToLowerInvariant()}; nothing is converted but float32 to bfloat16."
            );
        }
    }
}
