using System.Collections.Generic;
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
            Probabilities(),
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
        // Registers a thread, of 65536 that a multiprocessor's groups have: a search takes more than copies do, and the consumers of dimensions beyond 128 can
        // spare it less.
        int copying = Consumers > 2 ? 32 : 24,
            multiplying = TilePlanModule.tensorRegisters(tile.Target, tile.BlockM, tile.Groups);
        (int searching, int besideSearch) =
            tile.Groups > 1 ? (72, TilePlanModule.pairedRegisters)
            : Consumers > 2 ? (56, 152)
            : tile.HeadDim <= 128 ? (72, 216)
            : tile.HeadDim <= 192 ? (64, 216)
            : (56, 224);
        return $$"""
            public static void Forward<TMods, TRow>(in PortableCall call, in TensorMemory memory, in TMods mods)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                Declare();
                if (TMods.HasDropout)
                    CudaAsm.Emit(PhiloxKeys.Registers);
                int shared = SharedBase();
                // The warpgroups that multiply: few queries fill fewer of them.
                int consumers = memory.Work.Rows + 63 >> 6;
                if (Group.IdxX == 0)
                    InitializeBarriers(shared + QueryFull, 4 * consumers, 4 * consumers + 1);
                Group.Barrier();
                TensorLastPart.LetNextBegin();
                EndIdle(consumers);
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
}
