using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>Queries in registers: which kernels hold them there, and how they come there and are multiplied.</summary>
internal sealed partial class Sm90Emitter
{
    // Queries of a tile in registers: a fifth less is read from shared memory for each tile of keys. Worth it where registers are left
    // beside scores, outputs and probabilities for them and for what a variant needs, as measured on an H200.
    private bool CanHoldQueries =>
        Consumers <= 2
        && tile.HeadDim <= 128
        && ptx.ScoreRegisters * 3 / 2 + ptx.OutputRegisters + tile.HeadDim / 4 + TilePlanModule.otherRegisters
            <= TilePlanModule.tensorRegisters(tile.Target, tile.BlockM, tile.Groups);

    // What keeps a variant's queries in shared memory, in C#, and its opposite.
    private string SharesQueries =>
        $"TMods.{(tile.HeadDim <= 96 ? "HasRest" : "HasMask")} || TMods.HasChanges || TMods.HasDropout";

    private string HoldsQueries => $"!({SharesQueries})";

    private string HoldQueries =>
        CanHoldQueries
            ? $$"""
                if ({{HoldsQueries}})
                {
                    HoldQueries(QueryPiece(shared, Group.IdxX));
                    Release(shared + QueryEmpty);
                }

                """
            : "";

    private string ReleaseQueries =>
        CanHoldQueries
            ? $"""
                if ({SharesQueries})
                    Release(shared + QueryEmpty);
                """
            : "Release(shared + QueryEmpty);";

    private string MultiplyKeys(string keyTile) =>
        CanHoldQueries
            ? $$"""
                if ({{HoldsQueries}})
                    MultiplyHeldQueries({{keyTile}});
                else
                    MultiplyKeys(queryTile, {{keyTile}});
                """
            : $"MultiplyKeys(queryTile, {keyTile});";

    private string HeldQueries(string scores) =>
        $$$$""""
            {{{{TensorPtx.Method(
                "Takes a warp's 16 queries into registers, as the left operand of their products (PTX ISA, \"Register fragments for wgmma.mma_async.m64nNk16\").",
                "HoldQueries",
                "int queries",
                Lines(
                    tile.HeadDim / 16,
                    step =>
                        $"xor.b32 ti, %0, {step % 4 * 32}; ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Registers("q", 4 * step, 4)}, [ti+{step / 4 * (tile.BlockM * 128)}];"
                ),
                "queries"
            )}}}}

            /// <summary>Scores of 64 rows, queries from registers.</summary>
            [MethodImpl(Inline)]
            private static void MultiplyHeldQueries(int keyTile) => CudaAsm.Emit($$"""
                {{{{UpperWord}}}}
                wgmma.fence.sync.aligned;
            {{{{Indent(scores, 1)}}}}
                wgmma.commit_group.sync.aligned;
                """, keyTile);
            """";
}
