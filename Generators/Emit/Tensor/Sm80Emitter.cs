using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// Ampere's kernel for one plan, which every later device runs too: products by mma.sync, operands by ldmatrix, tiles of keys and values
/// by cp.async one tile ahead. As on Hopper a variant joins as a type parameter, and C# has the loops.
/// </summary>
internal sealed partial class Sm80Emitter(TensorTile tile)
{
    private readonly TensorPtx ptx = new(tile.BlockM / 16 / tile.Warps, tile.BlockN, tile.ValueDim, inPlace: true);

    private int RowTiles => tile.BlockM / 16 / tile.Warps;

    private int KeyBytes => tile.BlockN * 2 * tile.HeadDim;

    private int ValueBytes => tile.BlockN * 2 * tile.ValueDim;

    // Queries come as tiles of keys do, where they are some of those.
    private int QueryRows => tile.BlockM % tile.BlockN == 0 ? tile.BlockN : tile.BlockM;

    private int KeysAt => tile.BlockM * 2 * tile.HeadDim;

    private int ValuesAt => KeysAt + tile.Stages * KeyBytes;

    // Outputs leave through shared memory from its start on.
    private int ChunkAt => System.Math.Max(ValuesAt + tile.Stages * ValueBytes, tile.BlockM * 2 * tile.ValueDim);

    private int ItemAt => ChunkAt + 16 * ((tile.Warps + 1) / 2);

    // As the runtime's TensorItem stores it.
    private const int ItemBytes = 32;

    /// <summary>With room to start at a multiple of 128.</summary>
    public int SharedBytes => ItemAt + ItemBytes + 128;

    // Shared rows are whole, in pieces of 16 bytes. Eight rows that ldmatrix reads together meet no bank twice: a piece's place is its
    // number, exclusive or the row's in rows of whole 128 bytes, or half the row's in rows of 64 bytes more.
    private static int Pieces(int dim) => dim % 64 == 0 ? 8 : 4;

    private static string Swizzle(int dim, string row) => dim % 64 == 0 ? $"({row} & 7)" : $"({row} >> 1 & 3)";

    // Shifts: a division by a constant is one at run time in the driver's code.
    private string Tile(string key) =>
        (tile.BlockN & (tile.BlockN - 1)) == 0
            ? $"{key} >> {Enumerable.Range(0, 16).First(bits => 1 << bits == tile.BlockN)}"
            : $"{key} < 0 ? -1 : {key} / {tile.BlockN}";

    private string Of(int rowTile) => RowTiles == 1 ? "" : Number(rowTile);

    public string Emit()
    {
        List<string> members = new() { Forward(), Next(), Probabilities(), Setup(), Loads(), Products() };
        members.AddRange(ptx.Methods());
        members.Add(ptx.StoreParts());
        members.Add(KeepOutputs());
        return $$"""
            {{Header}}
            namespace FlashGen.Generated;

            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::FlashGen.Support;
            using global::ILGPU;
            using global::ILGPU.Runtime.Cuda;

            /// <summary>
            /// Attention on the tensor cores of Ampere and later: head dimension up to {{tile.HeadDim}}, value dimension up to {{tile.ValueDim}}.
            /// A group of {{tile.Threads}} threads has {{tile.BlockM}} query rows, {{16
                * RowTiles}} a warp; tiles of {{tile.BlockN}} keys and their values come one tile ahead.
            /// {{RowTiles * ptx.ScoreRegisters}} + {{RowTiles
                * ptx.OutputRegisters}} registers of scores and outputs; {{(SharedBytes + 1023)
                / 1024}} KB of shared memory.
            /// </summary>
            internal readonly struct {{tile.ClassName}} : ITensorKernel
            {
                private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

                // Shared memory, in bytes from its start: queries, {{tile.Stages}} tiles of keys, {{tile.Stages}} of values, a chunk, the item.
                private const int Keys = {{KeysAt}}, Values = {{ValuesAt}}, Chunk = {{ChunkAt}}, Item = {{ItemAt}};

            {{Indent(TensorPtx.Widen(string.Join("\n\n", members), 160), 1)}}
            }

            """.Replace(
            "\r\n",
            "\n"
        );
    }

    // The first row of a thread's warp in the tile.
    private string WarpRow(string number) => $"{16 * RowTiles} * ({number} >> 5)";

    // Where a thread's rows of keys start; what ldmatrix takes of them has its two halves the other way round.
    private string FirstKey(string lane) =>
        $"shared + Keys + (({lane} & 7) + ({lane} >> 4 << 3)) * {2 * tile.HeadDim} + (({lane} >> 3 & 1 ^ {Swizzle(tile.HeadDim, lane)}) << 4)";

    // Where its rows of values start.
    private string FirstValue(string lane) =>
        $"shared + Values + ({lane} & 15) * {2 * tile.ValueDim} + (({lane} >> 4 ^ {Swizzle(tile.ValueDim, lane)}) << 4)";

    private string Forward() =>
        $$"""
            public static void Forward<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                Declare();
                if (TMods.HasDropout)
                    CudaAsm.Emit(PhiloxKeys.Registers);
                int shared = SharedBase(), lane = Group.IdxX & 31, warpRow = {{WarpRow("Group.IdxX")}}, row = warpRow + (lane >> 2);
                PortableItem item = TensorItem.OfGroup(call, memory, {{tile.BlockM}});
                // Masks and stores take it from shared memory: over the loop it would take registers that scores and outputs fill.
                TensorItem.Store(call, memory, item, shared + Item);
                Group.Barrier();
                PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}}, Group.IdxX, memory.Fault);
                TensorCount.Item<TMods, TRow>(memory, item, range, {{tile.BlockN}});
                TensorTiles tiles = default;
                tiles.Begin({{Tile("range.First")}}, {{Tile("range.Last")}});
                Next<TMods, TRow>(call, memory, item, range, mods, ref tiles, shared);
                TensorThread<TRow> thread = TensorThread<TRow>.Of(call, memory, item, mods, row);
                int warpFirst = thread.WarpFirst, warpLast = thread.WarpLast, faults = 0;
            {{Indent(
                Lines(
                    RowTiles - 1,
                    i =>
                        $"warpFirst = Math.Max(warpFirst, TensorThread<TRow>.Of(call, memory, item, mods, row + {16 * (i + 1)}).WarpFirst);\n"
                        + $"warpLast = Math.Min(warpLast, TensorThread<TRow>.Of(call, memory, item, mods, row + {16 * (i + 1)}).WarpLast);"
                ),
                1
            )}}
                Begin(thread.Maximum, thread.Sum, memory.ExponentScale);
                if (tiles.HasTile)
                {
                    int width = TensorWarp.Uniform(TensorCopies.Width(call, memory));
                    long keys = memory.Key + 2 * (item.Batch * call.KeyStrides.Batch + item.KeyHead * call.KeyStrides.Head);
                    long values = memory.Value + 2 * (item.Batch * call.ValueStrides.Batch + item.KeyHead * call.ValueStrides.Head);
                    long queries = memory.Query + 2 * (item.Batch * call.QueryStrides.Batch + (item.KeyHead * call.GroupSize + TensorItem.FirstHead(call, memory, item)) * call.QueryStrides.Head);
                    // The keys up to which tiles are copied without a look at each row and column.
                    int whole = width == 16 & call.HeadDim == {{tile.HeadDim}} & call.ValueDim == {{tile.ValueDim}} ? item.KeyLength : 0;
                    int keyPlace = Place{{tile.HeadDim}}(), valuePlace = Place{{tile.ValueDim}}();
                    long ownKeys = Own{{tile.HeadDim}}(keys, call.KeyStrides.Row), ownValues = Own{{tile.ValueDim}}(values, call.ValueStrides.Row);
                    // Heads share a tile where each has one query: the tile's rows are heads then.
                    long queryStride = memory.Work.HeadBits > 0 ? call.QueryStrides.Head : call.QueryStrides.Row;
                    int allRows = memory.Work.HeadBits > 0 ? call.GroupSize - TensorItem.FirstHead(call, memory, item) : call.QueryLength;
            {{Indent(
                Lines(
                    tile.BlockM / QueryRows,
                    i =>
                        $"Load{QueryRows}x{tile.HeadDim}(width, 0, shared + {i * QueryRows * 2 * tile.HeadDim}, Place{tile.HeadDim}(), queries, Own{tile.HeadDim}(queries, queryStride), queryStride, item.FirstRow + {i * QueryRows}, allRows, call.HeadDim);"
                ),
                2
            )}}
                    Load{{tile.BlockN}}x{{tile.HeadDim}}(width, whole, shared + Keys, keyPlace, keys, ownKeys, call.KeyStrides.Row, tiles.Tile * {{tile.BlockN}}, item.KeyLength, call.HeadDim);
                    Load{{tile.BlockN}}x{{tile.ValueDim}}(width, whole, shared + Values, valuePlace, values, ownValues, call.ValueStrides.Row, tiles.Tile * {{tile.BlockN}}, item.KeyLength, call.ValueDim);
                    // Where a thread's rows of operands start.
                    int query = shared + (warpRow + (lane & 15)) * {{2 * tile.HeadDim}} + ((lane >> 4 ^ {{Swizzle(
                tile.HeadDim,
                "lane"
            )}}) << 4);
                    int key = {{FirstKey("lane")}};
                    int value = {{FirstValue("lane")}};
                    int stage = 0;
                    bool isFirst = true;
                    while (tiles.HasTile)
                    {
            {{Indent(string.Join("\n", OneTile().Where(text => text.Length > 0)), 3)}}
                        stage ^= 1;
                        isFirst = false;
                    }
                }
                Normalize(memory.OutputScale);
                item = TensorItem.Load(call, memory, shared + Item);
                // Searches for tiles and dropout leave no register for what follows from the thread's number: it is asked for anew here or in the loop.
                if (TMods.HasRest)
                {
                    thread.Number = TensorWarp.Thread();
                    lane = thread.Number & 31;
                    warpRow = {{WarpRow("thread.Number")}};
                    row = warpRow + (lane >> 2);
                }
                thread.Below = TensorItem.Below(memory);
                if (faults != 0)
                    PortableTile.Fault(memory.Fault);
            {{Indent(
                Lines(
                    RowTiles,
                    i =>
                        $"thread.Row = TensorItem.Query(call, memory, item, row + {16 * i}, Group.IdxX);\n"
                        + $"thread.StoreLogSumExp(call, memory, item, {tile.ValueDim}, LogSumExp{2 * i}(), LogSumExp{2 * i + 1}());\n"
                        + $"if (item.Slot >= 0)\n    StorePart{Of(i)}(thread.Part(memory, item, {tile.ValueDim}, 0), thread.Part(memory, item, {tile.ValueDim}, 1));"
                ),
                1
            )}}
                if (item.Slot >= 0)
                {
                    TensorLastPart.Merge(call, memory, {{tile.BlockM}}, {{tile.ValueDim}}, 0, Group.IdxX, {{tile.Threads}});
                    return;
                }
                Group.Barrier();
                KeepOutputs(shared + (warpRow + (lane >> 2)) * {{2 * tile.ValueDim}} + ({{Swizzle(
                tile.ValueDim,
                "lane >> 2"
            )}} << 4) + 4 * (lane & 3));
                Group.Barrier();
                TensorCopies.Store(call, memory, item, shared, {{tile.ValueDim}});
            }
            """;

    // The loop over tiles of keys.
    private IEnumerable<string> OneTile()
    {
        // Copies that start all at once hold up the reads of this tile where rows are wide: keys start behind the product of scores then,
        // values before that of outputs.
        bool isNarrow = System.Math.Max(tile.HeadDim, tile.ValueDim) <= 64;
        string keys =
            $"if (tiles.HasTile)\n    Load{tile.BlockN}x{tile.HeadDim}(width, whole, shared + Keys + (stage ^ 1) * {KeyBytes}, keyPlace, keys, ownKeys, call.KeyStrides.Row, tiles.Tile * {tile.BlockN}, item.KeyLength, call.HeadDim);";
        string values =
            $"if (tiles.HasTile)\n    Load{tile.BlockN}x{tile.ValueDim}(width, whole, shared + Values + (stage ^ 1) * {ValueBytes}, valuePlace, values, ownValues, call.ValueStrides.Row, tiles.Tile * {tile.BlockN}, item.KeyLength, call.ValueDim);";
        yield return $$"""
            int tile = tiles.Tile;
            uint isPartial = tiles.IsPartial;
            Next<TMods, TRow>(call, memory, item, range, mods, ref tiles, shared);
            // This tile is here, and all warps are done with the last one, whose place the next one takes.
            CudaAsm.Emit("cp.async.wait_all;");
            Group.Barrier();
            """;
        if (isNarrow)
            yield return keys + "\n" + values;
        yield return $$"""
            if (TMods.HasDropout)
            {
                int own = TensorWarp.Thread() & 31;
                key = {{FirstKey("own")}};
            }
            MultiplyKeys(query, key + stage * {{KeyBytes}});
            """;
        if (!isNarrow)
            yield return keys;
        yield return $"Probabilities<TMods, TRow>(call, memory, shared, item, mods, row, warpFirst, warpLast, tile, isPartial, isFirst, query, key + stage * {KeyBytes}, ref faults);";
        yield return Drop();
        yield return "RoundProbabilities();";
        if (!isNarrow)
            yield return values;
        yield return $$"""
            if (TMods.HasRest)
            {
                int own = TensorWarp.Thread() & 31;
                value = {{FirstValue("own")}};
            }
            MultiplyValues(value + stage * {{ValueBytes}});
            """;
    }

    private string Next() =>
        $$"""
            /// <summary>Goes to the next tile of keys that a mask leaves something of; all warps look for those of a chunk together.</summary>
            [MethodImpl(Inline)]
            private static void Next<TMods, TRow>(in PortableCall call, in TensorMemory memory, in PortableItem item, in PortableRange range, in TMods mods, ref TensorTiles tiles, int shared)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                if (!TMods.HasRest)
                {
                    tiles.Step();
                    return;
                }
                while (tiles.NeedsChunk)
                {
                    TensorChunk own = mods.Kinds(call, memory, item, tiles.First, tiles.From, {{tile.BlockN}}, Group.IdxX >> 5, {{tile.Warps}});
                    TensorCount.Chunk(memory, item, range, own, tiles.From, {{tile.BlockN}});
                    // All have taken the last one.
                    Group.Barrier();
                    own.Store(shared + Chunk, Group.IdxX >> 5);
                    Group.Barrier();
                    tiles.Take(TensorChunk.Load(shared + Chunk, {{tile.Warps}}));
                }
                tiles.StepInChunk();
            }
            """;

    private string Drop() =>
        tile.BlockN % 32 == 0
            ? $$"""
                if (TMods.HasDropout)
                {
                {{Indent(
                    Lines(
                        RowTiles,
                        i =>
                            $"TensorThread<TRow> dropped{i} = default;\ndropped{i}.Row = TensorItem.Query(call, memory, item, row + {16 * i}, Group.IdxX);\ndropped{i}.Below = TensorItem.Below(memory);\n"
                            + $"Drop{Of(i)}(dropped{i}.Drop(call, item, tile * {tile.BlockN}));"
                    ),
                    1
                )}}
                }
                """
            : "";
}
