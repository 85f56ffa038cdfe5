using System.Collections.Generic;
using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>
/// The portable kernel of one plan, which runs on any ILGPU device; a variant joins as a type parameter. A group of threads has a tile of
/// query rows; eight threads share the rows of one register tile. For each tile of keys:
///
///     barrier, load keys and values, barrier     keys and queries a slice of the head dimension at a time
///     scores = queries * keys                    in registers, then to shared memory, key by key
///     barrier, softmax, barrier                  one thread a row, without any exchange between threads
///     outputs = outputs * fade + probabilities * values
///
/// Registers are named locals, unrolled here: ILGPU unrolls no loops, and indexed ones would live in memory.
/// </summary>
internal sealed class PortableEmitter(PortableText text)
{
    private const string Components = "XYZW";

    // Threads that share the rows of a register tile.
    private const int Lanes = 8;

    // Value columns of one step: four for each of these threads.
    private const int BlockColumns = 4 * Lanes;

    private const string Inline = "[MethodImpl(MethodImplOptions.AggressiveInlining)]";

    private string Real => text.Real;

    private string Four => text.Wide ? "Double4" : "Float4";

    private int Rows => text.Rows;

    private int RowFours => Rows / 4;

    private int Keys => text.BlockN / Lanes;

    private int Blocks => text.Columns / BlockColumns;

    private int BlocksOfSlice => text.ValueSlice / BlockColumns;

    // A row of a tile in fours; four numbers longer than its columns, so that threads meet no memory bank together.
    private int HeadStride => text.HeadSlice / 4 + 1;

    private string BlockN => Number(text.BlockN);

    public string Emit() =>
        $$"""
            {{Header}}
            namespace FlashGen.Generated;

            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::FlashGen.Support;
            using global::ILGPU;

            /// <summary>
            /// Attention on any ILGPU device, in {{Real}}: up to {{Number(
                text.Columns
            )}} value columns, tiles of {{BlockN}} keys.
            /// A thread computes {{Number(Rows)}} x {{Number(Keys)}} scores and {{Number(Rows)}} x {{Number(
                4 * Blocks
            )}} outputs; eight share their rows.
            /// Shared memory holds {{Number(text.HeadSlice)}} columns of queries and keys and {{Number(
                text.ValueSlice
            )}} of values at a time.
            /// </summary>
            internal static class {{text.ClassName}}
            {
            {{Indent(Forward(), 1)}}

            {{Indent(Softmax(), 1)}}
            }

            """.Replace(
            "\r\n",
            "\n"
        );

    private string Forward() =>
        $$"""
            public static void Forward<TStored, TElement, TGroup, TMods, TArguments, TLeaves>(PortableCall call, PortableTensors<TStored, {{Real}}> tensors, TArguments arguments)
                where TStored : unmanaged
                where TElement : struct, IPortableElement<TStored, {{Real}}>
                where TGroup : struct, IPortableGroup
                where TMods : struct, IPortableMods<{{Real}}, TLeaves>, IPortableArguments<TArguments>
                where TArguments : struct
                where TLeaves : struct
            {
            {{Indent(Open(), 1)}}

                for (int tile = firstTile; tile <= lastTile; tile++)
                {
            {{Indent(ChooseTile(), 2)}}

                    // The tile before is read to its end; load this one.
                    Group.Barrier();
            {{Indent(LoadValues(0), 2)}}

                    // Scores of {{Number(Rows)}} rows x {{Number(Keys)}} keys: a four is as many rows of one key.
            {{Indent(Scores(), 2)}}

                    Group.Barrier();
                    if (Group.IdxX < tileRows)
                        row = Softmax<TMods, TLeaves>(call, item, mods, row, kind, firstKey, scores.Cast<{{Real}}>(), 4 * scoreStride, fades.Cast<{{Real}}>(), tensors.Fault);
                    Group.Barrier();

                    // Outputs of {{Number(Rows)}} rows: a four is as many columns of one row.
            {{Indent(Outputs(), 2)}}
                }

            {{Indent(Close(), 1)}}
            }
            """;

    private string Open() =>
        $$"""
            TMods mods = default;
            mods.Arguments = arguments;
            int tileRows = TGroup.Threads / 8 * {{Number(Rows)}};
            int scoreStride = TGroup.Threads / 8 * {{Number(RowFours)}} + 1;
            ArrayView<{{Four}}> queries = SharedMemory.Allocate<{{Four}}>(TGroup.Threads / 8 * {{Number(
                Rows * HeadStride
            )}});
            ArrayView<{{Four}}> keys = SharedMemory.Allocate<{{Four}}>({{Number(text.BlockN * HeadStride)}});
            ArrayView<{{Four}}> values = SharedMemory.Allocate<{{Four}}>({{Number(
                text.BlockN * text.ValueSlice / 4
            )}});
            ArrayView<{{Four}}> scores = SharedMemory.Allocate<{{Four}}>({{BlockN}} * (TGroup.Threads / 8 * {{Number(RowFours)}} + 1));
            ArrayView<{{Four}}> fades = SharedMemory.Allocate<{{Four}}>(TGroup.Threads / 8 * {{Number(RowFours)}});

            PortableItem item = PortableItem.Of(call, tensors.Lengths, tileRows, {{Number(text.Columns)}});
            int threadRow = Group.IdxX / 8, threadColumn = Group.IdxX % 8;
            long queryStart = item.Batch * call.QueryStrides.Batch + item.Head * call.QueryStrides.Head + item.FirstRow * call.QueryStrides.Row;
            long keyStart = item.Batch * call.KeyStrides.Batch + item.KeyHead * call.KeyStrides.Head;
            long valueStart = item.Batch * call.ValueStrides.Batch + item.KeyHead * call.ValueStrides.Head + item.FirstColumn;
            long outputStart = item.Batch * call.OutputStrides.Batch + item.Head * call.OutputStrides.Head + item.FirstRow * call.OutputStrides.Row + item.FirstColumn;
            int columns = Math.Min({{Number(text.Columns)}}, call.ValueDim - item.FirstColumn);

            PortableBounds bounds = mods.Bounds(call, item, Group.IdxX, tensors.Fault);
            PortableRow<{{Real}}> row = default;
            row.First = bounds.First;
            row.Last = bounds.Last;
            row.Maximum = {{Real}}.NegativeInfinity;
            if (TMods.HasSink)
            {
                // The sink is a key without a value: the sum starts with it.
                {{Real}} sink = mods.Sink(item.Head);
                row.Maximum = sink;
                row.Sum = sink == {{Real}}.NegativeInfinity ? 0 : PortableMath.ExpDown(sink - sink);
            }
            PortableRange range = PortableRange.Of(scores.Cast<int>(), item.Rows, bounds.First, bounds.Last, {{BlockN}});
            int firstTile = range.First / {{BlockN}}, lastTile = range.Last < 0 ? -1 : range.Last / {{BlockN}};
            TLeaves rowLeaves = mods.LeavesOfRows(call, item);

            {{Lines(
                Rows,
                i =>
                    $"{Four} " + string.Join(", ", Enumerable.Range(0, Blocks).Select(c => $"o{i}_{c} = default")) + ";"
            )}}
            bool areQueriesLoaded = false;
            int full = 0, partial = 0;
            """;

    private string ChooseTile() =>
        $$"""
            int firstKey = tile * {{BlockN}}, lastKey = Math.Min(firstKey + {{Number(
                text.BlockN - 1
            )}}, item.KeyLength - 1);
            int tileKeys = lastKey - firstKey + 1;
            if (range.HasHoles && !Group.BarrierOr(row.First <= row.Last & row.First <= lastKey & row.Last >= firstKey))
                continue;
            int kind = mods.Kind(call, item, rowLeaves, firstKey, lastKey, range.Covers(firstKey, lastKey));
            if (TMods.HasRest && kind == PortableTile.Empty)
                continue;
            full += kind == PortableTile.Full ? 1 : 0;
            partial += kind == PortableTile.Partial ? 1 : 0;
            """;

    private string Load(
        string tensor,
        string start,
        string strides,
        string rows,
        string columns,
        string tile,
        string tileRows,
        int width,
        int stride
    ) =>
        $"PortableTiles.Load<TStored, {Real}, TElement, TGroup>(tensors.{tensor}, {start}, call.{strides}.Row, {rows}, {columns}, {tile}.Cast<{Real}>(), {tileRows}, {Number(width)}, {Number(stride)});";

    private string LoadValues(int slice)
    {
        int column = slice * text.ValueSlice;
        return Load(
            "Value",
            "valueStart + firstKey * call.ValueStrides.Row" + (column == 0 ? "" : " + " + Number(column)),
            "ValueStrides",
            "tileKeys",
            "columns" + (column == 0 ? "" : " - " + Number(column)),
            "values",
            BlockN,
            text.ValueSlice,
            text.ValueSlice
        );
    }

    private string Scores()
    {
        string width = Number(text.HeadSlice);
        IEnumerable<int> fours = Enumerable.Range(0, RowFours);
        IEnumerable<int> keys = Enumerable.Range(0, Keys);
        string At(int row) => row == 0 ? "" : " + " + Number(row * HeadStride);
        return $$"""
            {{Lines(RowFours, r => $"{Four} " + string.Join(", ", keys.Select(j => $"s{r}_{j} = default")) + ";")}}
            for (int d = 0; d < call.HeadDim; d += {{width}})
            {
                if (d > 0)
                    Group.Barrier();
                if (!areQueriesLoaded | call.HeadDim > {{width}})
                    {{Load("Query", "queryStart + d", "QueryStrides", "item.Rows", "call.HeadDim - d", "queries", "tileRows", text.HeadSlice, 4 * HeadStride)}}
                {{Load("Key", "keyStart + firstKey * call.KeyStrides.Row + d", "KeyStrides", "tileKeys", "call.HeadDim - d", "keys", BlockN, text.HeadSlice, 4 * HeadStride)}}
                Group.Barrier();
                int query = threadRow * {{Number(Rows * HeadStride)}}, key = threadColumn * {{Number(HeadStride)}};
                for (int end = query + (Math.Min({{width}}, call.HeadDim - d) + 3) / 4; query < end; query++, key++)
                {
                    {{Four}} {{string.Join(", ", keys.Select(j => $"k{j} = keys[key{At(8 * j)}]"))}};
            {{Indent(
                Lines(
                    RowFours,
                    r =>
                        $"{Four} "
                        + string.Join(", ", Enumerable.Range(4 * r, 4).Select(i => $"q{i} = queries[query{At(i)}]"))
                        + ";\n"
                        + string.Join(
                            "\n",
                            keys.Select(j =>
                                $"s{r}_{j} = {Four}.AddDots(s{r}_{j}, q{4 * r}, q{4 * r + 1}, q{4 * r + 2}, q{4 * r + 3}, k{j});"
                            )
                        )
                ),
                2
            )}}
                }
            }
            areQueriesLoaded = true;
            {{string.Join("\n", keys.Select(j => string.Join(" ", fours.Select(r => $"scores[(threadColumn + {8 * j}) * scoreStride + threadRow * {RowFours} + {r}] = {Four}.Scale(s{r}_{j}, tensors.Scale);"))))}}
            """;
    }

    private string Softmax() =>
        $$"""
            /// <summary>Turns a row's scores of one tile into probabilities against its new maximum; in fades, by what its outputs shrink.</summary>
            {{Inline}}
            private static PortableRow<{{Real}}> Softmax<TMods, TLeaves>(in PortableCall call, in PortableItem item, in TMods mods, PortableRow<{{Real}}> row, int kind, int firstKey, ArrayView<{{Real}}> scores, int stride, ArrayView<{{Real}}> fades, ArrayView<int> faultWord)
                where TMods : struct, IPortableMods<{{Real}}, TLeaves>
                where TLeaves : struct
            {
                int place = Group.IdxX, keys = Math.Min({{BlockN}}, item.KeyLength - firstKey);
                mods.Change(call, item, row, kind, firstKey, keys, scores, stride, faultWord);
                for (int j = keys; j < {{BlockN}}; j++)
                    scores[j * stride + place] = {{Real}}.NegativeInfinity;

                {{Real}} top = PortableSoftmax.Maximum(scores, place, stride, {{BlockN}}, row.Maximum);
                // Nothing kept so far: subtract 0, so that -inf gives probability 0 and not NaN.
                {{Real}} origin = top == {{Real}}.NegativeInfinity ? 0 : top;
                {{Real}} fade = PortableMath.ExpDown(row.Maximum - origin);
                {{Real}} sum = PortableSoftmax.Exponentiate(scores, place, stride, {{BlockN}}, origin);
                if (TMods.HasDropout)
                    PortableDropout.Apply(call, item, item.FirstRow + Math.Min(place, item.Rows - 1), firstKey, {{BlockN}}, scores, place, stride);
                fades[place] = fade;
                row.Maximum = top;
                row.Sum = row.Sum * fade + sum;
                return row;
            }
            """;

    private string Outputs()
    {
        List<string> parts = new()
        {
            Lines(RowFours, r => $"{Four} f{r} = fades[threadRow * {RowFours} + {r}];"),
            Lines(
                Rows,
                i =>
                    string.Join(
                        " ",
                        Enumerable
                            .Range(0, Blocks)
                            .Select(c => $"o{i}_{c} = {Four}.Scale(o{i}_{c}, f{i / 4}.{Components[i % 4]});")
                    )
            ),
        };
        for (int slice = 0; slice * BlocksOfSlice < Blocks; slice++)
            parts.Add(slice == 0 ? Products(slice) : FurtherSlice(slice));
        return string.Join("\n", parts);
    }

    private string FurtherSlice(int slice) =>
        $$"""
            if (columns > {{Number(slice * text.ValueSlice)}})
            {
                Group.Barrier();
            {{Indent(LoadValues(slice), 1)}}
                Group.Barrier();
            {{Indent(Products(slice), 1)}}
            }
            """;

    private string Products(int slice)
    {
        List<int> blocks = Enumerable.Range(slice * BlocksOfSlice, BlocksOfSlice).Where(c => c < Blocks).ToList();
        string row = Number(text.ValueSlice / 4);
        string Value(int c) =>
            $"v{c} = values[key * {row} + threadColumn"
            + (c % BlocksOfSlice == 0 ? "" : $" + {8 * (c % BlocksOfSlice)}")
            + "]";
        return $$"""
            for (int key = 0; key < {{BlockN}}; key++)
            {
                {{Four}} {{string.Join(", ", Enumerable.Range(0, RowFours).Select(r => $"p{r} = scores[key * scoreStride + threadRow * {RowFours} + {r}]"))}};
                {{Four}} {{string.Join(", ", blocks.Select(Value))}};
            {{Indent(
                Lines(
                    Rows,
                    i =>
                        string.Join(
                            " ",
                            blocks.Select(c => $"o{i}_{c} = {Four}.Add(o{i}_{c}, p{i / 4}.{Components[i % 4]}, v{c});")
                        )
                ),
                1
            )}}
            }
            """;
    }

    private string Close() =>
        $$"""
            if (Group.IdxX < item.Rows & item.FirstColumn == 0 & tensors.LogSumExp.Length > 0)
            {
                long index = ((long)item.Batch * call.QueryHeads + item.Head) * call.QueryLength + item.FirstRow + Group.IdxX;
                tensors.LogSumExp[index] = row.Sum == 0 ? {{Real}}.NegativeInfinity : row.Maximum + PortableMath.Log(row.Sum);
            }
            if (item.FirstColumn == 0)
                PortableTile.Count(tensors.TileCounts, full, partial, (item.KeyLength + {{Number(
                text.BlockN - 1
            )}}) / {{BlockN}});

            // Outputs over their rows' sums; 0 stands for a row that kept nothing. They leave through shared memory, {{BlockColumns}} columns at a time.
            Group.Barrier();
            if (Group.IdxX < tileRows)
                fades.Cast<{{Real}}>()[Group.IdxX] = row.Sum == 0 ? 0 : (TMods.HasDropout ? 65536 / ({{Real}})(65536 - (int)call.DropoutThreshold) : 1) / row.Sum;
            Group.Barrier();
            {{Lines(RowFours, r => $"{Four} g{r} = fades[threadRow * {RowFours} + {r}];")}}
            int place = threadRow * {{Number(8 * Rows)}} + threadColumn;
            {{Lines(Blocks, Leave)}}
            """;

    private string Leave(int block)
    {
        string column = block == 0 ? "" : " + " + Number(block * BlockColumns);
        string left = block == 0 ? "columns" : $"columns - {Number(block * BlockColumns)}";
        string barrier = block == 0 ? "" : "Group.Barrier();\n";
        string Stage(int i) =>
            $"scores[place{(i == 0 ? "" : " + " + Number(8 * i))}] = {Four}.Finish(o{i}_{block}, g{i / 4}.{Components[i % 4]});";
        return $$"""
            {{barrier}}{{Lines(Rows / 2, i => Stage(2 * i) + " " + Stage(2 * i + 1))}}
            Group.Barrier();
            PortableTiles.Store<TStored, {{Real}}, TElement, TGroup>(scores.Cast<{{Real}}>(), {{BlockColumns}}, {{BlockColumns}}, tensors.Output, outputStart{{column}}, call.OutputStrides.Row, item.Rows, {{left}});
            """;
    }
}
