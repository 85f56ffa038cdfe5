using System.Collections.Generic;
using System.Linq;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>The tile operations that only Hopper has: barriers, copies and products, each one block of PTX.</summary>
internal sealed partial class Sm90Emitter
{
    // Named barriers of the consumers; 0 is the whole group's.
    private const int FirstNamedBarrier = 1;

    private string Setup()
    {
        string descriptors =
            $".reg .b32 q<{(CanHoldQueries ? tile.HeadDim / 4 : 4)}>, b<4>;\n"
            + ".reg .b64 at, beside, address;\n.reg .b64 queryMapAt, keyMapAt, valueMapAt;\n.reg .pred clear, add, one;\n.reg .b32 column, target;";
        IEnumerable<string> Initialize()
        {
            yield return "mbarrier.init.shared::cta.b64 [%0], 1;";
            yield return "mbarrier.init.shared::cta.b64 [%0+8], %1;";
            for (int stage = 0; stage < tile.Stages; stage++)
            {
                int At(int kind) => 16 + 8 * (tile.Stages * kind + stage);
                yield return $"mbarrier.init.shared::cta.b64 [%0+{At(0)}], 1;";
                yield return $"mbarrier.init.shared::cta.b64 [%0+{At(1)}], %1;";
                yield return $"mbarrier.init.shared::cta.b64 [%0+{At(2)}], 1;";
                yield return $"mbarrier.init.shared::cta.b64 [%0+{At(3)}], %1;";
            }
            for (int place = 0; place < ChunksAhead; place++)
            {
                int at = ChunkBarriersAt - BarriersAt + 8 * place;
                yield return $"mbarrier.init.shared::cta.b64 [%0+{at}], {Searchers};";
                // Every warp that takes it: those that multiply, and the copying one.
                yield return $"mbarrier.init.shared::cta.b64 [%0+{at + 8 * ChunksAhead}], %2;";
            }
            // Of shared memory alone: the fence of all memory waits for the device's.
            yield return "fence.mbarrier_init.release.cluster; fence.proxy.async.shared::cta;";
        }
        return $$""""
            {{TensorPtx.Method(
                "The registers, all of them, in the kernel's first block.",
                "Declare",
                "",
                ptx.Declarations() + "\n" + descriptors + "\nsetp.ne.b32 clear, 0, 0; setp.eq.b32 add, 0, 0;",
                ""
            )}}

            /// <summary>The start of dynamic shared memory, at a multiple of 1024 bytes, which the swizzle of tiles wants.</summary>
            [MethodImpl(Inline)]
            private static int SharedBase()
            {
                SharedMemory.GetDynamic<int>();
                CudaAsm.Emit("mov.u32 %0, __dyn_shared_alloca;", out int start);
                return (start + 1023) & ~1023;
            }

            {{TensorPtx.Method(
                "Barriers: a full one waits for the copy engine's bytes, an empty one for every warp that multiplies.",
                "InitializeBarriers",
                "int barriers, int multiplying, int taking",
                TensorPtx.Pack(Initialize(), 4),
                "barriers, multiplying, taking"
            )}}

            {{TensorPtx.Method(
                "Ends the warpgroups that few queries leave without rows; as a branch around all that follows it would cost registers.",
                "EndIdle",
                "int consumers",
                "mov.u32 ti, %%tid.x; shr.u32 ti, ti, 7; setp.gt.u32 c, ti, %0; @c exit;",
                "consumers"
            )}}
            """";
    }

    private string Handing() =>
        $$""""
            {{TensorPtx.Method(
                "A warp says by one of its threads that it is done with a tile.",
                "Release",
                "int barrier",
                "elect.sync _|c, -1; @c mbarrier.arrive.shared::cta.b64 _, [%0];",
                "barrier"
            )}}

            /// <summary>
            /// The piece of 16 bytes of its warp's queries that a thread names to ldmatrix. Rows are 128 bytes, whose pieces are swapped by the row's number (PTX
            /// ISA, "Swizzling modes").
            /// </summary>
            [MethodImpl(Inline)]
            private static int QueryPiece(int shared, int number)
            {
                int lane = number & 31, row = 16 * ((number >> 5) - 4) + (lane & 15);
                return shared + 128 * row + ((lane >> 4 ^ lane & 7) << 4);
            }

            /// <summary>
            /// Keeps the driver's compiler from moving the softmax behind the wait that follows, and the wait before the softmax: a look at a
            /// barrier, whatever it shows, whose address the sums and the last probabilities are part of. None is negative, so it is always the
            /// same.
            /// </summary>
            [MethodImpl(Inline)]
            private static void StayBehindSoftmax(int barrier) => CudaAsm.Emit("""
                or.b32 ti, l0, l1;{{string.Concat(
                Enumerable.Range(ptx.ScoreRegisters - 4, 4).Select(i => $" or.b32 ti, ti, s{i};")
            )}}
                shr.u32 ti, ti, 28; and.b32 ti, ti, 8; add.s32 ti, ti, %0; mbarrier.test_wait.parity.shared::cta.b64 c, [ti], 0;
                """, barrier);
            """";

    private string Loads()
    {
        // From the inside out: columns, and the coordinates that the method is given.
        string Load(string what, string map, string coordinates, int rows, int slices)
        {
            string bytes = Number(rows * 128 * slices);
            string copies = Lines(
                slices,
                slice =>
                    $"mov.b32 column, {64 * slice}; add.s32 target, %0, {slice * rows * 128}; @one cp.async.bulk.tensor.{coordinates.Split(',').Length + 1}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [target], [{map}At, {{column, {string.Join(", ", Enumerable.Range(2, coordinates.Split(',').Length).Select(i => "%" + i))}}}], [%1];"
            );
            return TensorPtx.Method(
                $"Copies {what}: rows beyond the tensor and columns beyond its dimension become 0.",
                "Load" + char.ToUpperInvariant(what[0]) + what.Substring(1),
                "int tile, int barrier" + string.Concat(coordinates.Split(',').Select(name => ", int " + name.Trim())),
                $"mov.u32 ti, %%tid.x; setp.eq.u32 one, ti, 0; @one mbarrier.arrive.expect_tx.shared::cta.b64 _, [%1], {bytes};\n{copies}",
                "tile, barrier, " + coordinates
            );
        }
        string maps = string.Join(
            "\n",
            new[] { "queryMap", "keyMap", "valueMap" }.Select(map =>
                $"mov.b64 {map}At, {map}; cvta.param.u64 {map}At, {map}At; prefetch.tensormap [{map}At];"
            )
        );
        return string.Join(
            "\n\n",
            TensorPtx.Method(
                "The addresses of the tensor maps among the kernel's parameters; the copy engine fetches them while its first tile is found.",
                "MapAddresses",
                "",
                maps,
                ""
            ),
            Load("queries", "queryMap", "second, third, keyHead, batch", tile.BlockM, HeadSlices),
            Load("keys", "keyMap", "row, head, batch", tile.BlockN, HeadSlices),
            Load("values", "valueMap", "row, head, batch", tile.BlockN, ValueSlices),
            ClearBeyond()
        );
    }

    // Their probabilities are 0, but what stands there may be NaN.
    private string ClearBeyond() =>
        $$"""
            /// <summary>Clears the values of keys that a batch entry does not have, in the tile where it ends: the first of all.</summary>
            [MethodImpl(Inline)]
            private static void ClearBeyond(in PortableCall call, in PortableItem item, int values, int full, int phase, int firstKey, int group)
            {
                int kept = item.KeyLength - firstKey;
                if (kept >= {{tile.BlockN}} | item.KeyLength == call.KeyExtent)
                    return;
                Wait(full, phase);
                for (int i = Group.IdxX & 127; i < ({{tile.BlockN}} - kept) * {{8 * ValueSlices}}; i += 128)
                {
                    int row = kept + i / {{8 * ValueSlices}}, part = i % {{8 * ValueSlices}};
                    CudaAsm.Emit("st.shared.v4.b32 [%0], {0, 0, 0, 0};", values + part / 8 * {{tile.BlockN
                * 128}} + row * 128 + part % 8 * 16);
                }
                CudaAsm.Emit("fence.proxy.async.shared::cta; bar.sync %0, 128;", {{FirstNamedBarrier}} + group);
            }
            """;

    // Matrix descriptors (PTX ISA, "Matrix descriptor"). Lower word: address over 16, and from bit 16 on the offset of the core matrices
    // beside each other, over 16, which keys and queries do not need. Upper word: that of the core matrices below each other, 1024 bytes
    // over 16, and the swizzle of 128 bytes. Only the lower word changes, so the driver's compiler adds in uniform registers, where
    // descriptors must be.
    private const int KeyOffset = 1 << 16;

    private int ValueOffset => tile.BlockN * 128 >> 4 << 16;

    private static string UpperWord => $"mov.b32 th, {1024 >> 4 | 1 << 30};";

    private static string Descriptor(string register, string lower, int more) =>
        $"add.s32 ti, {lower}, {more}; mov.b64 {register}, {{ti, th}};";

    private static string Registers(string name, int first, int count) =>
        "{" + string.Join(",", Enumerable.Range(first, count).Select(i => name + i)) + "}";

    private string Products()
    {
        // Of queries from shared memory, or from the registers that hold them.
        string Scores(bool areHeld) =>
            Lines(
                tile.HeadDim / 16,
                step =>
                {
                    int query = (step / 4 * (tile.BlockM * 128) + step % 4 * 32) >> 4;
                    int key = (step / 4 * (tile.BlockN * 128) + step % 4 * 32) >> 4;
                    string product = $"wgmma.mma_async.sync.aligned.m64n{tile.BlockN}k16.f32.f16.f16 {{{{Scores}}}}";
                    string adds = step == 0 ? "clear" : "add";
                    return areHeld
                        ? $"{Descriptor("beside", "%0", key)} {product}, {Registers("q", 4 * step, 4)}, beside, {adds}, 1, 1, 0;"
                        : $"{Descriptor("at", "%0", query)} {Descriptor("beside", "%1", key)} {product}, at, beside, {adds}, 1, 1, 0, 0;";
                }
            );
        string outputs = Lines(
            tile.BlockN / 16,
            step =>
                $"{Descriptor("at", "%0", (step * 2048) >> 4)} wgmma.mma_async.sync.aligned.m64n{tile.ValueDim}k16.f32.f16.f16 {{{{Outputs}}}}, {Registers("p", 4 * step, 4)}, at, add, 1, 1, 1;"
        );
        return $$$$""""
            private const string Scores = "{{{{Registers("s", 0, ptx.ScoreRegisters)}}}}";

            private const string Outputs = "{{{{Registers("o", 0, ptx.OutputRegisters)}}}}";

            /// <summary>Scores of 64 rows: S = Q K^T, both read from shared memory, in steps of 16 dimensions.</summary>
            [MethodImpl(Inline)]
            private static void MultiplyKeys(int queryTile, int keyTile) => CudaAsm.Emit($$"""
                {{{{UpperWord}}}}
                wgmma.fence.sync.aligned;
            {{{{Indent(Scores(areHeld: false), 1)}}}}
                wgmma.commit_group.sync.aligned;
                """, queryTile, keyTile);{{{{(CanHoldQueries ? "\n\n" + HeldQueries(Scores(areHeld: true)) : "")}}}}

            /// <summary>Outputs of 64 rows: O += P V, probabilities from registers, in steps of 16 keys.</summary>
            [MethodImpl(Inline)]
            private static void MultiplyValues(int valueTile) => CudaAsm.Emit($$"""
                {{{{UpperWord}}}}
                wgmma.fence.sync.aligned;
            {{{{Indent(outputs, 1)}}}}
                wgmma.commit_group.sync.aligned;
                """, valueTile);
            """";
    }
}
