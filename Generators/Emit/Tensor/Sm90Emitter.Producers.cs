namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The warpgroup that does not multiply: one warp copies, the others look for tiles that a mask leaves something of.</summary>
internal sealed partial class Sm90Emitter
{
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
                for (int step = 0; TensorItem.Unit(memory, step, TMods.HasMask) < memory.Work.Units; step++)
                {
                    // Asked for anew: what follows from it would be kept over the loop, and the copying warp has few registers.
                    int number = TensorWarp.Thread();
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}}, number, TMods.HasMask);
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}}, number, memory.Fault);
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
                for (int step = 0; TensorItem.Unit(memory, step, TMods.HasMask) < memory.Work.Units; step++)
                {
                    PortableItem item = TensorItem.Of(call, memory, step, {{tile.BlockM}}, Group.IdxX, TMods.HasMask);
                    PortableRange range = TensorRange.Of<TMods, TRow>(call, memory, item, mods, {{tile.BlockN}}, Group.IdxX, default);
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
}
