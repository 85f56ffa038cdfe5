/// Parts of keys put together: on ILGPU's simulator against a sum in float64, and as PTX.
module FlashGen.Tests.Cuda.MergeTests

open System
open Expecto
open ILGPU
open ILGPU.Backends.EntryPoints
open ILGPU.Runtime
open FlashGen
open FlashGen.Support
open FlashGen.Tests
open FlashGen.Tests.Portable

let private batch, keyHeads, groupSize, queries, valueDim, columns =
    2, 2, 3, 7, 40, 64

let private heads = keyHeads * groupSize
let private rows = batch * heads * queries
let private tileRows = 8

type private Launch =
    delegate of
        AcceleratorStream *
        KernelConfig *
        PortableCall *
        TensorWork *
        ArrayView<float32> *
        ArrayView<uint16> *
        ArrayView<float32> *
        int *
        int *
        int *
        int ->
            unit

/// Tiles of rows of one head or of four that share them, alone or in pairs, of which some units are whole.
let private work headBits tilesOfUnit whole parts =
    let tileQueries = tileRows >>> headBits
    let queryTiles = (queries + tileQueries - 1) / tileQueries
    let sets = (groupSize + (1 <<< headBits) - 1) >>> headBits
    let units = batch * keyHeads * sets * ((queryTiles + tilesOfUnit - 1) / tilesOfUnit)

    TensorWork(
        HeadBits = headBits,
        TilesOfUnit = tilesOfUnit,
        QueryTiles = queryTiles,
        SetsOfKeyHead = sets,
        SetsOfBatch = sets * keyHeads,
        Rows = (min queries tileQueries <<< headBits),
        Parts = parts,
        Whole = whole,
        Units = whole + (units - whole) * parts
    )
        .For(1, 1)

/// Each split row, by its number among all, and where its results of one part after another are.
let private splitRows (work: TensorWork) =
    [
        for unit in work.Whole .. work.Units - 1 do
            for second in 0 .. work.TilesOfUnit - 1 do
                let place = TensorPlace.Of(&work, unit, (second = 1), tileRows, queries, false)

                for row in 0 .. work.Rows - 1 do
                    let head = place.FirstHead + (row &&& ((1 <<< work.HeadBits) - 1))
                    let query = row >>> work.HeadBits

                    if head < groupSize && query < place.Rows then
                        let ofAll = (place.Batch * keyHeads + place.KeyHead) * groupSize + head
                        ofAll * queries + place.FirstRow + query, place.Slot * work.Rows + row
    ]
    |> List.groupBy fst
    |> List.map (fun (row, places) -> row, List.map snd places)

let private sumOf place =
    place * TensorMerge.RowFloats columns + columns

/// Outputs and log-sum-exps of the parts, and what they are together: one row keeps nothing, another nothing in its last part.
let private parts (random: Random) (work: TensorWork) splitRows =
    let values =
        Array.init (int (TensorMerge.Floats(&work, columns))) (fun _ -> random.NextSingle() * 4f - 2f)

    splitRows
    |> List.iteri (fun number (_, places) ->
        places
        |> List.iteri (fun part place ->
            values[sumOf place] <-
                match number with
                | 0 -> -infinityf
                | 1 when part = work.Parts - 1 -> -infinityf
                | _ -> random.NextSingle() * 60f - 30f))

    let weight place = exp (float values[sumOf place])
    let total places = List.sumBy weight places

    let output places column =
        if total places = 0.0 then
            0.0
        else
            (places
             |> List.sumBy (fun place -> weight place * float values[place * TensorMerge.RowFloats columns + column]))
            / total places

    values, output, total >> log

[<Tests>]
let tests =
    testSequenced (
        testList
            "Cuda.Merge"
            [
                for isBFloat16, count, headBits, tilesOfUnit, whole, processors in
                    [
                        false, 5, 0, 1, 0, 1000
                        true, 5, 0, 1, 5, 1000
                        false, 131, 2, 1, 0, 1000
                        false, 3, 2, 2, 3, 1000
                        true, 2, 1, 2, 1, 1000
                        // So few multiprocessors that the rows are many.
                        false, 5, 0, 1, 0, 1
                        true, 3, 0, 2, 5, 1
                        false, 4, 2, 1, 3, 1
                    ] do
                    let about =
                        $"{count} parts, bfloat16 {isBFloat16}, {1 <<< headBits} heads and {tilesOfUnit} tiles a unit, {whole} whole, {processors} multiprocessors"

                    test $"parts are weighted by exp(log-sum-exp): {about}" {
                        let mutable work = work headBits tilesOfUnit whole count
                        let splitRows = splitRows work
                        Expect.all splitRows (fun (_, places) -> places.Length = count) "every part of a row"
                        let values, expected, expectedSum = parts (Random Settings.seed) work splitRows
                        let accelerator = Devices.simulator.Value

                        use parts = accelerator.Allocate1D<float32> values
                        // Heads have a gap behind them, which stays as it was, as rows do whose keys are not split.
                        let stride = queries * valueDim + 8

                        use output =
                            accelerator.Allocate1D<uint16>(Array.create (stride * batch * heads) 12345us)

                        use sums = accelerator.Allocate1D<float32>(Array.create rows 54321f)

                        let mutable call =
                            PortableCall(
                                QueryHeads = heads,
                                GroupSize = groupSize,
                                QueryLength = queries,
                                ValueDim = valueDim
                            )

                        call.OutputStrides <- TensorStrides(int64 (stride * heads), int64 stride, int64 valueDim)

                        let struct (merge, groups, threads, ofRow) =
                            TensorMerge.Distribution(&work, valueDim, processors, accelerator.MaxNumThreadsPerGroup)

                        Expect.equal (merge = TensorMerge.OfManyRows) (processors = 1) "the kernel"
                        let entry = EntryPointDescription.FromExplicitlyGroupedKernel merge.Method

                        let specialization = KernelSpecialization(threads, Nullable())

                        use kernel =
                            accelerator.LoadKernel(accelerator.CompileKernel(&entry, &specialization))

                        let launch = kernel.CreateLauncherDelegate<Launch>()

                        launch.Invoke(
                            accelerator.DefaultStream,
                            KernelConfig(groups, threads),
                            call,
                            work,
                            parts.View.BaseView,
                            output.View.BaseView,
                            sums.View.BaseView,
                            tileRows,
                            columns,
                            (if isBFloat16 then 1 else 0),
                            ofRow
                        )

                        accelerator.Synchronize()
                        let output, sums = output.GetAsArray1D(), sums.GetAsArray1D()
                        let written = System.Collections.Generic.HashSet<int>()

                        splitRows
                        |> List.iteri (fun number (row, places) ->
                            for column in 0 .. valueDim - 1 do
                                let at = row / queries * stride + row % queries * valueDim + column
                                written.Add at |> ignore
                                let bits = output[at]

                                let actual =
                                    if isBFloat16 then
                                        float (BitConverter.UInt32BitsToSingle(uint32 bits <<< 16))
                                    else
                                        float (BitConverter.UInt16BitsToHalf bits)

                                let wanted = expected places column
                                let ulp = if isBFloat16 then 1.0 / 256.0 else 1.0 / 2048.0
                                Expect.isLessThan (abs (actual - wanted)) (abs wanted * ulp + 1e-6) $"{row}, {column}"

                            if number = 0 then
                                Expect.equal sums[row] -infinityf "a row that keeps nothing"
                            else
                                Expect.floatClose Accuracy.medium (float sums[row]) (expectedSum places) "log-sum-exp")

                        for at in 0 .. output.Length - 1 do
                            if not (written.Contains at) then
                                Expect.equal output[at] 12345us "gaps and whole rows"

                        let ofSplit = splitRows |> List.map fst |> Set.ofList
                        Expect.equal (ofSplit.Count < rows) (whole > 0) "whole units leave rows"

                        for row in 0 .. rows - 1 do
                            if not (ofSplit.Contains row) then
                                Expect.equal sums[row] 54321f "log-sum-exp of a whole row"
                    }

                test "a device of NVIDIA's can run it" {
                    for merge in [ TensorMerge.OfFewRows; TensorMerge.OfManyRows ] do
                        let struct (_, ptx) = TensorCompiler.Compile(merge, "sm_80", false)
                        Expect.isFalse (ptx.Contains ".extern .func") "no call of what is not there"
                        Expect.isFalse (ptx.Contains ".local") "nothing outside registers"
                }

                test "few rows have shares, many have threads of their own" {
                    for rows, parts, valueDim, expected in
                        [
                            32, 16, 128, struct (TensorMerge.OfFewRows, 128, 256, 8)
                            32, 3, 128, struct (TensorMerge.OfFewRows, 64, 192, 3)
                            2048, 2, 128, struct (TensorMerge.OfManyRows, 128, 256, 16)
                            1056, 2, 40, struct (TensorMerge.OfFewRows, 1056, 128, 2)
                            1100, 2, 40, struct (TensorMerge.OfManyRows, 22, 256, 5)
                            1, 2, 256, struct (TensorMerge.OfFewRows, 2, 256, 2)
                        ] do
                        let mutable work =
                            TensorWork(Parts = parts, Rows = rows, TilesOfUnit = 1, Units = parts)

                        Expect.equal
                            (TensorMerge.Distribution(&work, valueDim, 132))
                            expected
                            $"{rows} rows, {parts} parts"
                }
            ]
    )
