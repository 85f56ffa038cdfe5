/// What a call on a device cannot be: the exception names the argument, and nothing is queued.
module FlashGen.Tests.Portable.BadInputTests

open System
open Expecto
open ILGPU
open ILGPU.Runtime
open ILGPU.Runtime.CPU
open FlashGen
open FlashGen.Tests.Runtime.HandMade
open FlashGen.Tests.Kernels.Calls

let private sizes =
    AttentionShape(2, 2, 1, 5, 7, 8, KeyLengths = ReadOnlyMemory [| 7; 3 |])

/// One buffer for everything, so that parts of it can be given wrongly.
type private Call(accelerator: Accelerator, kernels: AttentionKernels) =
    let memory = accelerator.Allocate1D<float32>(Array.create 2000 0.5f)
    let slopes = accelerator.Allocate1D<float32> [| 0.1f; 0.2f |]

    let bytes first count =
        DeviceTensors.Bytes(memory.View.BaseView.SubView(int64 first, int64 count))

    member val Stream = accelerator.DefaultStream with get, set
    member val ElementType = ElementType.Float32 with get, set
    member val Query = bytes 0 160 with get, set
    member val Key = bytes 200 112 with get, set
    member val Value = bytes 400 112 with get, set
    member val Output = bytes 600 160 with get, set
    member val LogSumExp = bytes 800 20 with get, set
    member val Workspace = bytes 1000 4 with get, set
    member val Fault = ArrayView<int>.Empty with get, set
    member val Slopes = slopes.View.BaseView with get, set
    member val Shape = sizes with get, set
    member _.Part(first, count) = bytes first count
    member _.Memory = memory

    member this.Run() =
        let tensors =
            DeviceTensors(
                ElementType = this.ElementType,
                Query = this.Query,
                Key = this.Key,
                Value = this.Value,
                Output = this.Output,
                LogSumExp = this.LogSumExp,
                Workspace = this.Workspace,
                Fault = this.Fault
            )

        let mutable shape = this.Shape
        use arguments = new DeviceArguments()
        kernels.Forward(this.Stream, tensors, &shape, arguments.Add("slopes", this.Slopes))
        accelerator.Synchronize()

    interface IDisposable with
        member _.Dispose() =
            memory.Dispose()
            slopes.Dispose()

let private alibi () =
    FlashGen.Kernels.Alibi.Variant.Load Devices.simulator.Value

/// A call that is refused with a message of these parts, and leaves all memory as it was.
let private refuses<'E when 'E :> exn> parts (change: Call -> unit) =
    use kernels = alibi ()
    use call = new Call(Devices.simulator.Value, kernels)
    change call
    throws<'E> parts call.Run
    Expect.all (call.Memory.GetAsArray1D()) (fun value -> value = 0.5f) "nothing was written"

[<Tests>]
let tests =
    testSequenced (
        testList
            "Portable.BadInput"
            [
                test "the call itself is a good one" {
                    use kernels = alibi ()
                    use call = new Call(Devices.simulator.Value, kernels)
                    call.Run()
                    Expect.exists (call.Memory.GetAsArray1D()) (fun value -> value <> 0.5f) "something was written"
                }

                test "lengths" {
                    refuses<ArgumentException> [ "query"; "159"; "160" ] (fun call -> call.Query <- call.Part(0, 159))
                    refuses<ArgumentException> [ "key"; "113"; "112" ] (fun call -> call.Key <- call.Part(200, 113))
                    refuses<ArgumentException> [ "value"; "0"; "112" ] (fun call -> call.Value <- ArrayView.Empty)
                    refuses<ArgumentException> [ "output"; "161" ] (fun call -> call.Output <- call.Part(600, 161))

                    refuses<ArgumentException> [ "logSumExp"; "19"; "20" ] (fun call ->
                        call.LogSumExp <- call.Part(800, 19))

                    refuses<ArgumentException> [ "workspace"; "12"; "16" ] (fun call ->
                        call.Workspace <- call.Part(1000, 3))
                }

                test "arguments of the ready-made parts" {
                    refuses<ArgumentException> [ "slopes"; "1"; "2" ] (fun call ->
                        call.Slopes <- call.Slopes.SubView(0L, 1L))
                }

                test "results that overlap something" {
                    refuses<ArgumentException> [ "output"; "query"; "overlap" ] (fun call ->
                        call.Output <- call.Part(100, 160))

                    refuses<ArgumentException> [ "output"; "key"; "overlap" ] (fun call ->
                        call.Output <- call.Part(100 + 60, 160))

                    refuses<ArgumentException> [ "logSumExp"; "value"; "overlap" ] (fun call ->
                        call.LogSumExp <- call.Part(500, 20))

                    refuses<ArgumentException> [ "output"; "logSumExp"; "overlap" ] (fun call ->
                        call.LogSumExp <- call.Part(740, 20))

                    refuses<ArgumentException> [ "output"; "workspace"; "overlap" ] (fun call ->
                        call.Workspace <- call.Part(700, 4))

                    refuses<ArgumentException> [ "output"; "slopes"; "overlap" ] (fun call ->
                        call.Slopes <- call.Memory.View.BaseView.SubView(610L, 2L))
                }

                test "memory that starts in the middle of an element" {
                    refuses<ArgumentException> [ "query"; "4" ] (fun call ->
                        call.Query <- DeviceTensors.Bytes(call.Memory.View.BaseView).SubView(2L, 640L))
                }

                test "memory and streams of another device" {
                    let other = Devices.defaultDevice.Value
                    use elsewhere = other.Allocate1D<float32>(Array.create 160 0.5f)

                    refuses<ArgumentException> [ "query"; "another accelerator" ] (fun call ->
                        call.Query <- DeviceTensors.Bytes(elsewhere.View.BaseView))

                    refuses<ArgumentException> [ "stream"; "another accelerator" ] (fun call ->
                        call.Stream <- other.DefaultStream)
                }

                test "memory that was freed" {
                    let freed = Devices.simulator.Value.Allocate1D<float32>(Array.create 320 0.5f)
                    let query = DeviceTensors.Bytes(freed.View.BaseView.SubView(0L, 160L))
                    let slopes = freed.View.BaseView.SubView(160L, 2L)
                    freed.Dispose()
                    refuses<ArgumentException> [ "query"; "disposed" ] (fun call -> call.Query <- query)
                    refuses<ArgumentException> [ "slopes"; "disposed" ] (fun call -> call.Slopes <- slopes)
                }

                test "words for faults" {
                    use words = Devices.simulator.Value.Allocate1D<int>(2L)
                    refuses<ArgumentException> [ "fault"; "2"; "one" ] (fun call -> call.Fault <- words.View.BaseView)
                }

                test "a type that the variant does not declare, an argument that it does not take" {
                    let causal = variant "Laws.Causal"
                    use kernels = causal.Load Devices.simulator.Value
                    let shape = AttentionShape(1, 1, 1, 2, 2, 4)

                    let run arguments (values: 'T[]) =
                        Devices.run<'T, float32>
                            kernels
                            shape
                            (values, values, values)
                            arguments
                            (Array.copy values)
                            [||]
                        |> ignore

                    throws<NotSupportedException> [ "Float16"; "Float32" ] (fun () ->
                        run (ModArguments()) (Array.create 8 (System.Half.CreateTruncating 0.5f)))

                    throws<ArgumentException> [ "extra" ] (fun () ->
                        run (ModArguments().Add("extra", 1)) (Array.create 8 0.5f))
                }

                test "kernels that were disposed" {
                    let kernels = alibi ()
                    use call = new Call(Devices.simulator.Value, kernels)
                    call.Run()
                    kernels.Dispose()
                    kernels.Dispose()
                    throws<ObjectDisposedException> [] call.Run
                    let mutable shape = sizes
                    throws<ObjectDisposedException> [] (fun () -> kernels.WorkspaceSize(&shape) |> ignore)

                    throws<ObjectDisposedException> [] (fun () ->
                        kernels.PlanFor(ElementType.Float32, &shape) |> ignore)
                }

                test "kernels that are disposed after their device" {
                    let context =
                        Context.Create(fun builder -> builder.CPU(CPUDevice(32, 2, 1)) |> ignore)

                    let accelerator = context.Devices[0].CreateAccelerator context
                    let kernels = FlashGen.Kernels.Alibi.Variant.Load accelerator

                    let call = new Call(accelerator, kernels)
                    call.Run()
                    (call :> IDisposable).Dispose()
                    accelerator.Dispose()
                    kernels.Dispose()
                    context.Dispose()
                    let mutable shape = sizes
                    throws<ObjectDisposedException> [] (fun () -> kernels.WorkspaceSize(&shape) |> ignore)
                }

                test "a device too small for any kernel says what to create instead" {
                    throws<NotSupportedException> [ "16 threads"; "groups of 4"; "new CPUDevice(32, 2, 1)" ] (fun () ->
                        (FlashGen.Kernels.Full.Variant.Load Devices.tinyDevice.Value).Dispose())
                }

                test "a variant without a target for devices" {
                    throws<NotSupportedException> [ "Targets" ] (fun () ->
                        ((variant "OnlyCpu").Load Devices.simulator.Value).Dispose())
                }
            ]
    )
