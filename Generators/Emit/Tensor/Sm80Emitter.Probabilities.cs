using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// From a tile's scores to its probabilities. Where every row keeps all of a tile, they are taken against the maxima that the rows have: no
/// search, no fading. A warp that finds a score far above its row's maximum has lost the tile's scores by then, and multiplies again.
/// </summary>
internal sealed partial class Sm80Emitter
{
    // The rows' bounds and what else masks and changes need of them are found again where they are needed: kept, they would take
    // registers that scores and outputs fill.
    private string Rows(int rowTile, string item) =>
        $"TensorThread<TRow> rows{rowTile} = TensorThread<TRow>.At(call, memory, {item}, mods, row + {16 * rowTile});";

    private string Probabilities()
    {
        string changes = Lines(
            RowTiles,
            i =>
                $"{Rows(i, "item")}\nTensorPairs<TMods, TRow> pairs{i} = rows{i}.Pairs(call, memory, item, mods, firstKey + 2 * (Group.IdxX & 3));\nChangeScores{Of(i)}(ref pairs{i});\nfaults |= pairs{i}.Faults;"
        );
        string keeps = Lines(
            RowTiles,
            i =>
                $$"""
                    {{Rows(i, "own")}}
                    if (runsMask)
                    {
                        TensorPairs<TMods, TRow> pairs{{i}} = rows{{i}}.Pairs(call, memory, own, mods, key);
                        KeepPairs{{Of(i)}}(ref pairs{{i}});
                        faults |= pairs{{i}}.Faults;
                    }
                    else
                    {
                        KeepBounds{{Of(i)}}(rows{{i}}, key);
                    }
                    """
        );
        return $$"""
            /// <summary>
            /// A tile's probabilities. Where every row of the warp keeps all of it, by the maxima that the rows have, unless those are far too low;
            /// else with the maxima of its rows, whose rise fades the outputs.
            /// </summary>
            [MethodImpl(Inline)]
            private static void Probabilities<TMods, TRow>(in PortableCall call, in TensorMemory memory, int shared, in PortableItem item, in TMods mods, int row, int warpFirst, int warpLast, int tile, uint isPartial, bool isFirst, int query, int key, ref int faults)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int firstKey = tile * {{tile.BlockN}}, rises = 1;
                // A call that scales first takes the masks' way: it is rare, and a branch of its own would cost every tile.
                bool scales = !TMods.HasChanges && memory.IsScaledFirst != 0;
                bool runsMask = TMods.HasRest && isPartial != 0;
                bool isCut = runsMask | scales | warpFirst > firstKey | warpLast < firstKey + {{tile.BlockN - 1}};
                if (!(isFirst | isCut))
                {
                    Change<TMods, TRow>(call, memory, item, mods, row, firstKey, ref faults);
                    rises = SoftmaxByKnownMaxima();
                    if (rises != 0)
                        MultiplyKeys(query, key);
                }
                if (rises != 0)
                {
                    Change<TMods, TRow>(call, memory, item, mods, row, firstKey, ref faults);
                    if (isCut)
                    {
                        if (scales)
                            ScaleScores(memory.Scale);
                        Keep<TMods, TRow>(call, memory, shared, mods, row, firstKey, runsMask, ref faults);
                    }
                    FindMaxima();
                    Softmax();
                    FadeOutputs();
                }
            }

            /// <summary>Score changes.</summary>
            [MethodImpl(Inline)]
            private static void Change<TMods, TRow>(in PortableCall call, in TensorMemory memory, in PortableItem item, in TMods mods, int row, int firstKey, ref int faults)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                if (!TMods.HasChanges)
                    return;
            {{Indent(changes, 1)}}
            }

            /// <summary>The mask.</summary>
            [MethodImpl(Inline)]
            private static void Keep<TMods, TRow>(in PortableCall call, in TensorMemory memory, int shared, in TMods mods, int row, int firstKey, bool runsMask, ref int faults)
                where TMods : struct, ITensorMods<TRow>
                where TRow : struct
            {
                int key = firstKey + 2 * (Group.IdxX & 3);
                if (TMods.HasRest)
                {
                    int number = TensorWarp.Thread();
                    row = {{WarpRow("number")}} + ((number & 31) >> 2);
                }
                PortableItem own = TensorItem.Load(call, memory, shared + Item);
            {{Indent(keeps, 1)}}
            }
            """;
    }
}
