/// The group that is done last puts parts of keys together: when, and that it does, by a run of its PTX on the CPU.
module FlashGen.Tests.Cuda.LastPartTests

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests

let private outputs, sums, counters, results =
    1L <<< 20, 2L <<< 20, 3L <<< 20, 4L <<< 20

/// Hopper's float16 kernel without a mask for a number of columns, with its merge.
let private kernelFor columns =
    let struct (_, kernel) =
        TensorKernels.Of FlashGen.Kernels.Full.Variant
        |> Seq.find (fun struct (plan, _) ->
            plan.Target = Target.Sm90
            && plan.ElementType = ElementType.Float16
            && plan.HeadDim = columns
            && plan.ShapeClass = "long")

    let struct (_, ptx) = TensorCompiler.Compile(kernel, "sm_90a", false, true)
    kernel.BlockM, PtxRun.parse ptx

let private bytesOf (value: 'T) =
    MemoryMarshal.AsBytes(ReadOnlySpan<'T> [| value |]).ToArray()

type private Case =
    {
        Batch: int
        KeyHeads: int
        GroupSize: int
        Queries: int
        ValueDim: int
        Columns: int
        Parts: int
        HeadBits: int
        /// Units in front of those that are split, which have all keys of their rows.
        Whole: int
        HasSums: bool
    }

let private case =
    {
        Batch = 1
        KeyHeads = 1
        GroupSize = 4
        Queries = 1
        ValueDim = 128
        Columns = 128
        Parts = 4
        HeadBits = 2
        Whole = 0
        HasSums = true
    }

/// Fills the parts' results of all rows that there are, and nothing else of the workspace; what each output and log-sum-exp is then, by its
/// address.
let private fill (random: Random) (case: Case) (work: TensorWork) tileRows strides (device: PtxRun.Memory) =
    let expected, expectedSums = Dictionary<int64, float>(), Dictionary<int64, float>()
    let rowBytes = int64 (4 * TensorMerge.RowFloats case.Columns)
    let mutable work = work
    let struct (ofBatch, ofHead, ofRow) = strides

    for unit in work.Whole .. work.Parts .. work.Units - 1 do
        let place = TensorPlace.Of(&work, unit, false, tileRows, case.Queries, false)

        for row in 0 .. work.Rows - 1 do
            let ofKeyHead = place.FirstHead + (row &&& ((1 <<< work.HeadBits) - 1))
            let query = place.FirstRow + (row >>> work.HeadBits)

            if ofKeyHead < case.GroupSize && query - place.FirstRow < place.Rows then
                // Rows that keep nothing, in all parts or in the last one.
                let kind = random.Next 4

                let parts =
                    [
                        for part in 0 .. case.Parts - 1 ->
                            if kind = 0 || kind = 1 && part = case.Parts - 1 then
                                -infinityf, Array.zeroCreate case.Columns
                            else
                                random.NextSingle() * 40f - 20f,
                                Array.init case.Columns (fun _ -> random.NextSingle() * 4f - 2f)
                    ]

                parts
                |> List.iteri (fun part (sum, values) ->
                    let at = results + rowBytes * int64 ((place.Slot + part) * work.Rows + row)
                    device.Write(at, MemoryMarshal.AsBytes(ReadOnlySpan<float32> values).ToArray())
                    device.Write(at + int64 (4 * case.Columns), BitConverter.GetBytes sum))

                let total = parts |> List.sumBy (fun (sum, _) -> exp (float sum))
                let head = place.KeyHead * case.GroupSize + ofKeyHead

                let start = int64 place.Batch * ofBatch + int64 head * ofHead + int64 query * ofRow

                for column in 0 .. case.ValueDim - 1 do
                    expected[outputs + 2L * (start + int64 column)] <-
                        if total = 0.0 then
                            0.0
                        else
                            (parts
                             |> List.sumBy (fun (sum, values) -> exp (float sum) * float values[column]))
                            / total

                let number =
                    (place.Batch * case.KeyHeads * case.GroupSize + head) * case.Queries + query

                expectedSums[sums + 4L * int64 number] <- log total

    expected, expectedSums

let private check (case: Case) =
    let tileRows, program = kernelFor case.Columns
    let tileQueries = tileRows >>> case.HeadBits
    let sets = (case.GroupSize + (1 <<< case.HeadBits) - 1) >>> case.HeadBits
    let tiles = case.Batch * case.KeyHeads * sets
    Expect.isLessThanOrEqual case.Queries tileQueries "a tile for each set of heads"

    let work =
        TensorWork(
            HeadBits = case.HeadBits,
            TilesOfUnit = 1,
            QueryTiles = 1,
            SetsOfKeyHead = sets,
            SetsOfBatch = sets * case.KeyHeads,
            Rows = (case.Queries <<< case.HeadBits),
            Parts = case.Parts,
            Whole = case.Whole,
            Units = case.Whole + (tiles - case.Whole) * case.Parts
        )

    // A group has a whole unit, then a part.
    let groups = if case.Whole > 0 then case.Whole else work.Units
    let mutable work = work.For(1, groups)
    Expect.isTrue (TensorLastPart.Takes(&work, groups, case.Columns)) "the kernel takes it"
    let heads = case.KeyHeads * case.GroupSize

    // With gaps.
    let struct (ofBatch, ofHead, ofRow) as strides =
        struct (int64 (heads * case.Queries * case.ValueDim + 24),
                int64 (case.Queries * case.ValueDim + 2),
                int64 case.ValueDim)

    let mutable call =
        PortableCall(
            QueryHeads = heads,
            GroupSize = case.GroupSize,
            QueryLength = case.Queries,
            ValueDim = case.ValueDim
        )

    call.OutputStrides <- TensorStrides(ofBatch, ofHead, ofRow)
    let random = Random Settings.seed
    let device = PtxRun.Memory()
    device.Write(counters, Array.zeroCreate (4 * tiles))
    let expected, expectedSums = fill random case work tileRows strides device

    let parameters =
        Map
            [
                "call", bytesOf call
                "work", bytesOf work
                "output", bytesOf outputs
                "logSumExp", bytesOf (if case.HasSums then sums else 0L)
                "parts", bytesOf results
                "arrivals", bytesOf counters
            ]

    let order = [| 0 .. groups - 1 |]

    // The second call finds the counters as the first one left them.
    for _ in 1..2 do
        random.Shuffle order

        for group in order do
            PtxRun.runBehindUnits program parameters device group groups

        Expect.allEqual (device.Read(counters, 4 * tiles)) 0uy "counters"

    for KeyValue(address, wanted) in expected do
        let actual = float (BitConverter.ToHalf(device.Read(address, 2), 0))
        Expect.isLessThan (abs (actual - wanted)) (abs wanted / 1024.0 + 1e-6) $"output at {address - outputs}"

    if case.HasSums then
        for KeyValue(address, wanted) in expectedSums do
            let actual = float (BitConverter.ToSingle(device.Read(address, 4), 0))

            if Double.IsNegativeInfinity wanted then
                Expect.equal actual wanted "a row that keeps nothing"
            else
                Expect.isLessThan (abs (actual - wanted)) 1e-4 "log-sum-exp"

    let written =
        device.Addresses
        |> Seq.filter (fun address -> address >= outputs && address < counters)
        |> Seq.length

    Expect.equal written (2 * expected.Count + (if case.HasSums then 4 * expectedSums.Count else 0)) "nothing else"

[<Tests>]
let tests =
    testList
        "Cuda.LastPart"
        [
            test "a kernel puts few rows' parts together itself, where its groups are done then and the parts fit" {
                let takes whole tilesOfUnit rows parts tiles groups =
                    let mutable work =
                        TensorWork(
                            Whole = whole,
                            TilesOfUnit = tilesOfUnit,
                            Rows = rows,
                            Parts = parts,
                            Units = whole + tiles * parts
                        )

                    TensorLastPart.Takes(&work, groups, 128)

                Expect.isTrue (takes 0 1 4 16 8 128) "one query of 32 heads over 8"
                Expect.isTrue (takes 132 1 4 4 28 132) "parts of a last round"
                Expect.isFalse (takes 0 1 4 1 0 8) "nothing split"
                Expect.isFalse (takes 132 1 4 8 28 132) "two rounds of parts"
                Expect.isFalse (takes 132 2 4 4 28 132) "pairs of tiles"
                Expect.isTrue (takes 0 1 24 2 32 128) "24 rows of 32 tiles"
                Expect.isFalse (takes 0 1 24 2 64 128) "24 rows of 64 tiles"
                Expect.isFalse (takes 0 1 25 2 8 128) "more rows than a group is quick at"
                Expect.isTrue (takes 0 1 16 11 8 128) "16 rows of 11 parts"
                Expect.isFalse (takes 0 1 16 12 8 128) "more than a group is quick at"
            }

            test "where there is a kernel for few rows, no other puts parts together" {
                let plan target dim rows =
                    PlanInfo(target, ElementType.Float16, dim, dim, "", "", 0, 0, MaxRows = rows)

                let few, long, wide, ampere =
                    plan Target.Sm90 64 64, plan Target.Sm90 64 0, plan Target.Sm90 128 0, plan Target.Sm80 64 0

                let merging =
                    [ few; long; wide; ampere ]
                    |> List.filter (fun plan -> TensorKernels.MayMerge(plan, [ few; long; wide; ampere ]))

                Expect.equal merging [ few; wide; ampere ] "all but the longer one of the same dimensions"
            }

            for about, case in
                [
                    "16 parts", { case with Parts = 16; KeyHeads = 2 }
                    "a group of three heads",
                    { case with
                        GroupSize = 3
                        Batch = 2
                        Parts = 5
                    }
                    "nine heads in two tiles",
                    { case with
                        GroupSize = 9
                        HeadBits = 3
                        ValueDim = 120
                    }
                    "more parts than a warp has threads",
                    { case with
                        GroupSize = 1
                        HeadBits = 0
                        Parts = 40
                    }
                    "some queries",
                    { case with
                        GroupSize = 2
                        HeadBits = 1
                        Queries = 7
                        ValueDim = 99
                    }
                    "no log-sum-exp", { case with HasSums = false }
                    "behind whole units",
                    { case with
                        Batch = 11
                        Whole = 8
                        Parts = 2
                    }
                    "64 columns",
                    { case with
                        Columns = 64
                        ValueDim = 64
                        Parts = 6
                    }
                    "96 columns",
                    { case with
                        Columns = 96
                        ValueDim = 90
                    }
                    "192 columns",
                    { case with
                        Columns = 192
                        ValueDim = 192
                    }
                    "256 columns",
                    { case with
                        Columns = 256
                        ValueDim = 250
                    }
                ] do
                test $"the group that is done last puts parts together: {about}" { check case }
        ]
