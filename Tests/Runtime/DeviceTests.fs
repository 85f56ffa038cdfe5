module FlashGen.Tests.Runtime.DeviceTests

open System
open Expecto
open ILGPU
open ILGPU.Runtime
open ILGPU.Runtime.CPU
open FlashGen
open FlashGen.Tests.Runtime.HandMade

let private onDevice (run: Accelerator -> unit) =
    use context = Context.Create(fun builder -> builder.CPU() |> ignore)
    use accelerator = context.CreateCPUAccelerator 0
    run accelerator

type private Kernels(accelerator) =
    inherit AttentionKernels(Target.Portable, accelerator)
    member val Unloads = 0 with get, set

    override _.WorkspaceSize _ = 0L

    override this.PlanFor(_, _) =
        this.ThrowIfDisposed()
        null

    override _.Forward(_, _, _, _) = ()

    override this.Dispose _ = this.Unloads <- this.Unloads + 1

[<Tests>]
let tests =
    testList
        "Device arguments and tensors"
        [
            test "arguments go to the device by name, bools as bytes" {
                onDevice (fun accelerator ->
                    use arguments =
                        DeviceArguments.Upload(
                            accelerator,
                            ModArguments()
                                .Add("flags", [| true; false; true |])
                                .Add("ids", [| 5L; 6L |])
                                .Add("none", Array.empty<float32>)
                                .Add("limit", 7)
                        )

                    Expect.equal (List.ofSeq arguments) [ "flags"; "ids"; "limit"; "none" ] "names"
                    Expect.equal (arguments.View<byte>("flags").GetAsArray()) [| 1uy; 0uy; 1uy |] "bools"
                    Expect.equal (arguments.View<int64>("ids").GetAsArray()) [| 5L; 6L |] "longs"
                    Expect.equal (arguments.View<float32>("none").Length) 0L "an empty table"
                    Expect.equal (arguments.Scalar<int> "limit") 7 "a scalar"

                    throws<ArgumentException> [ "'ids'"; "Int64"; "Int32" ] (fun () ->
                        arguments.View<int> "ids" |> ignore)

                    throws<ArgumentException> [ "'far'"; "missing" ] (fun () -> arguments.Scalar<int> "far" |> ignore)

                    throws<ArgumentException> [ "'limit'"; "twice" ] (fun () -> arguments.Add("limit", 8) |> ignore)

                    throws<ArgumentException> [ "'x'"; "System.Double" ] (fun () -> arguments.Add("x", 1.0) |> ignore))
            }

            test "tensors keep their element type and count bytes" {
                onDevice (fun accelerator ->
                    use buffer = accelerator.Allocate1D<BFloat16> 12
                    let view = ArrayView<BFloat16>.op_Implicit buffer.View
                    let tensors = DeviceTensors.Of(view, view, view, view)
                    Expect.equal tensors.ElementType ElementType.BFloat16 "type"
                    Expect.equal tensors.Query.Length 24L "bytes"
                    Expect.equal tensors.LogSumExp.Length 0L "not wanted"

                    throws<NotSupportedException> [ "System.Int16" ] (fun () ->
                        let none = ArrayView<int16>.Empty
                        DeviceTensors.Of(none, none, none, none) |> ignore))
            }

            test "kernels unload once, and refuse what comes after" {
                onDevice (fun accelerator ->
                    let kernels = new Kernels(accelerator)
                    let shape = shape 1 1 1
                    kernels.PlanFor(ElementType.Float32, &shape) |> ignore
                    kernels.Dispose()
                    kernels.Dispose()
                    Expect.equal kernels.Unloads 1 "unloads"

                    throws<ObjectDisposedException> [ "Kernels" ] (fun () ->
                        let shape = HandMade.shape 1 1 1
                        kernels.PlanFor(ElementType.Float32, &shape) |> ignore))
            }
        ]
