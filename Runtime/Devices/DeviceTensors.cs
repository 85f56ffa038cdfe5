using FlashGen.Support;
using ILGPU;

namespace FlashGen;

/// <summary>The tensors of a call on a device, whatever their element type.</summary>
public sealed class DeviceTensors
{
    /// <summary>The element type of query, key, value and output.</summary>
    public required ElementType ElementType { get; init; }

    /// <summary>The queries, as bytes.</summary>
    public required ArrayView<byte> Query { get; init; }

    /// <summary>The keys, as bytes.</summary>
    public required ArrayView<byte> Key { get; init; }

    /// <summary>The values, as bytes.</summary>
    public required ArrayView<byte> Value { get; init; }

    /// <summary>Receives the output, as bytes.</summary>
    public required ArrayView<byte> Output { get; init; }

    /// <summary>
    /// Receives log-sum-exp, natural, (batch, queryHeads, queryLength), as bytes of float, or of double for Float64; empty when it is
    /// not wanted.
    /// </summary>
    public ArrayView<byte> LogSumExp { get; init; }

    /// <summary>Scratch of <see cref="AttentionKernels.WorkspaceSize"/> bytes, aligned to 16.</summary>
    public ArrayView<byte> Workspace { get; init; }

    /// <summary>
    /// One word that a kernel sets to other than 0 when a mod reads outside a table or divides by zero; empty when it is not wanted.
    /// The caller clears it first.
    /// </summary>
    public ArrayView<int> Fault { get; init; }

    /// <summary>
    /// Three words to which a kernel adds the tiles of scores that it computed without looking at the mask, with it, and that it passed
    /// over; empty when they are not wanted.
    /// </summary>
    public ArrayView<long> TileCounts { get; init; }

    /// <summary>The tensors of a call.</summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <param name="query">The queries.</param>
    /// <param name="key">The keys.</param>
    /// <param name="value">The values.</param>
    /// <param name="output">Receives the output.</param>
    /// <param name="logSumExp">Receives log-sum-exp, <see cref="Bytes"/> of float or double; empty when it is not wanted.</param>
    /// <param name="workspace">Scratch, when the call needs any.</param>
    /// <param name="fault">One word for faults, when it is wanted.</param>
    /// <exception cref="System.NotSupportedException">T is no element type.</exception>
    public static DeviceTensors Of<T>(
        ArrayView<T> query,
        ArrayView<T> key,
        ArrayView<T> value,
        ArrayView<T> output,
        ArrayView<byte> logSumExp = default,
        ArrayView<byte> workspace = default,
        ArrayView<int> fault = default
    )
        where T : unmanaged =>
        new()
        {
            ElementType = Elements.TypeOf<T>(),
            Query = Bytes(query),
            Key = Bytes(key),
            Value = Bytes(value),
            Output = Bytes(output),
            LogSumExp = logSumExp,
            Workspace = workspace,
            Fault = fault,
        };

    /// <summary>A view as bytes.</summary>
    public static ArrayView<byte> Bytes<T>(ArrayView<T> view)
        where T : unmanaged => view.IsValid ? view.Cast<byte>() : default;
}
