namespace FlashGen;

/// <summary>The type of the elements of query, key, value and output.</summary>
public enum ElementType
{
    /// <summary>IEEE half precision, <see cref="Half"/>.</summary>
    Float16,

    /// <summary>The upper half of a float32: 8 bits of exponent, 7 of fraction.</summary>
    BFloat16,

    /// <summary>IEEE single precision, <see cref="float"/>.</summary>
    Float32,

    /// <summary>IEEE double precision, <see cref="double"/>.</summary>
    Float64,
}

/// <summary>A set of <see cref="ElementType"/>.</summary>
[Flags]
public enum ElementTypes
{
    /// <summary>No type.</summary>
    None = 0,

    /// <summary><see cref="ElementType.Float16"/>.</summary>
    Float16 = 1,

    /// <summary><see cref="ElementType.BFloat16"/>.</summary>
    BFloat16 = 2,

    /// <summary><see cref="ElementType.Float32"/>.</summary>
    Float32 = 4,

    /// <summary><see cref="ElementType.Float64"/>.</summary>
    Float64 = 8,
}
