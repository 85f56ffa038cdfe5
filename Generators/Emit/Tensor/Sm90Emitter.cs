using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// Hopper's kernel for one plan: loops, waits and addresses in C#, each tile operation one block of PTX. It depends on the plan alone,
/// so an assembly has one for each plan that its variants use; a variant joins as a type parameter, which ILGPU inlines.
/// </summary>
internal sealed partial class Sm90Emitter(TensorTile tile)
{
    private readonly TensorPtx ptx = new(1, tile.BlockN, tile.ValueDim);

    private int Consumers => tile.BlockM / 64;

    // Shared rows are 128 bytes, 64 elements: wider tiles lie side by side.
    private int HeadSlices => (tile.HeadDim + 63) / 64;

    private int ValueSlices => (tile.ValueDim + 63) / 64;

    private int QueryBytes => tile.BlockM * 128 * HeadSlices;

    private int KeyBytes => tile.BlockN * 128 * HeadSlices;

    private int ValueBytes => tile.BlockN * 128 * ValueSlices;

    private int KeysAt => QueryBytes;

    private int ValuesAt => KeysAt + tile.Stages * KeyBytes;

    private int BarriersAt => ValuesAt + tile.Stages * ValueBytes;

    private int ChunkBarriersAt => BarriersAt + 16 + 32 * tile.Stages;

    private int ChunksAt => ChunkBarriersAt + 16 * ChunksAhead;

    /// <summary>With room to start at a multiple of 1024.</summary>
    public int SharedBytes => ChunksAt + ChunksAhead * ChunkBytes + 1024;

    // Of the warpgroup that does not multiply one warp has the copy engine, and these look for tiles that the mask leaves something of.
    private const int Searchers = 3;

    private const int ChunksAhead = 2;

    private const int ChunkBytes = 8 * Searchers;

    public string Emit()
    {
        List<string> members = new()
        {
            Forward(),
            Produce(),
            Search(),
            Next(),
            Consume(),
            Score(),
            Setup(),
            Handing(),
            Loads(),
            Products(),
        };
        members.AddRange(ptx.Methods());
        members.Add(ptx.StoreParts());
        members.Add(ptx.StoreWide());
        members.Add(ptx.Store());
        return $$"""
            {{Header}}
            namespace FlashGen.Generated;

            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::FlashGen.Support;
            using global::ILGPU;
            using global::ILGPU.Runtime.Cuda;
            using static global::FlashGen.Support.TensorBarrier;

            /// <summary>
            /// Attention on Hopper's tensor cores: head dimension up to {{tile.HeadDim}}, value dimension up to {{tile.ValueDim}}.
            /// A group of {{tile.Threads}} threads has {{tile.BlockM}} query rows. One thread keeps the copy engine {{tile.Stages}} tiles of {{tile.BlockN}} keys ahead;
            /// {{Consumers}} warpgroups of 64 rows multiply. Scores of the next tile are in the tensor cores' queue before values of this one,
            /// so the softmax runs beside the second product. {{ptx.ScoreRegisters}} + {{ptx.OutputRegisters}} + {{ptx.ScoreRegisters
                / 2}} registers of scores, outputs and probabilities;
            /// {{(BarriersAt + 1023) / 1024}} KB of shared memory.
            /// </summary>
            internal readonly struct {{tile.ClassName}} : ITensorKernel
            {
                private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

                // Shared memory, in bytes from its start: queries, {{tile.Stages}} tiles of keys, {{tile.Stages}} of values, barriers, chunks.
                private const int Keys = {{KeysAt}}, Values = {{ValuesAt}}, QueryFull = {{BarriersAt}}, QueryEmpty = QueryFull + 8;
                private const int KeyFull = QueryEmpty + 8, KeyEmpty = KeyFull + {{8
                * tile.Stages}}, ValueFull = KeyEmpty + {{8 * tile.Stages}}, ValueEmpty = ValueFull + {{8
                * tile.Stages}};
                private const int ChunkFull = {{ChunkBarriersAt}}, ChunkEmpty = ChunkFull + {{8
                * ChunksAhead}}, Chunks = {{ChunksAt}};

            {{Indent(TensorPtx.Widen(string.Join("\n\n", members), 160), 1)}}
            }

            """.Replace(
            "\r\n",
            "\n"
        );
    }

    private string Forward()
    {
        // Registers a thread, of 65536 that a group has: a search takes more than copies do, and the consumers of dimensions beyond 128 can
        // spare it less.
        int copying = Consumers > 2 ? 32 : 24,
            multiplying = TilePlanModule.tensorRegisters(tile.Target, tile.BlockM);
        (int searching, int besideSearch) =
            Consumers > 2 ? (56, 152)
            : tile.HeadDim <= 128 ? (72, 216)
            : tile.HeadDim <= 192 ? (64, 216)
            : (56, 224);
        return $$"""
            public static void Forward<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                Declare();
                int shared = SharedBase();
                if (Group.IdxX == 0)
                    InitializeBarriers(shared + QueryFull);
                Group.Barrier();
                if (Group.IdxX < 128)
                {
                    if (TMods.HasRest)
                        CudaAsm.Emit("setmaxnreg.dec.sync.aligned.u32 {{searching}};");
                    else
                        CudaAsm.Emit("setmaxnreg.dec.sync.aligned.u32 {{copying}};");
                    if (Group.IdxX < 32)
                        Produce<TMods, TRow>(call, memory, mods, shared);
                    else if (TMods.HasRest)
                        Search<TMods, TRow>(call, memory, mods, shared);
                }
                else
                {
                    if (TMods.HasRest)
                        CudaAsm.Emit("setmaxnreg.inc.sync.aligned.u32 {{besideSearch}};");
                    else
                        CudaAsm.Emit("setmaxnreg.inc.sync.aligned.u32 {{multiplying}};");
                    Consume<TMods, TRow>(call, memory, mods, shared);
                }
            }
            """;
    }

    private string Produce() =>
        $$"""
            /// <summary>
            /// A warp, of which one thread asks the copy engine: for each tile of rows its queries, then keys and values of one tile after
            /// another, the last first. It runs ahead of the consumers, into their next tile of rows.
            /// </summary>
            [MethodImpl(Inline)]
            private static void Produce<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods, int shared)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int n = 0, q = 0;
                TensorTiles tiles = default;
                MapAddresses();
                for (int step = 0; TensorItem.Unit(memory, step) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}});
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}});
                    TensorCount.Item<TMods, TRow>(memory, item, range, {{tile.BlockN}});
                    tiles.Begin(range.First / {{tile.BlockN}}, range.Last < 0 ? -1 : range.Last / {{tile.BlockN}});
                    Next<TMods, TRow>(ref tiles, shared);
                    if (tiles.HasTile)
                    {
                        Wait(shared + QueryEmpty, q & 1 ^ 1);
                        // The second of the map's dimensions is the one that a tile's rows follow first.
                        bool shares = memory.Work.HeadBits > 0;
                        int head = TensorItem.FirstHead(call, memory, item);
                        LoadQueries(shared, shared + QueryFull, shares ? head : item.FirstRow, shares ? item.FirstRow : head, item.KeyHead, item.Batch);
                        q++;
                    }
                    for (; tiles.HasTile; Next<TMods, TRow>(ref tiles, shared))
                    {
                        int key = tiles.Tile * {{tile.BlockN}}, stage = {{Stage("n")}}, phase = {{Phase("n")}} ^ 1;
                        Wait(shared + KeyEmpty + 8 * stage, phase);
                        LoadKeys(shared + Keys + {{KeyBytes}} * stage, shared + KeyFull + 8 * stage, key, item.KeyHead, item.Batch);
                        Wait(shared + ValueEmpty + 8 * stage, phase);
                        LoadValues(shared + Values + {{ValueBytes}} * stage, shared + ValueFull + 8 * stage, key, item.KeyHead, item.Batch);
                        n++;
                    }
                }
            }
            """;

    private string Search() =>
        $$"""
            /// <summary>The warps beside the copying one: what the mask leaves of tiles of keys, up to {{ChunksAhead}} chunks ahead of the others.</summary>
            [MethodImpl(Inline)]
            private static void Search<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods, int shared)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int warp = (Group.IdxX >> 5) - 1, chunks = 0;
                for (int step = 0; TensorItem.Unit(memory, step) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}});
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}});
                    int first = range.First / {{tile.BlockN}};
                    for (int from = range.Last < 0 ? -1 : range.Last / {{tile.BlockN}}; from >= first; from -= TensorChunk.Tiles)
                    {
                        TensorChunk chunk = mods.Kinds(call, memory, item, first, from, {{tile.BlockN}}, warp, {{Searchers}});
                        TensorCount.Chunk(memory, item, range, chunk, from, {{tile.BlockN}});
                        int place = chunks & {{ChunksAhead - 1}};
                        Wait(shared + ChunkEmpty + 8 * place, chunks / {{ChunksAhead}} & 1 ^ 1);
                        chunk.Store(shared + Chunks + {{ChunkBytes}} * place, warp);
                        Arrive(shared + ChunkFull + 8 * place, Group.IdxX & 31);
                        chunks++;
                    }
                }
            }
            """;

    // The first of a thread's two rows in the tile; warpgroup 0 does not multiply.
    private const string Row = "16 * ((Group.IdxX >> 5) - 4) + (Group.IdxX >> 2 & 7)";

    private string Next() =>
        $$"""
            /// <summary>Goes to the next tile of keys that a mask leaves something of.</summary>
            [MethodImpl(Inline)]
            private static void Next<TMods, TRow>(ref TensorTiles tiles, int shared)
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
                    int place = tiles.Chunks & {{ChunksAhead - 1}};
                    Wait(shared + ChunkFull + 8 * place, tiles.Chunks / {{ChunksAhead}} & 1);
                    tiles.Take(TensorChunk.Load(shared + Chunks + {{ChunkBytes}} * place, {{Searchers}}));
                    ArriveTogether(shared + ChunkEmpty + 8 * place, Group.IdxX & 31);
                }
                tiles.StepInChunk();
            }
            """;

    private string Consume() =>
        $$"""
            /// <summary>A warpgroup: 64 rows of each tile against one tile of keys after another.</summary>
            [MethodImpl(Inline)]
            private static void Consume<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods, int shared)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int group = TensorWarp.Uniform((Group.IdxX >> 7) - 1);
                // Lower words of matrix descriptors: an address over 16 and, above it, an offset between core matrices.
                int queryTile = shared + {{64
                * 128}} * group >> 4 | {{KeyOffset}}, keyTiles = shared + Keys >> 4 | {{KeyOffset}}, valueTiles = shared + Values >> 4 | {{ValueOffset}};
                BeginConsuming(Group.IdxX & 127);
                // The number of tiles of keys and of queries so far: they tell stages and phases.
                int n = 0, q = 0;
                TensorTiles tiles = default;
                for (int step = 0; TensorItem.Unit(memory, step) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}});
                    if (item.Rows <= 0)
                        continue;
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}});
                    TensorThread<TRow> thread = TensorThread<TRow>.Of(call, memory, item, mods, {{Row}});
                    tiles.Begin(TensorWarp.Uniform(range.First / {{tile.BlockN}}), TensorWarp.Uniform(range.Last < 0 ? -1 : range.Last / {{tile.BlockN}}));
                    Begin(thread.Maximum, thread.Sum, memory.ExponentScale);

                    Next<TMods, TRow>(ref tiles, shared);
                    if (tiles.HasTile)
                    {
                        Wait(shared + QueryFull, q & 1);
            {{Indent(HoldQueries + Tiles(), 3)}}
                        q++;
                    }

                    Normalize(memory.OutputScale);
                    if (thread.Faults != 0)
                        PortableTile.Fault(memory.Fault);
                    thread.StoreLogSumExp(call, memory, item, {{tile.ValueDim}}, LogSumExp0(), LogSumExp1());
                    if (memory.Work.Parts > 1)
                    {
                        StorePart(thread.Part(call, memory, item, {{tile.ValueDim}}, 0), thread.Part(call, memory, item, {{tile.ValueDim}}, 1));
                    }
                    else if (memory.IsWide != 0)
                    {
                        StoreWide0(thread.Wide(call, memory, item, 0), thread.Columns(call, item, 0));
                        StoreWide1(thread.Wide(call, memory, item, 1), thread.Columns(call, item, 1));
                    }
                    else
                    {
                        Store0(thread.Output(call, memory, item, 0), thread.Columns(call, item, 0));
                        Store1(thread.Output(call, memory, item, 1), thread.Columns(call, item, 1));
                    }
                }
            }
            """;

    // Where masks or score changes are long texts: one softmax for the first tile and the others then, which the driver's compiler has done
    // in two thirds of the time. Elsewhere the first tile has its own, for the loop is 1 to 4 % faster with both products at its top.
    private string HasLongText => tile.HeadDim > 128 ? "TMods.HasRest || TMods.HasChanges" : "TMods.HasRest";

    private string Tiles() =>
        $$"""
            // Scores of the first tile have nothing to overlap with.
            Wait(shared + KeyFull + 8 * {{Stage("n")}}, {{Phase("n")}});
            {{MultiplyKeys($"keyTiles + {KeyBytes >> 4} * {Stage("n")}")}}
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
            Release(shared + KeyEmpty + 8 * {{Stage("n")}});
            {{ReleaseHeldQueries}}if ({{HasLongText}})
            {
                for (int visited = 0; ; visited++)
                {
            {{Indent(SoftmaxOfTile, 2)}}
                    StayBehindSoftmax(shared + ValueFull);
                    CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
                    if (visited == 0)
                        {{ClearBeyondLast}}
                    else
                        Release(shared + ValueEmpty + 8 * {{Stage("n - 1")}});
                    FadeOutputs();
                    RoundProbabilities();
                    Next<TMods, TRow>(ref tiles, shared);
                    if (!tiles.HasTile)
                        break;
            {{Indent(BothProducts, 2)}}
                    n++;
                }
            }
            else
            {
            {{Indent(SoftmaxOfTile, 1)}}
                RoundProbabilities();
                {{ClearBeyondLast}}
                Next<TMods, TRow>(ref tiles, shared);
                for (; tiles.HasTile; Next<TMods, TRow>(ref tiles, shared))
                {
            {{Indent(BothProducts, 2)}}
            {{Indent(SoftmaxOfTile, 2)}}
                    StayBehindSoftmax(shared + ValueFull);
                    CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
                    Release(shared + ValueEmpty + 8 * {{Stage("n")}});
                    FadeOutputs();
                    RoundProbabilities();
                    n++;
                }
            }
            {{ReleaseQueries}}
            Wait(shared + ValueFull + 8 * {{Stage("n")}}, {{Phase("n")}});
            MultiplyValues(valueTiles + {{ValueBytes >> 4}} * {{Stage("n")}});
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
            Release(shared + ValueEmpty + 8 * {{Stage("n")}});
            n++;
            """;

    private string SoftmaxOfTile =>
        "Score<TMods, TRow>(call, memory, item, mods, ref thread, tiles);\nFindMaxima();\nSoftmax();"
        + (Drop.Length > 0 ? "\n" + Drop : "");

    private string ClearBeyondLast =>
        $"ClearBeyond(call, item, shared + Values + {ValueBytes} * {Stage("n")}, shared + ValueFull + 8 * {Stage("n")}, {Phase("n")}, tiles.Tile * {tile.BlockN}, group);";

    // Queues the next tile's scores and this one's outputs, and waits for the scores.
    private string BothProducts =>
        $$"""
            // Values are those of tile n, keys those of the next one.
            int stage = {{Stage("n")}}, phase = {{Phase("n")}}, nextStage = {{Stage("n + 1")}}, nextPhase = {{Phase(
                "n + 1"
            )}};
            int keyTile = TensorWarp.Uniform(keyTiles + {{KeyBytes >> 4}} * nextStage), valueTile = TensorWarp.Uniform(valueTiles + {{ValueBytes >> 4}} * stage);
            Wait(shared + KeyFull + 8 * nextStage, nextPhase);
            {{MultiplyKeys("keyTile")}}
            Wait(shared + ValueFull + 8 * stage, phase);
            MultiplyValues(valueTile);
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 1;");
            Release(shared + KeyEmpty + 8 * nextStage);
            """;

    // Of the tile with this number. Shifts and masks: a division by a constant is one at run time in the driver's code.
    private string Stage(string tileNumber) => tile.Stages == 1 ? "0" : $"({tileNumber} & {tile.Stages - 1})";

    private string Phase(string tileNumber) => $"({tileNumber} >> {(tile.Stages == 4 ? 2 : tile.Stages - 1)} & 1)";

    private string Drop =>
        tile.BlockN % 32 == 0
            ? $$"""
                if (TMods.HasDropout)
                {
                    DropPairs drop = thread.Drop(call, memory, item, tiles.Tile * {{tile.BlockN}});
                    Map(ref drop);
                }
                """
            : "";

    private string Score() =>
        $$"""
            /// <summary>Score changes, then the mask where the tile is not whole.</summary>
            [MethodImpl(Inline)]
            private static void Score<TMods, TRow>(in PortableCall call, in TensorMemory memory, in PortableItem item, in TMods mods, ref TensorThread<TRow> thread, in TensorTiles tiles)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int firstKey = tiles.Tile * {{tile.BlockN}}, key = firstKey + 2 * (Group.IdxX & 3);
                if (TMods.HasChanges)
                {
                    ChangeScores<TMods, TRow> change = thread.Change(call, memory, item, mods, key);
                    Map(ref change);
                    thread.Faults |= change.Faults;
                }
                // A call that scales first takes this way too: it is rare, and a branch of its own would cost every tile.
                bool scales = !TMods.HasChanges && memory.IsScaledFirst != 0;
                bool runsMask = TMods.HasRest && tiles.IsPartial != 0;
                if (runsMask | scales | thread.WarpFirst > firstKey | thread.WarpLast < firstKey + {{tile.BlockN
                - 1}})
                {
                    if (scales)
                        ScaleScores(memory.Scale);
                    TensorThread<TRow> rows = thread;
                    // Found again where few tiles ask for them: kept over the loop they would take registers that scores and outputs fill.
                    if (TMods.HasRest)
                        rows = TensorThread<TRow>.At(call, memory, item, mods, {{Row}} + call.Zero);
                    if (runsMask)
                    {
                        KeepPairs<TMods, TRow> keep = rows.Keep(call, item, mods, key);
                        KeepPairs(ref keep);
                        thread.Faults |= keep.Faults;
                    }
                    else
                    {
                        KeepBounds(rows, key);
                    }
                }
            }
            """;
}
