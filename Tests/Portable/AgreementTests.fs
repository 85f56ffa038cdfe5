/// Devices and the CPU's vectors give the same; dropout to the bit.
module FlashGen.Tests.Portable.AgreementTests

open System
open Expecto
open ILGPU
open ILGPU.Runtime
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels.Calls

let private onDevice (accelerator: Accelerator) (variant: AttentionVariant) (shape: AttentionShape) tensors arguments =
    use kernels = variant.Load accelerator
    let output = Array.create (int (shape.OutputElements variant.Layout)) nan
    let logSumExp = Array.create (int shape.LogSumExpElements) nan

    let faulted, _ =
        Devices.run<float, float>
            kernels
            shape
            (tensors.Query, tensors.Key, tensors.Value)
            (if isNull arguments then ModArguments() else arguments)
            output
            logSumExp

    Expect.isFalse faulted "no fault"
    output, logSumExp

/// Both simulators: their tiles differ in rows.
let private devices =
    [ "groups of 32", Devices.simulator; "groups of 16", Devices.defaultDevice ]

[<Tests>]
let agreement =
    testSequenced (
        testList
            "Portable.Agreement"
            [
                for device, accelerator in devices do
                    for name in [ "TileSizes.Planned"; "TileSizes.Short"; "TileSizes.Odd"; "Laws.Plain" ] do
                        test $"{name} on {device}: the CPU's result in float64" {
                            let variant = variant name
                            let random = Random(Settings.seed)
                            let shape = AttentionShape(1, 2, 1, 45, 101, 23, 41)

                            let arguments =
                                if variant.Arguments.Count = 0 then
                                    null
                                else
                                    ModArguments()
                                        .Add("slopes", floats random 2 0.3f)
                                        .Add("dropout", Dropout(0.35f, 91UL, 4u))

                            let tensors = float64s random variant shape
                            let a, la = run64 variant shape tensors arguments AttentionOptions.Default
                            let b, lb = onDevice accelerator.Value variant shape tensors arguments
                            Expect.isLessThan (apart a b) 1e-12 "output"
                            Expect.isLessThan (apart la lb) 1e-12 "log-sum-exp"
                        }
            ]
    )

[<Tests>]
let dropout =
    testSequenced (
        testList
            "Portable.Dropout"
            [
                for device, accelerator in devices do
                    for name in [ "Dropped"; "Dropped16" ] do
                        test $"{name} on {device} drops what the CPU drops, entry for entry" {
                            // Equal scores and values that are the identity: the output is the dropout mask itself.
                            let random = Random(Settings.seed + 3)
                            let batch, heads, queries, keys = 1, 2, 37, 101
                            let shape = AttentionShape(batch, heads, heads, queries, keys, 4, keys)
                            let variant = variant $"Laws.{name}"
                            let dropout = Dropout(0.4f, uint64 (random.NextInt64()), uint32 (random.Next()))
                            let arguments = ModArguments().Add("dropout", dropout)

                            let tensors =
                                { float64s random variant shape with
                                    Query = Array.zeroCreate (batch * heads * queries * 4)
                                    Value =
                                        Array.init (batch * heads * keys * keys) (fun at ->
                                            let at = at % (keys * keys)
                                            if at / keys = at % keys then 1.0 else 0.0)
                                }

                            let onCpu, _ = run64 variant shape tensors arguments AttentionOptions.Default
                            let onDevice, _ = onDevice accelerator.Value variant shape tensors arguments
                            let mutable dropped = 0

                            for at in 0 .. onDevice.Length - 1 do
                                let row, key = at / keys, at % keys

                                let draw =
                                    Philox.Draw(
                                        dropout.Seed,
                                        dropout.Offset,
                                        uint32 (row / queries),
                                        uint32 (row % queries),
                                        uint32 key
                                    )

                                if int draw < dropout.Threshold then
                                    dropped <- dropped + 1

                                if
                                    (onDevice[at] = 0.0) <> (int draw < dropout.Threshold)
                                    || (onCpu[at] = 0.0) <> (onDevice[at] = 0.0)
                                then
                                    failtest
                                        $"row {row}, key {key}: {onDevice[at]}, on the CPU {onCpu[at]}, draw {draw}"

                            Expect.isGreaterThan dropped (onDevice.Length / 3) "some are dropped"
                            Expect.isLessThan dropped (onDevice.Length / 2) "some are kept"
                        }
            ]
    )

[<Tests>]
let typed =
    testSequenced (
        testList
            "Portable.Typed"
            [
                test "the class's own Forward is what the call by name runs, with its tables as views" {
                    let accelerator = Devices.simulator.Value
                    let random = Random(Settings.seed + 5)
                    let variant = FlashGen.Kernels.Alibi.Variant
                    let mutable shape = AttentionShape(1, 2, 1, 40, 60, 16)
                    let tensors = float32s random variant shape
                    let slopes = floats random 2 0.5f
                    use kernels = FlashGen.Kernels.Alibi.Load accelerator
                    use query = accelerator.Allocate1D tensors.Query
                    use key = accelerator.Allocate1D tensors.Key
                    use value = accelerator.Allocate1D tensors.Value
                    use output = accelerator.Allocate1D<float32>(int64 tensors.Query.Length)
                    use table = accelerator.Allocate1D slopes
                    use stream = accelerator.CreateStream()

                    kernels.Forward(
                        stream,
                        query.View.BaseView,
                        key.View.BaseView,
                        value.View.BaseView,
                        output.View.BaseView,
                        &shape,
                        table.View.BaseView
                    )

                    stream.Synchronize()

                    let byName = Array.create tensors.Query.Length nanf

                    Devices.run<float32, float32>
                        kernels
                        shape
                        (tensors.Query, tensors.Key, tensors.Value)
                        (ModArguments().Add("slopes", slopes))
                        byName
                        [||]
                    |> ignore

                    Expect.equal (output.GetAsArray1D()) byName "the same bits"

                    let onCpu, _ =
                        run32 variant shape tensors (ModArguments().Add("slopes", slopes)) AttentionOptions.Default

                    Expect.isLessThan (apart32 byName onCpu) 2e-6 "what the CPU gives"
                }

                test "two threads may load and queue at once" {
                    let accelerator = Devices.simulator.Value
                    let variant = variant "Laws.Causal"
                    let shape = AttentionShape(1, 1, 1, 33, 33, 16)
                    let tensors = float32s (Random 3) variant shape
                    use kernels = variant.Load accelerator

                    let once _ =
                        let output = Array.create (33 * 16) nanf

                        Devices.run<float32, float32>
                            kernels
                            shape
                            (tensors.Query, tensors.Key, tensors.Value)
                            (ModArguments())
                            output
                            [||]
                        |> ignore

                        output

                    let results =
                        Threading.Tasks.Task.WhenAll [| for i in 1..3 -> Threading.Tasks.Task.Run(fun () -> once i) |]

                    let expected, _ = run32 variant shape tensors null AttentionOptions.Default

                    for output in results.Result do
                        Expect.isLessThan (apart32 output expected) 2e-6 "output"
                }
            ]
    )
