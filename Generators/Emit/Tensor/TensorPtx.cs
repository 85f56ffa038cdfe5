using System;
using System.Collections.Generic;
using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// The tile operations that Ampere's and Hopper's kernels share, each one commented block of PTX over registers declared by name:
/// scores s, probabilities p, outputs o, and for each row of a thread its maximum m, sum l and what a tile needs of it.
///
/// A thread holds rows r and r + 8 of every 16: register i of an accumulator is row lane / 4 + 8 * (i / 2 % 2), column 8 * (i / 4) +
/// 2 * (lane % 4) + i % 2 (PTX ISA, "Matrix fragments for mma.m16n8k16"; wgmma has the same). Two rows a tile of 16, so row pair k
/// has the state of rows 2 k and 2 k + 1.
/// </summary>
/// <param name="rowTiles">Tiles of 16 rows that a warp has.</param>
/// <param name="keys">Keys of a tile.</param>
/// <param name="values">Value columns.</param>
/// <param name="inPlace">
/// Whether probabilities take the registers of scores, where the product that reads them is over before the next tile's scores.
/// </param>
internal sealed partial class TensorPtx(int rowTiles, int keys, int values, bool inPlace = false)
{
    private const string Inline = "[MethodImpl(MethodImplOptions.AggressiveInlining)]";

    /// <summary>Registers of the scores and of the outputs in one tile of 16 rows.</summary>
    public int ScoreRegisters => keys / 2;

    /// <inheritdoc cref="ScoreRegisters"/>
    public int OutputRegisters => values / 2;

    private IEnumerable<int> RowStates => Enumerable.Range(0, 2 * rowTiles);

    /// <summary>The row state that register i of an accumulator with so many registers a row tile belongs to.</summary>
    private static int StateOf(int register, int registers) => 2 * (register / registers) + register / 2 % 2;

    /// <summary>Declares the registers that every kernel has; a target adds its own.</summary>
    public string Declarations() =>
        $"""
            .reg .b32 s<{Number(rowTiles * ScoreRegisters)}>{(inPlace ? "" : $", p<{Number(rowTiles * ScoreRegisters / 2)}>")};
            .reg .f32 o<{Number(rowTiles * OutputRegisters)}>;
            .reg .f32 m<{Number(2 * rowTiles)}>, l<{Number(2 * rowTiles)}>, x<{Number(2 * rowTiles)}>, y<{Number(
                2 * rowTiles
            )}>, shift<{Number(2 * rowTiles)}>, fade<{Number(2 * rowTiles)}>;
            .reg .f32 toExponent, t;
            .reg .b32 ti, th, given;
            .reg .b16 h0, h1;
            .reg .pred c, d;
            """;

    /// <summary>Statements joined so many to a line.</summary>
    public static string Pack(IEnumerable<string> statements, int each)
    {
        List<string> all = statements.ToList();
        return Lines((all.Count + each - 1) / each, i => string.Join(" ", all.Skip(each * i).Take(each)));
    }

    /// <summary>The statements inside blocks of PTX, thousands of them, joined to lines of at most so many characters.</summary>
    public static string Widen(string text, int width)
    {
        List<string> lines = new();
        bool isPtx = false,
            joins = false;
        foreach (string line in text.Replace("\r\n", "\n").Split('\n'))
        {
            string statements = line.TrimStart();
            isPtx &= !statements.StartsWith("\"\"\"", StringComparison.Ordinal);
            bool isStatement = isPtx && !statements.StartsWith("//", StringComparison.Ordinal);
            if (joins && isStatement && lines[lines.Count - 1].Length + statements.Length < width)
                lines[lines.Count - 1] += " " + statements;
            else
                lines.Add(line);
            joins = isStatement;
            isPtx |= line.EndsWith("(\"\"\"", StringComparison.Ordinal);
        }
        return string.Join("\n", lines);
    }

    /// <summary>A method that is one block of PTX.</summary>
    public static string Method(string summary, string name, string parameters, string ptx, string arguments) =>
        $$""""
            /// <summary>{{summary}}</summary>
            {{Inline}}
            private static void {{name}}({{parameters}}) => CudaAsm.Emit("""
            {{Indent(ptx, 1)}}
                """{{(arguments.Length == 0 ? "" : ", " + arguments)}});
            """";

    /// <summary>A warp's product of 16 rows and 8 columns over 16 dimensions, added to what was before.</summary>
    public static string WarpProduct(string sum, string rows, string columns, string before) =>
        $"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {sum}, {rows}, {columns}, {before};";

    /// <summary>The methods, in the order of a kernel.</summary>
    public IEnumerable<string> Methods()
    {
        yield return Begin();
        yield return ScaleScores();
        yield return Keep();
        yield return Change();
        if (keys % 32 == 0)
            yield return Drop();
        yield return FindMaxima();
        yield return Softmax();
        yield return SoftmaxByKnownMaxima();
        yield return Fade();
        yield return Convert();
        yield return Normalize();
        yield return LogSumExp();
    }

    private string Begin() =>
        Method(
            "Empties the outputs; every row starts with a maximum and a sum, which a sink gives.",
            "Begin",
            "float maximum, float sum, float exponentScale",
            Pack(
                Enumerable.Range(0, rowTiles * OutputRegisters).Select(i => $"mov.f32 o{i}, 0f00000000;"),
                8 * rowTiles
            )
                + "\n"
                + Lines(2 * rowTiles, r => $"mov.f32 m{r}, %0; mov.f32 l{r}, %1;")
                + "\nmov.f32 toExponent, %2;",
            "maximum, sum, exponentScale"
        );

    private string ScaleScores() =>
        Method(
            "Scales scores, where the softmax does not.",
            "ScaleScores",
            "float scale",
            Pack(Enumerable.Range(0, rowTiles * ScoreRegisters).Select(i => $"mul.f32 s{i}, s{i}, %0;"), 6 * rowTiles),
            "scale"
        );

    // The columns of a mask come as bits (TensorColumns), 128 to a word.
    private IEnumerable<int> KeptParts => Enumerable.Range(0, (keys + 127) / 128);

    private string Keep()
    {
        string Name(int tile, int part) => "Keep" + OfTile(tile) + (part == 0 ? "" : "From" + Number(128 * part));
        string Score(int tile, int part, int i)
        {
            int score = tile * ScoreRegisters + 64 * part + i,
                bit = 2 * (i / 4) + i % 2;
            return $"and.b32 ti, %{i / 2 % 2}, {1u << bit}; setp.ne.b32 c, ti, 0; selp.b32 s{score}, s{score}, 0xFF800000, c;";
        }
        string Scores(int tile, int part) =>
            Method(
                "Keeps the scores whose bits are set in their row's word; the others become -infinity.",
                Name(tile, part),
                "uint row0, uint row1",
                Pack(
                    Enumerable.Range(0, Math.Min(64, ScoreRegisters - 64 * part)).Select(i => Score(tile, part, i)),
                    2 * rowTiles
                ),
                "row0, row1"
            );
        string Bounds(int tile) =>
            $$"""
                /// <summary>Keeps the scores from each row's first to its last key, from the thread's own first key on.</summary>
                {{Inline}}
                private static void KeepBounds{{OfTile(tile)}}<TRow>(in TensorThread<TRow> rows, int key)
                    where TRow : struct
                {
                {{Indent(
                    string.Join(
                        "\n",
                        KeptParts.Select(part =>
                        {
                            string from = part == 0 ? "key" : $"key - {Number(128 * part)}";
                            return $"{Name(tile, part)}(TensorColumns.Of(rows.First0 - {from}, rows.Last0 - {from}), TensorColumns.Of(rows.First1 - {from}, rows.Last1 - {from}));";
                        })
                    ),
                    1
                )}}
                }
                """;
        // Some columns at a time in a loop, which the driver's compiler does not unroll where its start is none of its constants: what a
        // mask reads for all columns of a tile would take more registers than there are.
        string Pairs(int tile, int part)
        {
            int columns = Math.Min(128, keys - 128 * part),
                step = new[] { 64, 32, 16 }.First(size => size == 16 || (size < columns && columns % size == 0));
            string first = part == 0 ? "column" : $"{Number(128 * part)} + column";
            return $$"""
                uint kept0{{part}} = 0, kept1{{part}} = 0;
                for (int column = pairs.Call.Zero; column < {{columns}}; column += {{step}})
                {
                {{Indent(
                    Lines(
                        step / 8,
                        i =>
                            $"pairs.Keep({first} + {8 * i}, column / 4 + {2 * i}, ref kept0{Number(part)}, ref kept1{Number(part)});"
                    ),
                    1
                )}}
                }
                {{Name(tile, part)}}(kept0{{part}}, kept1{{part}});
                """;
        }
        string Mask(int tile) =>
            $$"""
                /// <summary>Keeps the scores that a mask in C# does.</summary>
                {{Inline}}
                private static void KeepPairs{{OfTile(tile)}}<TMods, TRow>(ref TensorPairs<TMods, TRow> pairs)
                    where TMods : struct, ITensorMods<TRow>
                    where TRow : struct
                {
                {{Indent(string.Join("\n", KeptParts.Select(part => Pairs(tile, part))), 1)}}
                }
                """;
        return EachTile(tile =>
            string.Join("\n\n", KeptParts.Select(part => Scores(tile, part)).Concat(new[] { Bounds(tile), Mask(tile) }))
        );
    }

    // A method for each tile of 16 rows.
    private string EachTile(Func<int, string> method) =>
        string.Join("\n\n", Enumerable.Range(0, rowTiles).Select(method));

    private string OfTile(int tile) => rowTiles == 1 ? "" : Number(tile);

    private string Convert() =>
        Method(
            "Rounds probabilities to 16 bits: an accumulator's pairs are the operand's.",
            "RoundProbabilities",
            "",
            Pack(
                Enumerable
                    .Range(0, rowTiles * ScoreRegisters / 2)
                    .Select(i => $"cvt.rn.f16x2.f32 {(inPlace ? "s" : "p")}{i}, s{2 * i + 1}, s{2 * i};"),
                4 * rowTiles
            ),
            ""
        );

    private string Normalize()
    {
        List<string> lines = new();
        foreach (int mask in new[] { 1, 2 })
            lines.Add(
                Pack(RowStates.Select(r => $"shfl.sync.bfly.b32 t, l{r}, {mask}, 31, -1; add.f32 l{r}, l{r}, t;"), 2)
            );
        lines.AddRange(
            RowStates.Select(r =>
                $"setp.eq.f32 c, l{r}, 0f00000000; rcp.approx.ftz.f32 t, l{r}; mul.f32 t, t, %0; selp.f32 fade{r}, 0f00000000, t, c;"
            )
        );
        return Method(
            "The sums of whole rows, and what outputs are multiplied by: 0 for a row that kept nothing.",
            "Normalize",
            "float outputScale",
            string.Join("\n", lines),
            "outputScale"
        );
    }

    private string LogSumExp() =>
        string.Join(
            "\n\n",
            RowStates.Select(r =>
                $$""""
                    /// <summary>The natural log-sum-exp of a row: -inf where the sum is 0.</summary>
                    {{Inline}}
                    private static float LogSumExp{{r}}() { CudaAsm.Emit("lg2.approx.f32 t, l{{r}}; fma.rn.f32 t, m{{r}}, toExponent, t; mul.f32 t, t, 0f3F317218; setp.eq.f32 c, l{{r}}, 0f00000000; selp.f32 %0, 0fFF800000, t, c;", out float logSumExp); return logSumExp; }
                    """"
            )
        );

    /// <summary>Stores the two rows of each tile of 16 in float32, as results of a part of the keys; an address of 0 is a row that is none.</summary>
    public string StoreParts()
    {
        string Row(int tile, int row) =>
            $"setp.ne.s64 c, %{row}, 0;\n"
            + Lines(
                OutputRegisters / 4,
                block =>
                {
                    int i = tile * OutputRegisters + 4 * block + 2 * row;
                    int state = 2 * tile + row;
                    return $"mul.f32 o{i}, o{i}, fade{state}; mul.f32 o{i + 1}, o{i + 1}, fade{state}; @c st.global.v2.f32 [%{row}+{32 * block}], {{o{i}, o{i + 1}}};";
                }
            );
        return EachTile(tile =>
            Method(
                "Stores two rows' outputs, whole and in float32, as the results of a part of the keys; not where an address is 0.",
                "StorePart" + OfTile(tile),
                "long row0, long row1",
                Row(tile, 0) + "\n" + Row(tile, 1),
                "row0, row1"
            )
        );
    }

    /// <summary>
    /// Stores rows from registers where columns come by sixteens: neighbouring threads exchange words, so that each has four columns
    /// of one block of eight and a row's four threads fill whole sectors of 32 bytes.
    /// </summary>
    public string StoreWide()
    {
        string Row(int tile, int row)
        {
            int state = 2 * tile + row;
            return "mov.u32 ti, %%tid.x; and.b32 ti, ti, 1; setp.ne.s32 d, ti, 0;\n"
                + Lines(
                    OutputRegisters / 8,
                    pair =>
                    {
                        int i = tile * OutputRegisters + 8 * pair + 2 * row;
                        int next = i + 4;
                        return $"mul.f32 o{i}, o{i}, fade{state}; mul.f32 o{i + 1}, o{i + 1}, fade{state}; cvt.rn.f16x2.f32 ti, o{i + 1}, o{i};"
                            + $" mul.f32 o{next}, o{next}, fade{state}; mul.f32 o{next + 1}, o{next + 1}, fade{state}; cvt.rn.f16x2.f32 th, o{next + 1}, o{next};"
                            + $" selp.b32 given, ti, th, d; shfl.sync.bfly.b32 given, given, 1, 31, -1; selp.b32 ti, given, ti, d; selp.b32 th, th, given, d;"
                            + $" setp.gt.s32 c, %1, {16 * pair}; @c st.global.v2.b32 [%0+{32 * pair}], {{ti, th}};";
                    }
                );
        }
        return string.Join(
            "\n\n",
            RowStates.Select(r =>
                Method(
                    "Stores a row's outputs, whole sixteens of columns, as many as there are from the thread's first one.",
                    "StoreWide" + Number(r),
                    "long address, int columns",
                    Row(r / 2, r % 2),
                    "address, columns"
                )
            )
        );
    }

    /// <summary>Stores rows from registers: two neighbouring columns leave as 32 bits, a last column that is alone as 16.</summary>
    public string Store()
    {
        string Row(int tile, int row) =>
            Lines(
                OutputRegisters / 4,
                block =>
                {
                    int i = tile * OutputRegisters + 4 * block + 2 * row;
                    int state = 2 * tile + row;
                    return $"mul.f32 o{i}, o{i}, fade{state}; mul.f32 o{i + 1}, o{i + 1}, fade{state}; cvt.rn.f16x2.f32 ti, o{i + 1}, o{i}; setp.gt.s32 c, %1, {8 * block + 1}; @c st.global.b32 [%0+{16 * block}], ti;"
                        + $" setp.eq.s32 d, %1, {8 * block + 1}; mov.b32 {{h0, h1}}, ti; @d st.global.b16 [%0+{16 * block}], h0;";
                }
            );
        return string.Join(
            "\n\n",
            RowStates.Select(r =>
                Method(
                    "Stores a row's outputs from the thread's first column on, as many columns as there are from it.",
                    "Store" + Number(r),
                    "long address, int columns",
                    Row(r / 2, r % 2),
                    "address, columns"
                )
            )
        );
    }
}
