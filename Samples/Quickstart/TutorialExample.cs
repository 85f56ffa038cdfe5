using FlashGen;

namespace Quickstart;

/// The example of the field's tutorials: X = 1 to 16 in four rows, identity weights, so query = key = value = X.
static class TutorialExample
{
    private static readonly double[] X = [.. Enumerable.Range(1, 16).Select(n => (double)n)];

    public static void Print()
    {
        double[] tiled = new double[16];
        TileCounter tiles = new();
        Tutorial.Forward(X, X, X, tiled, new AttentionShape(1, 1, 1, 4, 4, 4), options: new() { Tiles = tiles });

        Console.WriteLine(
            $"{"classic: the whole 4 x 4 matrix", -56} tiled: {tiles.Full + tiles.Partial} tiles of two keys, one at a time"
        );
        double[] classic = Classic();
        for (int row = 0; row < 4; row++)
            Console.WriteLine($"{Text(classic, row), -56} {Text(tiled, row)}");
    }

    /// Softmax(X X^T / sqrt(4)) X with the whole matrix of scores, as the textbooks have it.
    private static double[] Classic()
    {
        double[] output = new double[16];
        for (int i = 0; i < 4; i++)
        {
            double[] scores = new double[4];
            for (int j = 0; j < 4; j++)
            for (int d = 0; d < 4; d++)
                scores[j] += X[i * 4 + d] * X[j * 4 + d] / Math.Sqrt(4);
            double most = scores.Max();
            double sum = scores.Sum(score => Math.Exp(score - most));
            for (int j = 0; j < 4; j++)
            for (int d = 0; d < 4; d++)
                output[i * 4 + d] += Math.Exp(scores[j] - most) / sum * X[j * 4 + d];
        }
        return output;
    }

    private static string Text(double[] rows, int row) =>
        string.Join(' ', rows.Skip(row * 4).Take(4).Select(x => x.ToString("0.########")));
}
