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
        if (rows < panelRows)
            new Span<float>(panel, columns * panelRows).Clear();
        float* widened = stackalloc float[IsInPlace<T>(rows) ? 0 : 8 * columns];
        for (int next = 0; next < rows; next += 8)
        {
            (int row, int some) = Eight(next, rows);
            if (IsInPlace<T>(rows))
            {
                Transpose((float*)source + row * stride, stride, some, columns, factor, panel + row, panelRows);
                continue;
            }
            SimdElements.Widen(source + row * stride, stride, some, columns, widened);
            new Span<float>(widened + some * columns, (8 - some) * columns).Clear();
            Transpose(widened, columns, Math.Min(8, panelRows), columns, factor, panel + row, panelRows);
        }
    }

    // Whether rows are transposed where they lie: floats, eight at a time.
    private static bool IsInPlace<T>(int rows) => typeof(T) == typeof(float) && rows >= 8;

    // The next eight rows; the last few come with some before them, a second time: quicker than one by one.
    private static (int Row, int Count) Eight(int next, int rows) =>
        rows < 8 ? (0, rows) : (Math.Min(next, rows - 8), 8);

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
        float* narrow = stackalloc float[IsInPlace<T>(rows) ? 0 : 8 * columns];
        float* factors = stackalloc float[8];
        new Span<float>(factors, 8).Clear();
        for (int next = 0; next < rows; next += 8)
        {
            (int row, int some) = Eight(next, rows);
            float* rowsOut = IsInPlace<T>(rows) ? (float*)target + row * stride : narrow;
            long rowStride = IsInPlace<T>(rows) ? stride : columns;
            for (int r = 0; r < some; r++)
                factors[r] = factor / sum[row + r];
            TransposeBack(panel + row, panelRows, Math.Min(8, panelRows), columns, factors, rowsOut, rowStride);
            for (int r = 0; r < some; r++)
            {
                float* output = rowsOut + r * rowStride;
                float total = sum[row + r];
                if (total == 0)
                    new Span<float>(output, columns).Clear();
                if (!IsInPlace<T>(rows))
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
        float* factors = stackalloc float[8];
        new Span<float>(factors, 8).Fill(factor);
        int d = 0;
        if (Avx.IsSupported && rows == 8)
            for (; d + 8 <= columns; d += 8)
                Transpose8(source + d, stride, factors, target + (long)d * targetStride, targetStride);
        for (; d < columns; d++)
        for (int r = 0; r < rows; r++)
            target[(long)d * targetStride + r] = source[r * stride + d] * factor;
    }

    [MethodImpl(Hot)]
    private static void TransposeBack(
        float* source,
        int sourceStride,
        int rows,
        int columns,
        float* factors,
        float* target,
        long stride
    )
    {
        int d = 0;
        if (Avx.IsSupported && rows == 8)
            for (; d + 8 <= columns; d += 8)
                Transpose8(source + (long)d * sourceStride, sourceStride, factors, target + d, stride);
        for (; d < columns; d++)
        for (int r = 0; r < rows; r++)
            target[r * stride + d] = source[(long)d * sourceStride + r] * factors[r];
    }

    // An 8 x 8 block; row r of the target times factor r. Of two rows a half each is loaded into a vector, so that what is left to do
    // stays within the halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8(float* a, long stride, float* factors, float* b, long targetStride)
    {
        Transpose8x4(a, stride, factors, b, targetStride);
        Transpose8x4(a + 4, stride, factors + 4, b + 4 * targetStride, targetStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose8x4(float* a, long stride, float* factors, float* b, long targetStride)
    {
        Vector256<float> r0 = Halves(a, a + 4 * stride);
        Vector256<float> r1 = Halves(a + stride, a + 5 * stride);
        Vector256<float> r2 = Halves(a + 2 * stride, a + 6 * stride);
        Vector256<float> r3 = Halves(a + 3 * stride, a + 7 * stride);
        Vector256<double> low01 = Avx.UnpackLow(r0, r1).AsDouble();
        Vector256<double> high01 = Avx.UnpackHigh(r0, r1).AsDouble();
        Vector256<double> low23 = Avx.UnpackLow(r2, r3).AsDouble();
        Vector256<double> high23 = Avx.UnpackHigh(r2, r3).AsDouble();
        (Avx.UnpackLow(low01, low23).AsSingle() * Vector256.Create(factors[0])).Store(b);
        (Avx.UnpackHigh(low01, low23).AsSingle() * Vector256.Create(factors[1])).Store(b + targetStride);
        (Avx.UnpackLow(high01, high23).AsSingle() * Vector256.Create(factors[2])).Store(b + 2 * targetStride);
        (Avx.UnpackHigh(high01, high23).AsSingle() * Vector256.Create(factors[3])).Store(b + 3 * targetStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Halves(float* lower, float* upper) =>
        Avx.InsertVector128(Vector128.Load(lower).ToVector256Unsafe(), Vector128.Load(upper), 1);
}
