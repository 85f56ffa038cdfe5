using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// From a tile's scores to its probabilities. Where every row keeps all of a tile, they are taken against the maxima that the rows have:
/// no search, no fading. A warp that finds a score far above its row's maximum has lost the tile's scores by then; it computes them
/// again, by itself, and does what the other tiles do.
/// </summary>
internal sealed partial class Sm90Emitter
{
    // While the product of the last tile's probabilities runs, and to the end of that: where every row of a warp keeps all of the tile, its
    // probabilities by the maxima that the rows have.
    private string NextProbabilities(string isFirst) =>
        $$"""
            bool isCut = {{isFirst}} | IsCut<TMods, TRow>(memory, thread, tiles);
            int rises = 0;
            if (!isCut)
            {
                Change<TMods, TRow>(call, memory, item, mods, ref thread, tiles.Tile * {{tile.BlockN}});
                rises = SoftmaxByKnownMaxima();
            {{Indent(Drop, 1)}}
                StayBehindSoftmax(shared + ValueFull);
            }
            CudaAsm.Emit("wgmma.wait_group.sync.aligned 0;");
            """;

    // The others, and where the maxima are far too low: the scores are lost by then, and the warp computes them again.
    private string WithNewMaxima(string keyStage) =>
        $$"""
            RoundProbabilities();
            if (isCut | rises != 0)
            {
                if (!isCut)
                    MultiplyKeysAgain<TMods, TRow>(call, shared, {{keyStage}});
                Score<TMods, TRow>(call, memory, item, mods, ref thread, tiles, isCut);
                FindMaxima();
                Softmax();
                FadeOutputs();
            {{Indent(Drop, 1)}}
                RoundProbabilities();
            }
            Release(shared + KeyEmpty + 8 * {{keyStage}});
            """;

    private string Drop =>
        tile.BlockN % 32 == 0
            ? $$"""
                if (TMods.HasDropout)
                    Drop(thread.Drop(call, item, tiles.Tile * {{tile.BlockN}}));
                """
            : "";

    private string Probabilities() =>
        $$"""
            /// <summary>Score changes, then the mask where the tile is not whole.</summary>
            [MethodImpl(Inline)]
            private static void Score<TMods, TRow>(in PortableCall call, in TensorMemory memory, in PortableItem item, in TMods mods, ref TensorThread<TRow> thread, in TensorTiles tiles, bool isCut)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int firstKey = tiles.Tile * {{tile.BlockN}};
                Change<TMods, TRow>(call, memory, item, mods, ref thread, firstKey);
                if (!isCut)
                    return;
                int key = firstKey + 2 * (Group.IdxX & 3);
                if (!TMods.HasChanges && {{(IsTight ? "TensorWarp.Uniform(memory.IsScaledFirst)" : "memory.IsScaledFirst")}} != 0)
                    ScaleScores(memory.Scale);
                TensorThread<TRow> rows = thread;
                // Found again where few tiles ask for them: kept over the loop they would take registers that scores and outputs fill.
            {{Indent(FindRowsAgain, 1)}}
                if (TMods.HasRest && tiles.IsPartial != 0)
                {
                    TensorPairs<TMods, TRow> pairs = rows.Pairs(call, memory, item, mods, key);
                    KeepPairs(ref pairs);
                    thread.Faults |= pairs.Faults;
                }
                else
                {
                    KeepBounds(rows, key);
                }
            }

            /// <summary>Score changes.</summary>
            [MethodImpl(Inline)]
            private static void Change<TMods, TRow>(in PortableCall call, in TensorMemory memory, in PortableItem item, in TMods mods, ref TensorThread<TRow> thread, int firstKey)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                if (!TMods.HasChanges)
                    return;
                TensorPairs<TMods, TRow> pairs = thread.Pairs(call, memory, item, mods, firstKey + 2 * (Group.IdxX & 3));
                ChangeScores(ref pairs);
                thread.Faults |= pairs.Faults;
            }

            /// <summary>
            /// Whether some row of the warp keeps less than the tile. A call that scales first takes the same way: it is rare, and a branch of its
            /// own would cost every tile.
            /// </summary>
            [MethodImpl(Inline)]
            private static bool IsCut<TMods, TRow>(in TensorMemory memory, in TensorThread<TRow> thread, in TensorTiles tiles)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int firstKey = tiles.Tile * {{tile.BlockN}};
                bool scales = !TMods.HasChanges && memory.IsScaledFirst != 0;
                bool runsMask = TMods.HasRest && tiles.IsPartial != 0;
                return runsMask | scales | thread.WarpFirst > firstKey | thread.WarpLast < firstKey + {{tile.BlockN
                - 1}};
            }

            /// <summary>
            /// The scores of a warp's 16 rows once more, without the rest of its warpgroup: by mma.sync, whose registers are those of the warpgroup's
            /// product.
            /// </summary>
            [MethodImpl(Inline)]
            private static void MultiplyKeysAgain<TMods, TRow>(in PortableCall call, int shared, int stage)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int number = {{NumberAgain}}, lane = number & 31;
                int keys = shared + Keys + {{KeyBytes}} * stage + 128 * ((lane & 7) + (lane >> 4 << 3)) + ((lane >> 3 & 1 ^ lane & 7) << 4);
                ClearScores();
            {{Indent(AddHeldScores + AddScores, 1)}}
            }

            {{WarpProducts()}}
            """;

    private string AddHeldScores =>
        CanHoldQueries
            ? $$"""
                if ({{HoldsQueries}})
                {
                    AddHeldScores(keys);
                    return;
                }

                """
            : "";

    private string AddScores =>
        $$"""
            int queries = QueryPiece(shared, {{NumberOfQueries}});
            for (int dimension = 0; {{IsBelowHeadDim}}; dimension += 16)
            {
                int piece = (dimension & 63) << 1, slice = dimension >> 6 << 7;
                AddScores((queries ^ piece) + {{tile.BlockM}} * slice, (keys ^ piece) + {{tile.BlockN}} * slice);
            }
            """;

    // Four rounds are written out: in a loop of their own they make the loop over tiles 2 to 11 % slower where scores change.
    private string IsBelowHeadDim =>
        tile.HeadDim > 64 ? $"TensorLoop.IsBelow(dimension, {tile.HeadDim})" : $"dimension < {tile.HeadDim}";

    private string WarpProducts()
    {
        string Products(string rows, string keys, int offset) =>
            Lines(
                tile.BlockN / 16,
                block =>
                {
                    string Product(int half)
                    {
                        string sum = Registers("s", 8 * block + 4 * half, 4);
                        return TensorPtx.WarpProduct(sum, rows, Registers("b", 2 * half, 2), sum);
                    }
                    return $"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Registers("b", 0, 4)}, [{keys}+{offset + 2048 * block}]; {Product(0)} {Product(1)}";
                }
            );
        string clear = TensorPtx.Method(
            "Empties the scores.",
            "ClearScores",
            "",
            TensorPtx.Pack(Enumerable.Range(0, ptx.ScoreRegisters).Select(i => $"mov.f32 s{i}, 0f00000000;"), 8),
            ""
        );
        string step = TensorPtx.Method(
            "Adds to the scores of a warp's 16 rows what 16 dimensions give.",
            "AddScores",
            "int queries, int keys",
            $"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {Registers("q", 0, 4)}, [%0];\n{Products(Registers("q", 0, 4), "%1", 0)}",
            "queries, keys"
        );
        string held = TensorPtx.Method(
            "Adds to the scores of a warp's 16 rows what all dimensions give, queries from registers.",
            "AddHeldScores",
            "int keys",
            Lines(
                tile.HeadDim / 16,
                at =>
                    $"xor.b32 th, %0, {at % 4 * 32};\n{Products(Registers("q", 4 * at, 4), "th", at / 4 * (tile.BlockN * 128))}"
            ),
            "keys"
        );
        return string.Join("\n\n", CanHoldQueries ? [clear, step, held] : new[] { clear, step });
    }
}
