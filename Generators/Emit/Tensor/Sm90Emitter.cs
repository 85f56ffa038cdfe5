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

    /// <summary>With room to start at a multiple of 1024.</summary>
    public int SharedBytes => BarriersAt + 16 + 32 * tile.Stages + 1024;

    public string Emit()
    {
        List<string> members = new() { Forward(), Produce(), Consume(), Score(), Setup(), Loads(), Products() };
        members.AddRange(ptx.Methods());
        members.Add(ptx.StoreParts());
        members.Add(ptx.Store());
        return $$"""
            {{Header}}
            using System;
            using System.Runtime.CompilerServices;
            using FlashGen.Support;
            using ILGPU;
            using ILGPU.Runtime.Cuda;
            using static FlashGen.Support.TensorBarrier;

            namespace FlashGen.Generated;

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

                // Shared memory, in bytes from its start: queries, {{tile.Stages}} tiles of keys, {{tile.Stages}} of values, barriers.
                private const int Keys = {{KeysAt}}, Values = {{ValuesAt}}, QueryFull = {{BarriersAt}}, QueryEmpty = QueryFull + 8;
                private const int KeyFull = QueryEmpty + 8, KeyEmpty = KeyFull + {{8
                * tile.Stages}}, ValueFull = KeyEmpty + {{8 * tile.Stages}}, ValueEmpty = ValueFull + {{8
                * tile.Stages}};

            {{Indent(TensorPtx.Widen(string.Join("\n\n", members), 800), 1)}}
            }

            """.Replace(
            "\r\n",
            "\n"
        );
    }

    private string Forward() =>
        $$"""
            public static void Forward<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                Declare();
                int shared = SharedBase();
                if (Group.IdxX == 0)
                    InitializeBarriers(shared + QueryFull);
                ArrayView<byte> kinds = ArrayView<byte>.Empty;
                if (TMods.HasRest)
                {
                    // All warps look at the tiles of keys first; such a group has one tile of rows.
                    kinds = SharedMemory.Allocate<byte>(TensorRange.Kinds);
                    PortableItem item = TensorItem.Of(call, memory, 0, {{tile.BlockM}});
                    mods.Kinds(call, memory, item, TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}}), {{tile.BlockN}}, kinds, Group.IdxX >> 5, {{tile.Threads
                / 32}});
                }
                Group.Barrier();
                if (Group.IdxX < 128)
                {
                    CudaAsm.Emit("setmaxnreg.dec.sync.aligned.u32 {{(Consumers > 2 ? 32 : 24)}};");
                    if (Group.IdxX < 32)
                        Produce<TMods, TRow>(call, memory, kinds, mods, shared);
                }
                else
                {
                    CudaAsm.Emit("setmaxnreg.inc.sync.aligned.u32 {{(Consumers > 2 ? 160 : 240)}};");
                    Consume<TMods, TRow>(call, memory, kinds, mods, shared);
                }
            }
            """;

    private string Produce() =>
        $$"""
            /// <summary>
            /// A warp, of which one thread asks the copy engine: for each tile of rows its queries, then keys and values of one tile after
            /// another, the last first. It runs ahead of the consumers, into their next tile of rows.
            /// </summary>
            [MethodImpl(Inline)]
            private static void Produce<TMods, TRow>(in PortableCall call, in TensorMemory memory, ArrayView<byte> kinds, in TMods mods, int shared)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int full = 0, all = 0, n = 0, q = 0;
                MapAddresses();
                for (int step = 0; TensorItem.Unit(memory, step) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}});
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}});
                    int first = range.First / {{tile.BlockN}}, last = range.Last < 0 ? -1 : range.Last / {{tile.BlockN}};
                    if (first <= last)
                    {
                        Wait(shared + QueryEmpty, q & 1 ^ 1);
                        LoadQueries(shared, shared + QueryFull, TensorItem.FirstHead(call, memory, item), item.FirstRow, item.KeyHead, item.Batch);
                        q++;
                    }
                    for (int tile = last; tile >= first; tile--)
                    {
                        int kind = TensorTiles.Kind<TMods, TRow>(tile, first, kinds);
                        if (TMods.HasRest && kind == PortableTile.Empty)
                            continue;
                        int key = tile * {{tile.BlockN}}, stage = {{Stage("n")}}, phase = {{Phase("n")}} ^ 1;
                        Wait(shared + KeyEmpty + 8 * stage, phase);
                        LoadKeys(shared + Keys + {{KeyBytes}} * stage, shared + KeyFull + 8 * stage, key, item.KeyHead, item.Batch);
                        Wait(shared + ValueEmpty + 8 * stage, phase);
                        LoadValues(shared + Values + {{ValueBytes}} * stage, shared + ValueFull + 8 * stage, key, item.KeyHead, item.Batch);
                        if (TMods.HasRest ? kind == PortableTile.Full : range.Covers(key, Math.Min(key + {{tile.BlockN
                - 1}}, item.KeyLength - 1)))
                            full++;
                        n++;
                    }
                    all += item.Rows > 0 & item.Part == 0 ? (item.KeyLength + {{tile.BlockN - 1}}) / {{tile.BlockN}} : 0;
                }
                PortableTile.Count(memory.TileCounts, full, n - full, all);
            }
            """;

    private string Consume() =>
        $$"""
            /// <summary>A warpgroup: 64 rows of each tile against one tile of keys after another.</summary>
            [MethodImpl(Inline)]
            private static void Consume<TMods, TRow>(in PortableCall call, in TensorMemory memory, ArrayView<byte> kinds, in TMods mods, int shared)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int group = TensorRange.Uniform((Group.IdxX >> 7) - 1), lane = Group.IdxX & 31, query = shared + {{64
                * 128}} * group;
                // The number of tiles of keys and of queries so far: they tell stages and phases.
                int n = 0, q = 0;
                for (int step = 0; TensorItem.Unit(memory, step) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}});
                    if (item.Rows <= 0)
                        continue;
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}});
                    TensorThread<TRow> thread = TensorThread<TRow>.Of(call, memory, item, mods, 64 * group + 16 * (Group.IdxX >> 5 & 3) + (lane >> 2));
                    int first = TensorRange.Uniform(range.First / {{tile.BlockN}}), tile = TensorRange.Uniform(range.Last < 0 ? -1 : range.Last / {{tile.BlockN}});
                    Begin(thread.Maximum, thread.Sum, memory.ExponentScale);

                    if (first <= tile)
                    {
                        n = TensorRange.Uniform(n);
                        Wait(shared + QueryFull, q & 1);
                        tile = TensorTiles.Next<TMods, TRow>(tile, first, kinds);
                        if (tile >= first)
                        {
            {{Indent(Tiles(), 4)}}
                        }
                        else
                        {
                            Arrive(shared + QueryEmpty, Group.IdxX & 127);
                        }
                        q++;
                    }

                    Normalize(memory.OutputScale);
                    if (thread.Faults != 0)
                        PortableTile.Fault(memory.Fault);
                    thread.StoreLogSumExp(call, memory, item, {{tile.ValueDim}}, LogSumExp0(), LogSumExp1());
                    if (memory.Work.Parts > 1)
                    {
                        StorePart(thread.Part(call, memory, item, {{tile.ValueDim}}, 0), thread.Part(call, memory, item, {{tile.ValueDim}}, 1));
                        continue;
                    }
                    Store0(thread.Output(call, memory, item, 0), thread.Columns(call, item, 0));
                    Store1(thread.Output(call, memory, item, 1), thread.Columns(call, item, 1));
                }
            }
            """;

    private string Tiles() =>
        $$"""
            // The first tile has nothing to overlap with.
            int stage = {{Stage("n")}}, phase = {{Phase("n")}};
            Wait(shared + KeyFull + 8 * stage, phase);
            MultiplyKeys(query, shared + Keys + {{KeyBytes}} * stage);
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
            Arrive(shared + KeyEmpty + 8 * stage, Group.IdxX & 127);
            Score<TMods, TRow>(call, memory, item, mods, ref thread, tile, TensorTiles.Kind<TMods, TRow>(tile, first, kinds));
            Softmax();
            {{Drop}}RoundProbabilities();
            int nextStage = {{Stage("n + 1")}}, nextPhase = {{Phase("n + 1")}};
            ClearBeyond(call, item, shared + Values + {{ValueBytes}} * stage, shared + ValueFull + 8 * stage, phase, tile * {{tile.BlockN}}, group);
            for (int next = TensorTiles.Next<TMods, TRow>(tile - 1, first, kinds); next >= first; next = TensorTiles.Next<TMods, TRow>(next - 1, first, kinds))
            {
                Wait(shared + KeyFull + 8 * nextStage, nextPhase);
                MultiplyKeys(query, shared + Keys + {{KeyBytes}} * nextStage);
                Wait(shared + ValueFull + 8 * stage, phase);
                MultiplyValues(shared + Values + {{ValueBytes}} * stage);
                CudaAsm.Emit("wgmma.wait_group.sync.aligned 1;");
                Arrive(shared + KeyEmpty + 8 * nextStage, Group.IdxX & 127);
                n++;
                int following = TensorRange.Uniform(n + 1);
                tile = next;
                Score<TMods, TRow>(call, memory, item, mods, ref thread, tile, TensorTiles.Kind<TMods, TRow>(tile, first, kinds));
                Softmax();
                // Long over: it keeps the driver from moving the softmax behind the wait that follows.
                Wait(shared + ValueFull + 8 * stage, phase);
                CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
                Arrive(shared + ValueEmpty + 8 * stage, Group.IdxX & 127);
                FadeOutputs();
                {{Drop.Replace("\n", "\n    ")}}RoundProbabilities();
                stage = nextStage;
                phase = nextPhase;
                nextStage = {{Stage("following")}};
                nextPhase = {{Phase("following")}};
            }
            Arrive(shared + QueryEmpty, Group.IdxX & 127);
            Wait(shared + ValueFull + 8 * stage, phase);
            MultiplyValues(shared + Values + {{ValueBytes}} * stage);
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
            Arrive(shared + ValueEmpty + 8 * stage, Group.IdxX & 127);
            n++;
            """;

    // Of the tile with this number. Shifts and masks: a division by a constant is one at run time in the driver's code.
    private string Stage(string tileNumber) => tile.Stages == 1 ? "0" : $"({tileNumber} & {tile.Stages - 1})";

    private string Phase(string tileNumber) => $"({tileNumber} >> {(tile.Stages == 4 ? 2 : tile.Stages - 1)} & 1)";

    private string Drop =>
        tile.BlockN % 32 == 0
            ? $$"""
                if (TMods.HasDropout)
                {
                    DropPairs drop = thread.Drop(call, item, tile * {{tile.BlockN}});
                    Map(ref drop);
                }

                """
            : "";

    private string Score() =>
        $$"""
            /// <summary>Score changes, then the mask where the tile is not whole.</summary>
            [MethodImpl(Inline)]
            private static void Score<TMods, TRow>(in PortableCall call, in TensorMemory memory, in PortableItem item, in TMods mods, ref TensorThread<TRow> thread, int tile, int kind)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int firstKey = tile * {{tile.BlockN}}, key = firstKey + 2 * (Group.IdxX & 3);
                if (TMods.HasChanges)
                {
                    ChangeScores<TMods, TRow> change = thread.Change(call, memory, item, mods, key);
                    Map(ref change);
                    thread.Faults |= change.Faults;
                }
                // A call that scales first takes this way too: it is rare, and a branch of its own would cost every tile.
                bool scales = !TMods.HasChanges && memory.IsScaledFirst != 0;
                bool isPartial = TMods.HasRest
                    ? kind != PortableTile.Full | firstKey + {{tile.BlockN}} > item.KeyLength
                    : thread.WarpFirst > firstKey | thread.WarpLast < firstKey + {{tile.BlockN - 1}};
                if (isPartial | scales)
                {
                    if (scales)
                        ScaleScores(memory.Scale);
                    if (TMods.HasRest)
                    {
                        KeepPairs<TMods, TRow> keep = thread.Keep(call, item, mods, key);
                        Map(ref keep);
                        thread.Faults |= keep.Faults;
                    }
                    else
                    {
                        MaskBounds(thread.First0 - key, thread.Last0 - key, thread.First1 - key, thread.Last1 - key);
                    }
                }
            }
            """;
}
