using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// What mods need of vectors and .NET does not offer: table reads, integer division, longs beside ints, functions without a vector
/// form. One text for every width; it is emitted into the assembly, beside the kernels that inline it.
/// </summary>
internal static class LanesEmitter
{
    public static string Emit(int bits)
    {
        int lanes = bits / 32;
        return $$"""
            {{Header}}
            namespace FlashGen.Generated;

            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::System.Runtime.Intrinsics;
            using global::System.Runtime.Intrinsics.X86;
            using global::FlashGen.Support;
            using V = global::System.Runtime.Intrinsics.Vector{{bits}};
            using Floats = global::System.Runtime.Intrinsics.Vector{{bits}}<float>;
            using Ints = global::System.Runtime.Intrinsics.Vector{{bits}}<int>;
            using UInts = global::System.Runtime.Intrinsics.Vector{{bits}}<uint>;
            using Half = global::System.Runtime.Intrinsics.Vector{{bits}}<long>;
            using Longs = global::FlashGen.Generated.Longs{{bits}};

            /// <summary>Operations on {{lanes}} elements at a time (semantics 15 and 18).</summary>
            internal static unsafe class Lanes{{bits}}
            {
                private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;
                private const int Count = {{lanes}};

                /// <summary>0, 1, 2, ...: the number of each lane.</summary>
                public static Ints Numbers
                {
                    [MethodImpl(Inline)]
                    get => Ints.Indices;
                }

                [MethodImpl(Inline)]
                public static bool Any(Ints mask) => V.ExtractMostSignificantBits(mask) != 0;

                [MethodImpl(Inline)]
                public static bool All(Ints mask) => V.EqualsAll(mask, Ints.AllBitsSet);

                [MethodImpl(Inline)]
                public static int Min(Ints x)
                {
            {{Indent(Fold(bits, "Min"), 2)}}
                }

                [MethodImpl(Inline)]
                public static int Max(Ints x)
                {
            {{Indent(Fold(bits, "Max"), 2)}}
                }

                public static uint Min(UInts x)
                {
                    uint result = x[0];
                    for (int i = 1; i < Count; i++)
                        result = Math.Min(result, x[i]);
                    return result;
                }

                public static uint Max(UInts x)
                {
                    uint result = x[0];
                    for (int i = 1; i < Count; i++)
                        result = Math.Max(result, x[i]);
                    return result;
                }

                /// <summary>The least lane; NaN where one is.</summary>
                public static float Min(Floats x)
                {
                    float result = x[0];
                    for (int i = 1; i < Count; i++)
                        result = Math.Min(result, x[i]);
                    return result;
                }

                /// <summary>The greatest lane; NaN where one is.</summary>
                public static float Max(Floats x)
                {
                    float result = x[0];
                    for (int i = 1; i < Count; i++)
                        result = Math.Max(result, x[i]);
                    return result;
                }

            {{Indent(LaneFunctions.Emit(bits), 1)}}

                /// <summary>A function without a vector form, lane by lane.</summary>
                public static Floats Map(Floats x, delegate*<float, float> f)
                {
                    float* lanes = stackalloc float[Count];
                    x.Store(lanes);
                    for (int i = 0; i < Count; i++)
                        lanes[i] = f(lanes[i]);
                    return V.Load(lanes);
                }

                /// <inheritdoc cref="Map(Floats, delegate*{float, float})"/>
                public static Floats Map(Floats x, Floats y, delegate*<float, float, float> f)
                {
                    float* lanes = stackalloc float[2 * Count];
                    x.Store(lanes);
                    y.Store(lanes + Count);
                    for (int i = 0; i < Count; i++)
                        lanes[i] = f(lanes[i], lanes[i + Count]);
                    return V.Load(lanes);
                }

                // Doubles hold every quotient of ints exactly enough to truncate it right.
                [MethodImpl(Inline)]
                public static Ints Divide(Ints a, Ints b)
                {
                    Ints zero = V.Equals(b, Ints.Zero);
                    b = V.ConditionalSelect(zero, Ints.One, b);
                    (Vector{{bits}}<long> aLow, Vector{{bits}}<long> aHigh) = V.Widen(a);
                    (Vector{{bits}}<long> bLow, Vector{{bits}}<long> bHigh) = V.Widen(b);
                    Vector{{bits}}<long> low = V.ConvertToInt64(V.ConvertToDouble(aLow) / V.ConvertToDouble(bLow));
                    Vector{{bits}}<long> high = V.ConvertToInt64(V.ConvertToDouble(aHigh) / V.ConvertToDouble(bHigh));
                    return V.AndNot(V.Narrow(low, high), zero);
                }

                [MethodImpl(Inline)]
                public static Ints Remainder(Ints a, Ints b) => V.AndNot(a - Divide(a, b) * b, V.Equals(b, Ints.Zero));

                [MethodImpl(Inline)]
                public static UInts Divide(UInts a, UInts b)
                {
                    UInts zero = V.Equals(b, UInts.Zero);
                    return V.AndNot(a / V.ConditionalSelect(zero, UInts.One, b), zero);
                }

                [MethodImpl(Inline)]
                public static UInts Remainder(UInts a, UInts b) => V.AndNot(a - Divide(a, b) * b, V.Equals(b, UInts.Zero));

                public static Longs Divide(Longs a, Longs b)
                {
                    long* lanes = stackalloc long[2 * Count];
                    a.Store(lanes);
                    b.Store(lanes + Count);
                    for (int i = 0; i < Count; i++)
                        lanes[i] = Scalars.Divide(lanes[i], lanes[i + Count]);
                    return Longs.Load(lanes);
                }

                public static Longs Remainder(Longs a, Longs b) => a - Divide(a, b) * b & ~Longs.EqualsWide(b, Longs.Create(0L));

                [MethodImpl(Inline)]
                public static Ints ShiftLeft(Ints x, int count) => x << (count & 31);

                [MethodImpl(Inline)]
                public static Ints ShiftRight(Ints x, int count) => x >> (count & 31);

                [MethodImpl(Inline)]
                public static Ints ShiftRightLogical(Ints x, int count) => x >>> (count & 31);

                [MethodImpl(Inline)]
                public static UInts ShiftLeft(UInts x, int count) => x << (count & 31);

                [MethodImpl(Inline)]
                public static UInts ShiftRight(UInts x, int count) => x >> (count & 31);

                [MethodImpl(Inline)]
                public static UInts ShiftRightLogical(UInts x, int count) => x >>> (count & 31);

                [MethodImpl(Inline)]
                public static Longs ShiftLeft(Longs x, int count) => new(x.Low << (count & 63), x.High << (count & 63));

                [MethodImpl(Inline)]
                public static Longs ShiftRight(Longs x, int count) => new(x.Low >> (count & 63), x.High >> (count & 63));

                [MethodImpl(Inline)]
                public static Longs ShiftRightLogical(Longs x, int count) => new(x.Low >>> (count & 63), x.High >>> (count & 63));

                public static Ints ShiftLeft(Ints x, Ints counts)
                {
                    int* lanes = stackalloc int[2 * Count];
                    x.Store(lanes);
                    counts.Store(lanes + Count);
                    for (int i = 0; i < Count; i++)
                        lanes[i] <<= lanes[i + Count];
                    return V.Load(lanes);
                }

                public static Ints ShiftRight(Ints x, Ints counts)
                {
                    int* lanes = stackalloc int[2 * Count];
                    x.Store(lanes);
                    counts.Store(lanes + Count);
                    for (int i = 0; i < Count; i++)
                        lanes[i] >>= lanes[i + Count];
                    return V.Load(lanes);
                }

                public static Ints ShiftRightLogical(Ints x, Ints counts)
                {
                    int* lanes = stackalloc int[2 * Count];
                    x.Store(lanes);
                    counts.Store(lanes + Count);
                    for (int i = 0; i < Count; i++)
                        lanes[i] >>>= lanes[i + Count];
                    return V.Load(lanes);
                }

                public static UInts ShiftLeft(UInts x, Ints counts) => ShiftLeft(x.AsInt32(), counts).AsUInt32();

                public static UInts ShiftRight(UInts x, Ints counts) => ShiftRightLogical(x.AsInt32(), counts).AsUInt32();

                public static UInts ShiftRightLogical(UInts x, Ints counts) => ShiftRight(x, counts);

                public static Longs ShiftLeft(Longs x, Ints counts)
                {
                    long* lanes = stackalloc long[Count];
                    x.Store(lanes);
                    for (int i = 0; i < Count; i++)
                        lanes[i] <<= counts[i];
                    return Longs.Load(lanes);
                }

                public static Longs ShiftRight(Longs x, Ints counts)
                {
                    long* lanes = stackalloc long[Count];
                    x.Store(lanes);
                    for (int i = 0; i < Count; i++)
                        lanes[i] >>= counts[i];
                    return Longs.Load(lanes);
                }

                public static Longs ShiftRightLogical(Longs x, Ints counts)
                {
                    long* lanes = stackalloc long[Count];
                    x.Store(lanes);
                    for (int i = 0; i < Count; i++)
                        lanes[i] >>>= counts[i];
                    return Longs.Load(lanes);
                }

                /// <summary>Where an index lies outside a table.</summary>
                [MethodImpl(Inline)]
                public static Ints Outside(int length, Ints index) => V.GreaterThanOrEqual(index.AsUInt32(), V.Create((uint)length)).AsInt32();

                /// <inheritdoc cref="Outside(int, Ints)"/>
                [MethodImpl(Inline)]
                public static Ints Outside(int length, Longs index) =>
                    Longs.LessThan(index, Longs.Create(0L)) | Longs.GreaterThanOrEqual(index, Longs.Create((long)length));

                [MethodImpl(Inline)]
                private static Ints Clamp(int length, Ints index) => V.Max(V.Min(index, V.Create(length - 1)), Ints.Zero);

                // A table's length is an int, so a clamped index is one too.
                [MethodImpl(Inline)]
                private static Ints Clamp(int length, Longs index) =>
                    Longs.Max(Longs.Min(index, Longs.Create(length - 1L)), Longs.Create(0L)).ToInts();

                [MethodImpl(Inline)]
                public static Floats Read(float* table, int length, Ints index) => Read((int*)table, length, index).AsSingle();

                [MethodImpl(Inline)]
                public static Floats Read(float* table, int length, Longs index) => Read((int*)table, length, index).AsSingle();

                [MethodImpl(Inline)]
                public static UInts Read(uint* table, int length, Ints index) => Read((int*)table, length, index).AsUInt32();

                [MethodImpl(Inline)]
                public static UInts Read(uint* table, int length, Longs index) => Read((int*)table, length, index).AsUInt32();

                [MethodImpl(Inline)]
                public static Ints Read(int* table, int length, Longs index) => length == 0 ? Ints.Zero : Take(table, Clamp(length, index));

                [MethodImpl(Inline)]
                public static Ints Read(int* table, int length, Ints index) => length == 0 ? Ints.Zero : Take(table, Clamp(length, index));

                // Lanes that follow one another, as keys and queries do, are loaded at once: a gather takes many times as long.
                [MethodImpl(Inline)]
                private static Ints Take(int* table, Ints index) =>
                    V.EqualsAll(index, V.Create(index[0]) + Numbers) ? V.Load(table + index[0]) : Gather(table, index);

            {{Indent(Gather(bits), 1)}}

                public static Ints Read(byte* table, int length, Ints index)
                {
                    if (length == 0)
                        return Ints.Zero;
                    int* lanes = stackalloc int[Count];
                    Clamp(length, index).Store(lanes);
                    for (int i = 0; i < Count; i++)
                        lanes[i] = table[lanes[i]];
                    return V.Load(lanes);
                }

                public static Ints Read(byte* table, int length, Longs index) => length == 0 ? Ints.Zero : Read(table, length, Clamp(length, index));

                public static Ints Read(bool* table, int length, Ints index) => ~V.Equals(Read((byte*)table, length, index), Ints.Zero);

                public static Ints Read(bool* table, int length, Longs index) => ~V.Equals(Read((byte*)table, length, index), Ints.Zero);

                public static Longs Read(long* table, int length, Ints index)
                {
                    if (length == 0)
                        return Longs.Create(0L);
                    long* lanes = stackalloc long[Count];
                    index = Clamp(length, index);
                    for (int i = 0; i < Count; i++)
                        lanes[i] = table[index[i]];
                    return Longs.Load(lanes);
                }

                public static Longs Read(long* table, int length, Longs index) => length == 0 ? Longs.Create(0L) : Read(table, length, Clamp(length, index));
            }

            {{LongsEmitter.Emit(bits)}}

            """.Replace("\r\n", "\n");
    }

    // Halves against halves, down to four lanes.
    private static string Fold(int bits, string operation)
    {
        string text = "";
        string vector = "x";
        for (int width = bits / 2; width >= 128; width /= 2)
        {
            text +=
                $"Vector{width}<int> x{width} = Vector{width}.{operation}({vector}.GetLower(), {vector}.GetUpper());\n";
            vector = $"x{width}";
        }
        return text
            + $"return Math.{operation}(Math.{operation}({vector}[0], {vector}[1]), Math.{operation}({vector}[2], {vector}[3]));";
    }

    // There is no gather of 512 bits in .NET: two of 256.
    private static string Gather(int bits) =>
        bits switch
        {
            512 => """
                [MethodImpl(Inline)]
                private static Ints Gather(int* table, Ints index) =>
                    V.Create(
                        Avx2.GatherVector256(table, index.GetLower(), sizeof(int)),
                        Avx2.GatherVector256(table, index.GetUpper(), sizeof(int))
                    );
                """,
            256 => """
                [MethodImpl(Inline)]
                private static Ints Gather(int* table, Ints index) => Avx2.GatherVector256(table, index, sizeof(int));
                """,
            _ => """
                [MethodImpl(Inline)]
                private static Ints Gather(int* table, Ints index) =>
                    V.Create(table[index[0]], table[index[1]], table[index[2]], table[index[3]]);
                """,
        };
}
