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

let private batch, heads, queries, valueDim, columns = 2, 3, 2, 40, 64
let private rows = batch * heads * queries

type private Launch =
    delegate of
        AcceleratorStream *
        KernelConfig *
        PortableCall *
        ArrayView<float32> *
        ArrayView<uint16> *
        ArrayView<float32> *
        int *
        int *
        int *
        int *
        int ->
            unit

/// Outputs and log-sum-exps of the parts, and what they are together: row 0 keeps nothing, row 1 nothing in one part.
let private parts (random: Random) count =
    let outputs =
        Array.init (count * rows * columns) (fun _ -> random.NextSingle() * 4f - 2f)

    let sums =
        Array.init (count * rows) (fun index ->
            match index % rows with
            | 0 -> -infinityf
            | 1 when index / rows = count - 1 -> -infinityf
            | _ -> random.NextSingle() * 60f - 30f)

    let weight part row = exp (float sums[part * rows + row])

    let total row =
        Seq.sum [ for part in 0 .. count - 1 -> weight part row ]

    let output row column =
        if total row = 0.0 then
            0.0
        else
            Seq.sum
                [
                    for part in 0 .. count - 1 ->
                        weight part row * float outputs[(part * rows + row) * columns + column]
                ]
            / total row

    Array.append outputs sums, output, (fun row -> log (total row))

[<Tests>]
let tests =
    testSequenced (
        testList
            "Cuda.Merge"
            [
                for isBFloat16, count in [ false, 5; true, 5; false, 131 ] do
                    test $"{count} parts are weighted by exp(log-sum-exp), bfloat16 {isBFloat16}" {
                        let values, expected, expectedSum = parts (Random Settings.seed) count
                        let accelerator = Devices.simulator.Value

                        let entry =
                            EntryPointDescription.FromExplicitlyGroupedKernel TensorMerge.Kernel.Method

                        use parts = accelerator.Allocate1D<float32> values
                        // Heads have a gap behind them, which stays as it was.
                        let stride = int64 (queries * valueDim + 8)

                        use output =
                            accelerator.Allocate1D<uint16>(Array.create (int stride * batch * heads) 12345us)

                        use sums = accelerator.Allocate1D<float32> rows

                        let mutable call =
                            PortableCall(QueryHeads = heads, QueryLength = queries, ValueDim = valueDim)

                        call.OutputStrides <- TensorStrides(stride * int64 heads, stride, int64 valueDim)

                        let mutable work = TensorWork(Parts = count, Rows = rows)

                        let struct (groups, threads, shares) =
                            TensorMerge.Distribution(&work, valueDim, 1000, accelerator.MaxNumThreadsPerGroup)

                        let specialization = KernelSpecialization(threads, Nullable())

                        use kernel =
                            accelerator.LoadKernel(accelerator.CompileKernel(&entry, &specialization))

                        let launch = kernel.CreateLauncherDelegate<Launch>()

                        launch.Invoke(
                            accelerator.DefaultStream,
                            KernelConfig(groups, threads),
                            call,
                            parts.View.BaseView,
                            output.View.BaseView,
                            sums.View.BaseView,
                            rows,
                            count,
                            columns,
                            shares,
                            (if isBFloat16 then 1 else 0)
                        )

                        accelerator.Synchronize()
                        let output, sums = output.GetAsArray1D(), sums.GetAsArray1D()

                        for row in 0 .. rows - 1 do
                            for column in 0 .. valueDim - 1 do
                                let bits = output[row / queries * int stride + row % queries * valueDim + column]

                                let actual =
                                    if isBFloat16 then
                                        float (BitConverter.UInt32BitsToSingle(uint32 bits <<< 16))
                                    else
                                        float (BitConverter.UInt16BitsToHalf bits)

                                let wanted = expected row column
                                let ulp = if isBFloat16 then 1.0 / 256.0 else 1.0 / 2048.0
                                Expect.isLessThan (abs (actual - wanted)) (abs wanted * ulp + 1e-6) $"{row}, {column}"

                            if row % queries = 0 && row > 0 then
                                Expect.equal output[row / queries * int stride - 1] 12345us "the gap"

                            if row = 0 then
                                Expect.equal sums[0] -infinityf "a row that keeps nothing"
                            else
                                Expect.floatClose Accuracy.medium (float sums[row]) (expectedSum row) "log-sum-exp"
                    }

                test "a device of NVIDIA's can run it" {
                    let struct (_, ptx) = TensorCompiler.Compile(TensorMerge.Kernel, "sm_80", false)
                    Expect.isFalse (ptx.Contains ".extern .func") "no call of what is not there"
                    Expect.isFalse (ptx.Contains ".local") "nothing outside registers"
                }

                test "few rows have all shares and many have one" {
                    for rows, parts, valueDim, expected in
                        [
                            32, 16, 128, struct (128, 256, 8)
                            32, 3, 128, struct (64, 192, 3)
                            2048, 2, 128, struct (2048, 128, 1)
                            2048, 2, 40, struct (2048, 128, 2)
                            1, 2, 256, struct (2, 256, 2)
                        ] do
                        let mutable work = TensorWork(Parts = parts, Rows = rows)

                        Expect.equal
                            (TensorMerge.Distribution(&work, valueDim, 132))
                            expected
                            $"{rows} rows, {parts} parts"
                }
            ]
    )
