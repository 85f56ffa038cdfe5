namespace FlashGen;

/// <summary>What a run-time argument is.</summary>
public enum ArgumentKind
{
    /// <summary>A buffer: a span on the CPU, an array view on a device.</summary>
    Table,

    /// <summary>One number or bool.</summary>
    Scalar,

    /// <summary><see cref="FlashGen.BiasStrides"/>.</summary>
    BiasStrides,

    /// <summary><see cref="FlashGen.Dropout"/>.</summary>
    Dropout,
}

/// <summary>A run-time argument of a variant.</summary>
/// <param name="Name">Its name, in <c>Forward</c>, in <see cref="ModArguments"/> and on the tool's command line.</param>
/// <param name="Kind">What it is.</param>
/// <param name="TypeName">The C# name of its type, or of its element's type: bool, byte, int, uint, long, float, BiasStrides, Dropout.</param>
/// <param name="Meaning">Its meaning and shape in words.</param>
public sealed record ArgumentInfo(string Name, ArgumentKind Kind, string TypeName, string Meaning);
