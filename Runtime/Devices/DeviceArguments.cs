using System.Collections;
using FlashGen.Support;
using ILGPU;
using ILGPU.Runtime;

namespace FlashGen;

/// <summary>
/// The run-time arguments of a variant by name, on a device: tables as array views (a table of bool as one of byte), scalars as
/// themselves. Disposing frees the buffers that <see cref="Upload(Accelerator, ModArguments)"/> made, and nothing else.
/// </summary>
public sealed class DeviceArguments : IEnumerable<string>, IDisposable
{
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);
    private readonly List<MemoryBuffer> owned = [];

    /// <summary>Copies arguments to a device. It allocates and waits, so keep the result over many calls.</summary>
    public static DeviceArguments Upload(Accelerator accelerator, ModArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        ArgumentNullException.ThrowIfNull(arguments);
        DeviceArguments result = [];
        try
        {
            foreach ((string name, object value) in arguments)
                result.Upload(accelerator, name, value);
        }
        catch
        {
            result.Dispose();
            throw;
        }
        return result;
    }

    /// <summary>Adds a table that is already on the device.</summary>
    /// <typeparam name="T">byte (for bool too), int, uint, long or float.</typeparam>
    /// <exception cref="ArgumentException">The name is empty or already there.</exception>
    public DeviceArguments Add<T>(string name, ArrayView<T> table)
        where T : unmanaged => Put(name, table);

    /// <inheritdoc cref="Add{T}(string, ArrayView{T})"/>
    public DeviceArguments Add<T>(string name, ArrayView1D<T, Stride1D.Dense> table)
        where T : unmanaged => Put(name, (ArrayView<T>)table);

    /// <summary>Adds a scalar: bool, int, uint, long, float, <see cref="BiasStrides"/> or <see cref="Dropout"/>.</summary>
    /// <exception cref="ArgumentException">The name is empty or already there, or the type is another.</exception>
    public DeviceArguments Add(string name, object scalar) =>
        scalar is bool or int or uint or long or float or BiasStrides or Dropout
            ? Put(name, scalar)
            : throw new ArgumentException(
                $"Argument '{name}' is a {scalar?.GetType().ToString() ?? "null"}; allowed are array views, "
                    + "the scalars bool, int, uint, long and float, BiasStrides and Dropout.",
                name
            );

    /// <summary>A table by name.</summary>
    /// <exception cref="ArgumentException">It is missing, or of another type.</exception>
    public ArrayView<T> View<T>(string name)
        where T : unmanaged => Get<ArrayView<T>>(name, $"an array view of {typeof(T).Name}");

    /// <summary>A scalar by name.</summary>
    /// <exception cref="ArgumentException">It is missing, or of another type.</exception>
    public T Scalar<T>(string name)
        where T : unmanaged => Get<T>(name, typeof(T).Name);

    /// <summary>Checks that the names are those that a variant takes, none missing and none unknown.</summary>
    /// <exception cref="ArgumentException">One is missing or unknown.</exception>
    public void CheckNames(AttentionVariant variant) => CallCheck.Names(variant, values.Keys);

    /// <summary>The names given, in ordinal order.</summary>
    public IEnumerator<string> GetEnumerator() => values.Keys.Order(StringComparer.Ordinal).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Frees the buffers that <see cref="Upload(Accelerator, ModArguments)"/> made.</summary>
    public void Dispose()
    {
        foreach (MemoryBuffer buffer in owned)
            buffer.Dispose();
        owned.Clear();
    }

    private void Upload(Accelerator accelerator, string name, object value)
    {
        switch (value)
        {
            case ReadOnlyMemory<bool> table:
                Put(name, Copy(accelerator, Array.ConvertAll(table.ToArray(), b => (byte)(b ? 1 : 0))));
                break;
            case ReadOnlyMemory<byte> table:
                Put(name, Copy(accelerator, table.ToArray()));
                break;
            case ReadOnlyMemory<int> table:
                Put(name, Copy(accelerator, table.ToArray()));
                break;
            case ReadOnlyMemory<uint> table:
                Put(name, Copy(accelerator, table.ToArray()));
                break;
            case ReadOnlyMemory<long> table:
                Put(name, Copy(accelerator, table.ToArray()));
                break;
            case ReadOnlyMemory<float> table:
                Put(name, Copy(accelerator, table.ToArray()));
                break;
            default:
                Add(name, value);
                break;
        }
    }

    private ArrayView<T> Copy<T>(Accelerator accelerator, T[] values)
        where T : unmanaged
    {
        if (values.Length == 0)
            return ArrayView<T>.Empty;
        MemoryBuffer1D<T, Stride1D.Dense> buffer = accelerator.Allocate1D(values);
        owned.Add(buffer);
        return buffer.View;
    }

    private DeviceArguments Put(string name, object value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return values.TryAdd(name, value)
            ? this
            : throw new ArgumentException($"Argument '{name}' is given twice.", name);
    }

    private T Get<T>(string name, string wanted) =>
        values.TryGetValue(name, out object? value) && value is T wantedValue
            ? wantedValue
            : throw new ArgumentException(
                $"Argument '{name}' is {(value is null ? "missing" : $"a {value.GetType()}")}; it must be {wanted}.",
                name
            );
}
