using System.Collections;
using System.Globalization;
using FlashGen.Support;

namespace FlashGen;

/// <summary>
/// The run-time arguments of a variant by name, for callers that do not know it at compile time. Tables are arrays or memory of bool,
/// byte, int, uint, long or float; scalars are bool, int, uint, long, float, <see cref="BiasStrides"/> and <see cref="Dropout"/>.
/// </summary>
/// <example><c>new ModArguments { { "slopes", slopes }, { "dropout", new Dropout(0.1f, seed) } }</c></example>
public sealed class ModArguments : IEnumerable<KeyValuePair<string, object>>
{
    // A table is kept boxed as Table<T>, so that a mod's look-up costs one dictionary read.
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object> memories = new(StringComparer.Ordinal);

    /// <summary>The names given, in ordinal order.</summary>
    public IEnumerable<string> Names => values.Keys.Order(StringComparer.Ordinal);

    /// <summary>Adds an argument. A table is not copied: do not change it during a call.</summary>
    /// <param name="name">The argument's name, as <see cref="AttentionVariant.Arguments"/> lists it.</param>
    /// <param name="value">An array, <see cref="Memory{T}"/>, <see cref="ReadOnlyMemory{T}"/> or a scalar.</param>
    /// <returns>This, for chaining.</returns>
    /// <exception cref="ArgumentException">The name is empty or already there, or the type is none that a variant takes.</exception>
    public ModArguments Add(string name, object value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value, name);
        if (values.ContainsKey(name))
            throw new ArgumentException($"Argument '{name}' is given twice.", name);
        bool added =
            AddTable<bool>(name, value)
            || AddTable<byte>(name, value)
            || AddTable<int>(name, value)
            || AddTable<uint>(name, value)
            || AddTable<long>(name, value)
            || AddTable<float>(name, value)
            || AddScalar(name, value);
        if (!added)
            throw new ArgumentException(
                $"Argument '{name}' is a {value.GetType()}; allowed are arrays and memory of bool, byte, int, uint, long and float, "
                    + "the scalars bool, int, uint, long and float, BiasStrides and Dropout.",
                name
            );
        return this;
    }

    /// <summary>Whether an argument of this name was given.</summary>
    public bool Contains(string name) => values.ContainsKey(name);

    /// <summary>A table by name.</summary>
    /// <typeparam name="T">The element type, exactly as it was added.</typeparam>
    /// <exception cref="ArgumentException">It is missing, or of another type.</exception>
    public Table<T> Table<T>(string name)
        where T : unmanaged =>
        values.TryGetValue(name, out object? value) && value is Table<T> table
            ? table
            : throw Mismatch(name, $"a table of {NameOf(typeof(T))}", value);

    /// <summary>The elements of a table by name.</summary>
    /// <typeparam name="T">The element type, exactly as it was added.</typeparam>
    /// <exception cref="ArgumentException">It is missing, or of another type.</exception>
    public ReadOnlyMemory<T> Values<T>(string name)
        where T : unmanaged =>
        memories.TryGetValue(name, out object? value) && value is ReadOnlyMemory<T> memory
            ? memory
            : throw Mismatch(name, $"a table of {NameOf(typeof(T))}", values.GetValueOrDefault(name));

    /// <summary>A scalar by name.</summary>
    /// <typeparam name="T">The type, exactly as it was added: nothing is converted.</typeparam>
    /// <exception cref="ArgumentException">It is missing, or of another type.</exception>
    public T Scalar<T>(string name)
        where T : unmanaged =>
        values.TryGetValue(name, out object? value) && value is T scalar
            ? scalar
            : throw Mismatch(name, NameOf(typeof(T)), value);

    /// <summary>Checks that the names are those that a variant takes, none missing and none unknown.</summary>
    /// <exception cref="ArgumentException">One is missing or unknown.</exception>
    public void CheckNames(AttentionVariant variant) => CallCheck.Names(variant, values.Keys);

    /// <summary>The arguments by name, in ordinal order; a table appears as <see cref="ReadOnlyMemory{T}"/>.</summary>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator()
    {
        foreach (string name in Names)
            yield return new(name, memories.GetValueOrDefault(name) ?? values[name]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private bool AddTable<T>(string name, object value)
        where T : unmanaged
    {
        // The exact type: the runtime lets an int[] pass for a uint[].
        ReadOnlyMemory<T> memory;
        if (value.GetType() == typeof(T[]))
            memory = (T[])value;
        else if (value is Memory<T> writable)
            memory = writable;
        else if (value is ReadOnlyMemory<T> readable)
            memory = readable;
        else
            return false;
        values.Add(name, new Table<T>(name, memory));
        memories.Add(name, memory);
        return true;
    }

    private bool AddScalar(string name, object value)
    {
        if (value is not (bool or int or uint or long or float or BiasStrides or Dropout))
            return false;
        values.Add(name, value);
        return true;
    }

    private static ArgumentException Mismatch(string name, string wanted, object? value)
    {
        string was = value switch
        {
            null => "missing",
            IFormattable f => $"{NameOf(value.GetType())} {f.ToString(null, CultureInfo.InvariantCulture)}",
            _ => NameOf(value.GetType()),
        };
        return new ArgumentException($"Argument '{name}' is {was}; it must be {wanted}.", name);
    }

    private static string NameOf(Type type) =>
        type == typeof(bool) ? "bool"
        : type == typeof(byte) ? "byte"
        : type == typeof(int) ? "int"
        : type == typeof(uint) ? "uint"
        : type == typeof(long) ? "long"
        : type == typeof(float) ? "float"
        : type.IsGenericType ? $"a table of {NameOf(type.GetGenericArguments()[0])}"
        : type.Name;
}
