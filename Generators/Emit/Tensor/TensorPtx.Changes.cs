using System.Collections.Generic;
using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The tile operations that scores and probabilities go through one by one: a variant's changes in C#, and dropout.</summary>
internal sealed partial class TensorPtx
{
    // Scores leave their registers four at a time for what C# does to them; ILGPU's copies are registers too once its locals are.
    private string Change()
    {
        string Quad(int tile, int quad)
        {
            int i = tile * ScoreRegisters + 4 * quad;
            string Take(char name, int n) => $"CudaAsm.Emit(\"mov.f32 %0, s{i + n};\", out float {name}{quad});";
            string registers = string.Concat(
                Enumerable.Range(0, 4).Select(n => $"{(n == 0 ? "" : " ")}mov.f32 s{i + n}, %{n};")
            );
            return $"{Take('a', 0)} {Take('b', 1)} {Take('c', 2)} {Take('d', 3)} pairs.Change({8 * quad}, ref a{quad}, ref b{quad}, ref c{quad}, ref d{quad}); CudaAsm.Emit(\"{registers}\", a{quad}, b{quad}, c{quad}, d{quad});";
        }
        // Scores move on by four registers; after as many turns as there are fours each is where it was.
        string Turn(int tile)
        {
            int first = tile * ScoreRegisters;
            string moves = string.Concat(
                Enumerable.Range(first, ScoreRegisters - 4).Select(i => $"mov.b32 s{i}, s{i + 4}; ")
            );
            string changed = string.Concat(
                Enumerable.Range(0, 4).Select(n => $"mov.f32 s{first + ScoreRegisters - 4 + n}, %{n}; ")
            );
            return moves + changed.TrimEnd();
        }
        string Take(int tile) =>
            string.Join(
                " ",
                "abcd".Select(
                    (name, n) => $"CudaAsm.Emit(\"mov.f32 %0, s{tile * ScoreRegisters + n};\", out float {name});"
                )
            );
        return EachTile(tile =>
            $$"""
                /// <summary>Changes the scores by C#, eight columns at a time: a long change stands once, and the scores take turns in its registers.</summary>
                {{Inline}}
                private static void ChangeScores{{OfTile(tile)}}<TMods, TRow>(ref TensorPairs<TMods, TRow> pairs)
                    where TMods : struct, ITensorMods<TRow>
                    where TRow : struct
                {
                    if (TMods.HasLongChanges)
                    {
                        for (int column = pairs.Call.Zero; TensorLoop.IsBelow(column, {{Number(keys)}}); column += 8)
                        {
                            {{Take(tile)}}
                            pairs.Change(column, ref a, ref b, ref c, ref d);
                            CudaAsm.Emit("{{Turn(tile)}}", a, b, c, d);
                        }
                        return;
                    }
                {{Indent(Lines(ScoreRegisters / 4, quad => Quad(tile, quad)), 1)}}
                }
                """
        );
    }

    // A draw's word has the two neighbours of a row in eight columns, the first one's draw in its lower half.
    private string Drop()
    {
        string Half(int tile, int columns, int row)
        {
            IEnumerable<string> pairs = Enumerable
                .Range(0, 4)
                .Select(word =>
                {
                    int i = tile * ScoreRegisters + columns / 2 + 4 * word + 2 * row;
                    return $"shl.b32 ti, word{word}, 16; setp.hs.u32 c, ti, %0; selp.b32 s{i}, s{i}, 0, c; setp.hs.u32 c, word{word}, %0; selp.b32 s{i + 1}, s{i + 1}, 0, c;";
                });
            return $"drop.Draw({columns}, {row}); CudaAsm.Emit(\"{string.Join(" ", pairs)}\", drop.Threshold);";
        }
        return EachTile(tile =>
            $$"""
                /// <summary>Drops probabilities, a draw for what a thread has of one row in 32 columns.</summary>
                {{Inline}}
                private static void Drop{{OfTile(tile)}}(in DropPairs drop)
                {
                {{Indent(Lines(keys / 16, half => Half(tile, half / 2 * 32, half % 2)), 1)}}
                }
                """
        );
    }
}
