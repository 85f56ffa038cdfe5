using System.ComponentModel;
using System.Runtime.CompilerServices;
using ILGPU;

namespace FlashGen.Support;

/// <summary>
/// Softmax of one row of a tile that one thread owns; keys lie a stride apart. Eight keys are under way at a time: a thread alone would
/// wait for every read of shared memory.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PortableSoftmax
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>
    /// The greatest of the scores and of what was greatest before, never NaN. A NaN among the scores may hide greater ones: its own
    /// exponential makes the row NaN all the same.
    /// </summary>
    /// <param name="scores">The tile.</param>
    /// <param name="place">The row's first score.</param>
    /// <param name="stride">From a key to the next.</param>
    /// <param name="keys">Keys of the tile, a multiple of 8.</param>
    /// <param name="top">What was greatest before.</param>
    [MethodImpl(Inline)]
    public static float Maximum(ArrayView<float> scores, int place, int stride, int keys, float top)
    {
        for (int end = place + keys * stride; place < end; place += 8 * stride)
        {
            float a = Greater(scores[place], scores[place + stride]);
            float b = Greater(scores[place + 2 * stride], scores[place + 3 * stride]);
            float c = Greater(scores[place + 4 * stride], scores[place + 5 * stride]);
            float d = Greater(scores[place + 6 * stride], scores[place + 7 * stride]);
            top = Greater(Greater(Greater(a, b), Greater(c, d)), top);
        }
        return top;
    }

    /// <summary>Turns scores into exp(score - origin).</summary>
    /// <param name="scores">The tile.</param>
    /// <param name="place">The row's first score.</param>
    /// <param name="stride">From a key to the next.</param>
    /// <param name="keys">Keys of the tile, a multiple of 8.</param>
    /// <param name="origin">What is subtracted: no score is greater.</param>
    /// <returns>Their sum.</returns>
    [MethodImpl(Inline)]
    public static float Exponentiate(ArrayView<float> scores, int place, int stride, int keys, float origin)
    {
        float sum = 0;
        for (int end = place + keys * stride; place < end; place += 8 * stride)
        {
            float a = PortableMath.ExpDown(scores[place] - origin);
            float b = PortableMath.ExpDown(scores[place + stride] - origin);
            float c = PortableMath.ExpDown(scores[place + 2 * stride] - origin);
            float d = PortableMath.ExpDown(scores[place + 3 * stride] - origin);
            float e = PortableMath.ExpDown(scores[place + 4 * stride] - origin);
            float f = PortableMath.ExpDown(scores[place + 5 * stride] - origin);
            float g = PortableMath.ExpDown(scores[place + 6 * stride] - origin);
            float h = PortableMath.ExpDown(scores[place + 7 * stride] - origin);
            scores[place] = a;
            scores[place + stride] = b;
            scores[place + 2 * stride] = c;
            scores[place + 3 * stride] = d;
            scores[place + 4 * stride] = e;
            scores[place + 5 * stride] = f;
            scores[place + 6 * stride] = g;
            scores[place + 7 * stride] = h;
            sum += ((a + b) + (c + d)) + ((e + f) + (g + h));
        }
        return sum;
    }

    /// <inheritdoc cref="Maximum(ArrayView{float}, int, int, int, float)"/>
    [MethodImpl(Inline)]
    public static double Maximum(ArrayView<double> scores, int place, int stride, int keys, double top)
    {
        for (int end = place + keys * stride; place < end; place += 4 * stride)
        {
            double a = Greater(scores[place], scores[place + stride]);
            double b = Greater(scores[place + 2 * stride], scores[place + 3 * stride]);
            top = Greater(Greater(a, b), top);
        }
        return top;
    }

    /// <inheritdoc cref="Exponentiate(ArrayView{float}, int, int, int, float)"/>
    [MethodImpl(Inline)]
    public static double Exponentiate(ArrayView<double> scores, int place, int stride, int keys, double origin)
    {
        double sum = 0;
        for (int end = place + keys * stride; place < end; place += 4 * stride)
        {
            double a = PortableMath.ExpDown(scores[place] - origin);
            double b = PortableMath.ExpDown(scores[place + stride] - origin);
            double c = PortableMath.ExpDown(scores[place + 2 * stride] - origin);
            double d = PortableMath.ExpDown(scores[place + 3 * stride] - origin);
            scores[place] = a;
            scores[place + stride] = b;
            scores[place + 2 * stride] = c;
            scores[place + 3 * stride] = d;
            sum += (a + b) + (c + d);
        }
        return sum;
    }

    [MethodImpl(Inline)]
    private static float Greater(float a, float b) => a > b ? a : b;

    [MethodImpl(Inline)]
    private static double Greater(double a, double b) => a > b ? a : b;
}
