using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FlashGen.Support;

/// <summary>
/// Panels hold query rows in their columns (row r of dimension d at d * panelRows + r), so that a vector register is as many rows.
/// Queries are packed into that form, outputs unpacked from it.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class SimdPanels
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>Packs rows of queries, times a factor; the panel's further rows become zero.</summary>
    [MethodImpl(Hot)]
    public static void Pack<T>(T* source, long stride, int rows, int columns, float factor, float* panel, int panelRows)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            Transpose((float*)source, stride, rows, columns, factor, panel, panelRows);
        }
        else
        {
            float* widened = stackalloc float[8 * columns];
            for (int row = 0; row < rows; row += 8)
            {
                int some = Math.Min(8, rows - row);
                SimdElements.Widen(source + row * stride, stride, some, columns, widened);
                Transpose(widened, columns, some, columns, factor, panel + row, panelRows);
            }
        }
        for (int d = 0; d < columns; d++)
            new Span<float>(panel + (long)d * panelRows + rows, panelRows - rows).Clear();
    }

    /// <inheritdoc cref="Pack{T}(T*, long, int, int, float, float*, int)"/>
    [MethodImpl(Hot)]
    public static void Pack(
        double* source,
        long stride,
        int rows,
        int columns,
        double factor,
        double* panel,
        int panelRows
    )
    {
        for (int d = 0; d < columns; d++)
        {
            double* target = panel + (long)d * panelRows;
            for (int row = 0; row < rows; row++)
                target[row] = source[row * stride + d] * factor;
            for (int row = rows; row < panelRows; row++)
                target[row] = 0;
        }
    }

    /// <summary>
    /// Divides the outputs by their rows' sums, times a factor, and stores them with their log-sum-exp. A row whose sum is 0 kept
    /// nothing: its output is exactly 0, whatever the panel holds. The rows' greatest scores come in units of log 2.
    /// </summary>
    [MethodImpl(Hot)]
    public static void Unpack<T>(
        float* panel,
        int panelRows,
        int rows,
        int columns,
        float* maximum,
        float* sum,
        float factor,
        T* target,
        long stride,
        float* logSumExp
    )
        where T : unmanaged
    {
        const float Ln2 = 0.693147180559945309f;
        float* narrow = stackalloc float[8 * columns];
        for (int row = 0; row < rows; row += 8)
        {
            int some = Math.Min(8, rows - row);
            float* rowsOut = typeof(T) == typeof(float) ? (float*)target + row * stride : narrow;
            long rowStride = typeof(T) == typeof(float) ? stride : columns;
            TransposeBack(panel + row, panelRows, some, columns, rowsOut, rowStride);
            for (int r = 0; r < some; r++)
            {
                float* output = rowsOut + r * rowStride;
                Span<float> elements = new(output, columns);
                float total = sum[row + r];
                if (total == 0)
                    elements.Clear();
                else
                    Scale(output, columns, factor / total);
                if (typeof(T) != typeof(float))
                    SimdElements.Narrow(output, target + (row + r) * stride, columns);
                if (logSumExp != null)
                    logSumExp[row + r] =
                        total == 0 ? float.NegativeInfinity : (float)(maximum[row + r] * (double)Ln2 + Math.Log(total));
            }
        }
    }

    /// <summary>As for floats, with the rows' greatest scores in natural units.</summary>
    [MethodImpl(Hot)]
    public static void Unpack(
        double* panel,
        int panelRows,
        int rows,
        int columns,
        double* maximum,
        double* sum,
        double factor,
        double* target,
        long stride,
        double* logSumExp
    )
    {
        for (int row = 0; row < rows; row++)
        {
            double total = sum[row];
            for (int d = 0; d < columns; d++)
                target[row * stride + d] = total == 0 ? 0 : panel[(long)d * panelRows + row] * factor / total;
            if (logSumExp != null)
                logSumExp[row] = total == 0 ? double.NegativeInfinity : maximum[row] + Math.Log(total);
        }
    }

    [MethodImpl(Hot)]
    private static void Scale(float* values, int count, float factor)
    {
        int i = 0;
        for (; i + 8 <= count; i += 8)
            (Vector256.Load(values + i) * factor).Store(values + i);
        for (; i < count; i++)
            values[i] *= factor;
    }

    [MethodImpl(Hot)]
    private static void Transpose(
        float* source,
        long stride,
        int rows,
        int columns,
        float factor,
        float* target,
        int targetStride
    )
    {
        int row = 0;
        if (Avx.IsSupported)
            for (; row + 8 <= rows; row += 8)
            {
                float* a = source + row * stride;
                float* b = target + row;
                int d = 0;
                for (; d + 8 <= columns; d += 8)
                    Transpose8(a + d, stride, factor, b + (long)d * targetStride, targetStride);
                for (; d < columns; d++)
                for (int r = 0; r < 8; r++)
                    b[(long)d * targetStride + r] = a[r * stride + d] * factor;
            }
        for (; row < rows; row++)
        for (int d = 0; d < columns; d++)
            target[(long)d * targetStride + row] = source[row * stride + d] * factor;
    }

    [MethodImpl(Hot)]
    private static void TransposeBack(
        float* source,
        int sourceStride,
        int rows,
        int columns,
        float* target,
        long stride
    )
    {
        int d = 0;
        if (Avx.IsSupported && rows == 8)
            for (; d + 8 <= columns; d += 8)
                Transpose8(source + (long)d * sourceStride, sourceStride, 1, target + d, stride);
        for (; d < columns; d++)
        for (int r = 0; r < rows; r++)
            target[r * stride + d] = source[(long)d * sourceStride + r];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8(float* a, long stride, float factor, float* b, long targetStride)
    {
        Vector256<float> scale = Vector256.Create(factor);
        Vector256<float> r0 = Vector256.Load(a) * scale;
        Vector256<float> r1 = Vector256.Load(a + stride) * scale;
        Vector256<float> r2 = Vector256.Load(a + 2 * stride) * scale;
        Vector256<float> r3 = Vector256.Load(a + 3 * stride) * scale;
        Vector256<float> r4 = Vector256.Load(a + 4 * stride) * scale;
        Vector256<float> r5 = Vector256.Load(a + 5 * stride) * scale;
        Vector256<float> r6 = Vector256.Load(a + 6 * stride) * scale;
        Vector256<float> r7 = Vector256.Load(a + 7 * stride) * scale;
        Transpose4(ref r0, ref r1, ref r2, ref r3);
        Transpose4(ref r4, ref r5, ref r6, ref r7);
        Avx.Permute2x128(r0, r4, 0x20).Store(b);
        Avx.Permute2x128(r1, r5, 0x20).Store(b + targetStride);
        Avx.Permute2x128(r2, r6, 0x20).Store(b + 2 * targetStride);
        Avx.Permute2x128(r3, r7, 0x20).Store(b + 3 * targetStride);
        Avx.Permute2x128(r0, r4, 0x31).Store(b + 4 * targetStride);
        Avx.Permute2x128(r1, r5, 0x31).Store(b + 5 * targetStride);
        Avx.Permute2x128(r2, r6, 0x31).Store(b + 6 * targetStride);
        Avx.Permute2x128(r3, r7, 0x31).Store(b + 7 * targetStride);
    }

    // Transposes the two 4 x 4 halves of four rows.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose4(
        ref Vector256<float> r0,
        ref Vector256<float> r1,
        ref Vector256<float> r2,
        ref Vector256<float> r3
    )
    {
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble();
        Vector256<double> high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble();
        Vector256<double> high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        r0 = Avx.UnpackLow(low01, low23).AsSingle();
        r1 = Avx.UnpackHigh(low01, low23).AsSingle();
        r2 = Avx.UnpackLow(high01, high23).AsSingle();
        r3 = Avx.UnpackHigh(high01, high23).AsSingle();
    }
}
