using System.Collections.Generic;
using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The tile operations that are Ampere's own: copies, products and outputs by way of shared memory, each one block of PTX.</summary>
internal sealed partial class Sm80Emitter
{
    private string Setup() =>
        $$""""
            {{TensorPtx.Method(
                "The registers, all of them, in the kernel's first block.",
                "Declare",
                "",
                ptx.Declarations()
                    + $"\n.reg .b32 q<{4 * RowTiles}>, b<4>, at, beside, size<4>;\n.reg .b64 from;\n.reg .f32 zero;\nmov.f32 zero, 0f00000000;",
                ""
            )}}

            /// <summary>The start of dynamic shared memory, at a multiple of 128 bytes, which the places of pieces want.</summary>
            [MethodImpl(Inline)]
            private static int SharedBase()
            {
                SharedMemory.GetDynamic<int>();
                CudaAsm.Emit("mov.u32 %0, __dyn_shared_alloca;", out int start);
                return (start + 127) & ~127;
            }
            """";

    private string Loads() =>
        string.Join(
            "\n\n",
            new[] { tile.HeadDim, tile.ValueDim }
                .Distinct()
                .Select(OwnPieces)
                .Concat(
                    new[] { (QueryRows, tile.HeadDim), (tile.BlockN, tile.HeadDim), (tile.BlockN, tile.ValueDim) }
                        .Distinct()
                        .Select(size => Load(size.Item1, size.Item2))
                )
        );

    // A thread's row and piece of 16 bytes in the first rows of a tile.
    private static (string Row, string Piece) OwnPiece(int dim) =>
        Pieces(dim) == 8 ? ("(Group.IdxX >> 3)", "(Group.IdxX & 7)") : ("(Group.IdxX >> 2)", "(Group.IdxX & 3)");

    private static string OwnPieces(int dim)
    {
        (string row, string piece) = OwnPiece(dim);
        return $$"""
            /// <summary>Where the thread's first piece of a tile with {{dim}} columns stands in shared memory, from the tile's start.</summary>
            [MethodImpl(Inline)]
            private static int Place{{dim}}() => TensorCopies.Place({{row}}, {{piece}}, {{dim}});

            /// <summary>The address that it comes from in the tensor's first tile.</summary>
            [MethodImpl(Inline)]
            private static long Own{{dim}}(long source, long stride) => source + 2 * ({{row}} * stride + 8 * {{piece}});
            """;
    }

    private string Load(int rows, int dim)
    {
        (string row, string piece) = OwnPiece(dim);
        int pieces = Pieces(dim);
        int step = tile.Threads / pieces;
        int parts = dim / 8 / pieces;
        string sizes = string.Join(
            " ",
            Enumerable.Range(0, parts).Select(j => $"setp.gt.s32 c, %4, {8 * pieces * j}; selp.b32 size{j}, 16, 0, c;")
        );
        string Copies(bool isWhole) =>
            Lines(
                (rows + step - 1) / step,
                i =>
                {
                    bool isCut = (i + 1) * step > rows;
                    string guard = isCut
                        ? $"mov.u32 th, %%tid.x; setp.lt.u32 d, th, {(rows - i * step) * pieces}; "
                        : "";
                    IEnumerable<string> copies = Enumerable
                        .Range(0, parts)
                        .Select(j =>
                            $"{(isWhole ? "" : $"selp.b32 ti, size{j}, 0, c; ")}{(isCut ? "@d " : "")}cp.async.cg.shared.global [%0+{i * step * 2 * dim + 16 * pieces * j}], [from+{16 * pieces * j}], 16{(isWhole ? "" : ", ti")};"
                        );
                    return $"{guard}{(isWhole ? "" : $"setp.gt.s32 c, %3, {i * step}; ")}{string.Join(" ", copies)} add.s64 from, from, %2;";
                }
            );
        return $$""""
            /// <summary>
            /// Starts to copy {{rows}} rows: those beyond the last and columns beyond the dimension become 0, and nothing there is read. Tiles before
            /// row whole are all there.
            /// </summary>
            [MethodImpl(Inline)]
            private static void Load{{rows}}x{{dim}}(int width, int whole, int target, int place, long source, long own, long stride, int firstRow, int allRows, int columns)
            {
                long first = 2 * firstRow * stride;
                if (firstRow + {{rows}} <= whole)
                    CopyWhole{{rows}}x{{dim}}(target + place, own + first, {{2 * step}} * stride);
                else if (width == 16)
                    Copy{{rows}}x{{dim}}(target + place, own + first, {{2
                * step}} * stride, allRows - firstRow - {{row}}, columns - 8 * {{piece}});
                else
                    TensorCopies.Narrow(width, target, source + first, stride, allRows - firstRow, columns, {{rows}}, {{dim}});
            }

            {{TensorPtx.Method(
                $"The thread's pieces of 16 bytes, one row in {step}, of rows that are all there.",
                $"CopyWhole{rows}x{dim}",
                "int target, long source, long step",
                "mov.b64 from, %1;\n" + Copies(isWhole: true),
                "target, source, step"
            )}}

            {{TensorPtx.Method(
                $"The thread's pieces of 16 bytes, one row in {step}.",
                $"Copy{rows}x{dim}",
                "int target, long source, long step, int rows, int columns",
                "mov.b64 from, %1; " + sizes + "\n" + Copies(isWhole: false),
                "target, source, step, rows, columns"
            )}}
            """";
    }

    private static string Registers(string name, int first, int count) =>
        "{" + string.Join(",", Enumerable.Range(first, count).Select(i => name + i)) + "}";

    // A step's pieces are two places on: exclusive or within a swizzled part of a row, an offset from part to part.
    private static (int Within, int Beyond) Place(int step, int dim)
    {
        int steps = Pieces(dim) / 2;
        return (32 * (step % steps), 32 * steps * (step / steps));
    }

    private string Products()
    {
        string scores = Lines(
            tile.HeadDim / 16,
            step =>
            {
                (int within, int beyond) = Place(step, tile.HeadDim);
                IEnumerable<string> queries = Enumerable
                    .Range(0, RowTiles)
                    .Select(i =>
                        $"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Registers("q", 4 * i, 4)}, [at+{beyond + 32 * tile.HeadDim * i}];"
                    );
                return $"xor.b32 at, %0, {within}; xor.b32 beside, %1, {within}; "
                    + string.Join(" ", queries)
                    + "\n"
                    + Lines(
                        tile.BlockN / 16,
                        block =>
                        {
                            IEnumerable<string> products =
                                from half in Enumerable.Range(0, 2)
                                from i in Enumerable.Range(0, RowTiles)
                                let sum = Registers("s", i * ptx.ScoreRegisters + 8 * block + 4 * half, 4)
                                select TensorPtx.WarpProduct(
                                    sum,
                                    Registers("q", 4 * i, 4),
                                    Registers("b", 2 * half, 2),
                                    step == 0 ? "{zero,zero,zero,zero}" : sum
                                );
                            return $"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Registers("b", 0, 4)}, [beside+{beyond + 32 * tile.HeadDim * block}]; "
                                + string.Join(" ", products);
                        }
                    );
            }
        );
        string outputs = Lines(
            tile.ValueDim / 16,
            column =>
            {
                (int within, int beyond) = Place(column, tile.ValueDim);
                return $"xor.b32 at, %0, {within};\n"
                    + Lines(
                        tile.BlockN / 16,
                        block =>
                        {
                            IEnumerable<string> products =
                                from half in Enumerable.Range(0, 2)
                                from i in Enumerable.Range(0, RowTiles)
                                let sum = Registers("o", i * ptx.OutputRegisters + 8 * column + 4 * half, 4)
                                select TensorPtx.WarpProduct(
                                    sum,
                                    Registers("s", i * ptx.ScoreRegisters / 2 + 4 * block, 4),
                                    Registers("b", 2 * half, 2),
                                    sum
                                );
                            return $"ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {Registers("b", 0, 4)}, [at+{beyond + 32 * tile.ValueDim * block}]; "
                                + string.Join(" ", products);
                        }
                    );
            }
        );
        return string.Join(
            "\n\n",
            TensorPtx.Method(
                $"Scores of {16 * RowTiles} rows: S = Q K^T, in steps of 16 dimensions.",
                "MultiplyKeys",
                "int query, int key",
                scores,
                "query, key"
            ),
            TensorPtx.Method(
                $"Outputs of {16 * RowTiles} rows: O += P V, 16 columns by 16 keys at a time.",
                "MultiplyValues",
                "int value",
                outputs,
                "value"
            )
        );
    }

    private string KeepOutputs() =>
        TensorPtx.Method(
            "Writes a thread's outputs, normalized and rounded, to its rows in shared memory.",
            "KeepOutputs",
            "int target",
            Lines(
                RowTiles * tile.ValueDim / 8,
                at =>
                {
                    int rowTile = at / (tile.ValueDim / 8);
                    int piece = at % (tile.ValueDim / 8);
                    int pieces = Pieces(tile.ValueDim);
                    string Row(int row)
                    {
                        int i = rowTile * ptx.OutputRegisters + 4 * piece + 2 * row;
                        int state = 2 * rowTile + row;
                        return $" mul.f32 o{i}, o{i}, fade{state}; mul.f32 o{i + 1}, o{i + 1}, fade{state}; cvt.rn.f16x2.f32 ti, o{i + 1}, o{i};"
                            + $" st.shared.b32 [at+{16 * pieces * (piece / pieces) + (16 * rowTile + 8 * row) * 2 * tile.ValueDim}], ti;";
                    }
                    return $"xor.b32 at, %0, {16 * (piece % pieces)};" + Row(0) + Row(1);
                }
            ),
            "target"
        );
}
