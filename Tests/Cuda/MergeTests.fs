/// Parts of keys put together: on ILGPU's simulator against a sum in float64, and as PTX.
module FlashGen.Tests.Cuda.MergeTests

open System
open Expecto
open ILGPU
open ILGPU.Backends.EntryPoints
open ILGPU.Backends.PTX
open ILGPU.Runtime
open ILGPU.Runtime.Cuda
open FlashGen
open FlashGen.Support
open FlashGen.Tests
open FlashGen.Tests.Portable

let private batch, heads, queries, valueDim, columns = 2, 3, 2, 40, 64
let private rows = batch * heads * queries

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
                        use parts = accelerator.Allocate1D<float32> values
                        // Heads have a gap behind them, which stays as it was.
                        let stride = int64 (queries * valueDim + 8)

                        use output =
                            accelerator.Allocate1D<uint16>(Array.create (int stride * batch * heads) 12345us)

                        use sums = accelerator.Allocate1D<float32> rows

                        let mutable call =
                            PortableCall(QueryHeads = heads, QueryLength = queries, ValueDim = valueDim)

                        call.OutputStrides <- TensorStrides(stride * int64 heads, stride, int64 valueDim)

                        let mutable tensors = PortableTensors<uint16, float32>()
                        tensors.Output <- output.View.BaseView
                        tensors.LogSumExp <- sums.View.BaseView
                        let mutable work = TensorWork(Parts = count, Rows = rows)
                        use merge = new TensorMerge(accelerator)

                        merge.Run(
                            accelerator.DefaultStream,
                            &call,
                            &tensors,
                            &work,
                            parts.View.BaseView,
                            columns,
                            isBFloat16
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
                    use context =
                        Context.Create(fun builder -> builder.Optimize OptimizationLevel.O1 |> ignore)

                    use backend =
                        new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null)

                    let entry = EntryPointDescription.FromExplicitlyGroupedKernel TensorMerge.Method
                    let specialization = KernelSpecialization(256, Nullable())
                    let kernel = backend.Compile(&entry, &specialization)
                    let ptx = (kernel :?> PTXCompiledKernel).PTXAssembly
                    Expect.isFalse (ptx.Contains ".extern .func") "no call of what is not there"
                }
            ]
    )
