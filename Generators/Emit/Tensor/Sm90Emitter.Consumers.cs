using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The warpgroups that multiply: their loops over tiles, softmax beside the products, and scores on the way.</summary>
internal sealed partial class Sm90Emitter
{
    // The first of a thread's two rows in the tile; warpgroup 0 does not multiply.
    private static string Row(string thread) => $"16 * (({thread} >> 5) - 4) + ({thread} >> 2 & 7)";

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
                // The number of tiles of keys and of queries so far: they tell stages and phases.
                int n = 0, q = 0;
                TensorTiles tiles = default;
                for (int step = 0; TensorItem.Unit(memory, step, TMods.HasMask) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}}, Group.IdxX, TMods.HasMask);
                    if (item.Rows <= 0)
                        continue;
                    int number = {{ThreadNumber}};
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}}, number, default);
                    TensorThread<TRow> thread = TensorThread<TRow>.Of(call, memory, item, mods, {{Row("number")}});
                    tiles.Begin(TensorWarp.Uniform(range.First / {{tile.BlockN}}), TensorWarp.Uniform(range.Last < 0 ? -1 : range.Last / {{tile.BlockN}}));
                    Begin(thread.Maximum, thread.Sum, memory.ExponentScale);

                    int firstHead = {{Same("TensorItem.FirstHead(call, memory, item)")}};
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
            {{Indent(FindAgain, 2)}}
                    thread.StoreLogSumExp(call, memory, item, {{tile.ValueDim}}, LogSumExp0(), LogSumExp1());
                    if (item.Slot >= 0)
                    {
                        StorePart(thread.Part(memory, item, {{tile.ValueDim}}, 0), thread.Part(memory, item, {{tile.ValueDim}}, 1));
                    }
                    else if ({{Same("memory.IsWide")}} != 0)
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
                TensorLastPart.Merge(call, memory, {{tile.BlockM}}, {{tile.ValueDim}}, {{FirstNamedBarrier}}, Group.IdxX - 128, 128);
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
            if ({{HasLongText}})
            {
                for (int visited = 0; ; visited++)
                {
            {{Indent(NextProbabilities("visited == 0"), 2)}}
                    if (visited == 0)
                        {{ClearBeyondLast}}
                    else
                        Release(shared + ValueEmpty + 8 * {{Stage("n - 1")}});
            {{Indent(WithNewMaxima(Stage("n")), 2)}}
                    Next<TMods, TRow>(ref tiles, shared);
                    if (!tiles.HasTile)
                        break;
            {{Indent(BothProducts, 2)}}
                    n++;
                }
            }
            else
            {
                Release(shared + KeyEmpty + 8 * {{Stage("n")}});
                Score<TMods, TRow>(call, memory, item, mods, ref thread, tiles, IsCut<TMods, TRow>(memory, thread, tiles));
                FindMaxima();
                Softmax();
            {{Indent(Drop, 1)}}
                RoundProbabilities();
                {{ClearBeyondLast}}
                Next<TMods, TRow>(ref tiles, shared);
                for (; tiles.HasTile; Next<TMods, TRow>(ref tiles, shared))
                {
            {{Indent(BothProducts, 2)}}
            {{Indent(NextProbabilities("false"), 2)}}
                    Release(shared + ValueEmpty + 8 * {{Stage("n")}});
            {{Indent(WithNewMaxima("nextStage"), 2)}}
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
            """;

    // Of the tile with this number. Shifts and masks: a division by a constant is one at run time in the driver's code.
    private string Stage(string tileNumber) => tile.Stages == 1 ? "0" : $"({tileNumber} & {tile.Stages - 1})";

    private string Phase(string tileNumber) => $"({tileNumber} >> {(tile.Stages == 4 ? 2 : tile.Stages - 1)} & 1)";
}
