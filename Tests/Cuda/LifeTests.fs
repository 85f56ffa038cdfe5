/// The life of kernels on a CUDA device: streams, threads, modules that are shared, what was disposed, what the driver refuses. Without a
/// device each test is skipped, and counted.
module FlashGen.Tests.Cuda.LifeTests

open System
open System.Runtime.InteropServices
open System.Threading
open System.Threading.Tasks
open Expecto
open ILGPU
open ILGPU.Runtime
open ILGPU.Runtime.CPU
open ILGPU.Runtime.Cuda
open FlashGen
open FlashGen.Support
open FlashGen.Tests.Cuda.PropertyTests

type private Tensor = MemoryBuffer1D<System.Half, Stride1D.Dense>

// Some tiles of rows and of keys, so that calls take their time.
let private shape = AttentionShape(2, 4, 4, 700, 700, 64)
let private elements = int (shape.QueryElements TensorLayout.BatchHeadSequence)

let private random seed =
    let random = Random(seed: int)
    Array.init elements (fun _ -> System.Half.op_Explicit (random.NextSingle() - 0.5f))

let private onDevice (accelerator: Accelerator) (values: System.Half[]) : Tensor = accelerator.Allocate1D values

let private view (tensor: Tensor) : ArrayView<System.Half> = tensor.View.BaseView

let private load accelerator =
    FlashGen.Kernels.Causal.Load accelerator

let private forward (kernels: AttentionKernels) stream query key value output =
    let mutable shape = shape
    use arguments = new DeviceArguments()
    kernels.Forward(stream, DeviceTensors.Of<System.Half>(query, key, value, output), &shape, arguments)

/// The tensors of a call, with its output as another kernels object computes it alone.
type private Call(accelerator: Accelerator, seed) =
    let tensors = [ for i in 0..2 -> onDevice accelerator (random (3 * seed + i)) ]
    let output = onDevice accelerator (Array.zeroCreate elements)
    member _.Tensors = tensors
    member _.Output = output

    member _.Run(kernels, stream) =
        forward kernels stream (view tensors[0]) (view tensors[1]) (view tensors[2]) (view output)

    member this.Alone() =
        use kernels = load accelerator
        this.Run(kernels, accelerator.DefaultStream)
        accelerator.Synchronize()
        let result = output.GetAsArray1D()
        output.MemSetToZero()
        accelerator.Synchronize()
        result

    interface IDisposable with
        member _.Dispose() =
            for tensor in output :: tensors do
                tensor.Dispose()

let private read (stream: AcceleratorStream) (tensor: Tensor) =
    let result = Array.zeroCreate elements
    tensor.View.CopyToCPU(stream, result)
    stream.Synchronize()
    result

/// Calls whose keys are split, each of which takes the output of the one before it as its queries.
type private Parts(accelerator: Accelerator, shape: AttentionShape, seed, kernels: AttentionKernels) =
    let mutable shape = shape
    let random = Random(seed: int)

    let tensor count : Tensor =
        accelerator.Allocate1D(
            Array.init (int count) (fun _ -> System.Half.op_Explicit (random.NextSingle() * 4f - 2f))
        )

    let query, key, value =
        tensor (shape.QueryElements TensorLayout.BatchHeadSequence),
        tensor (shape.KeyElements TensorLayout.BatchHeadSequence),
        tensor (shape.ValueElements TensorLayout.BatchHeadSequence)

    let first, second = tensor query.Length, tensor query.Length

    let workspace =
        let scratch = kernels.WorkspaceSize(&shape)
        Expect.isGreaterThan scratch 0L "keys are split"
        accelerator.Allocate1D<byte> scratch

    let arguments = new DeviceArguments()

    /// Queues a call and so many pairs of others behind it.
    member _.Queue(pairs, stream: AcceleratorStream, wait) =
        let call (from: Tensor) (into: Tensor) =
            let tensors =
                DeviceTensors.Of<System.Half>(
                    view from,
                    view key,
                    view value,
                    view into,
                    workspace = workspace.View.BaseView
                )

            kernels.Forward(stream, tensors, &shape, arguments)
            wait ()

        call query first

        for _ in 1..pairs do
            call first second
            call second first

    member _.Result(stream: AcceleratorStream) =
        let result = Array.zeroCreate (int first.Length)
        first.View.CopyToCPU(stream, result)
        stream.Synchronize()
        result

    member this.Chain(pairs, stream, wait) =
        this.Queue(pairs, stream, wait)
        this.Result stream

    interface IDisposable with
        member _.Dispose() =
            for tensor in [ query; key; value; first; second ] do
                tensor.Dispose()

            workspace.Dispose()
            arguments.Dispose()

/// CUDA graphs (CUDA driver API, "Stream Management" and "Graph Management").
module private Graphs =
    [<DllImport("libcuda.so.1")>]
    extern int cuStreamBeginCapture_v2(nativeint stream, int mode)

    [<DllImport("libcuda.so.1")>]
    extern int cuStreamEndCapture(nativeint stream, nativeint& graph)

    [<DllImport("libcuda.so.1")>]
    extern int cuGraphInstantiateWithFlags(nativeint& runnable, nativeint graph, uint64 flags)

    [<DllImport("libcuda.so.1")>]
    extern int cuGraphLaunch(nativeint runnable, nativeint stream)

    [<DllImport("libcuda.so.1")>]
    extern int cuGraphExecDestroy(nativeint runnable)

    [<DllImport("libcuda.so.1")>]
    extern int cuGraphDestroy(nativeint graph)

/// A CUDA graph of calls.
type private Graph private (graph: nativeint, runnable: nativeint) =
    static member Of(stream: CudaStream, calls) =
        let mutable graph = 0n
        let mutable runnable = 0n
        Expect.equal (Graphs.cuStreamBeginCapture_v2 (stream.StreamPtr, 0)) 0 "begin"
        calls ()
        Expect.equal (Graphs.cuStreamEndCapture (stream.StreamPtr, &graph)) 0 "end"
        Expect.equal (Graphs.cuGraphInstantiateWithFlags (&runnable, graph, 0UL)) 0 "instantiate"
        new Graph(graph, runnable)

    member _.Launch(stream: CudaStream) =
        Expect.equal (Graphs.cuGraphLaunch (runnable, stream.StreamPtr)) 0 "launch"

    interface IDisposable with
        member _.Dispose() =
            Graphs.cuGraphExecDestroy runnable |> ignore
            Graphs.cuGraphDestroy graph |> ignore

/// A device of the test's own, which it can dispose.
let private another () =
    let first = cuda () :?> CudaAccelerator
    let context = Context.Create(fun builder -> builder.Cuda() |> ignore)
    context, context.GetCudaDevice(first.DeviceId).CreateAccelerator context

let private refuses<'E when 'E :> exn> (parts: string list) call =
    Expect.throwsC call (fun fault ->
        Expect.isTrue (fault :? 'E) $"{fault}"

        for part in parts do
            Expect.stringContains fault.Message part "the message")

[<Tests>]
let tests =
    testSequenced (
        testList
            "Cuda.Life"
            [
                test "calls on several streams do not disturb each other" {
                    let accelerator = cuda ()
                    let calls = [ for seed in 1..4 -> new Call(accelerator, seed) ]
                    let expected = [ for call in calls -> call.Alone() ]
                    use kernels = load accelerator
                    let streams = [ for _ in calls -> accelerator.CreateStream() ]

                    for _ in 1..20 do
                        for call, stream in List.zip calls streams do
                            call.Run(kernels, stream)

                    for i in 0 .. calls.Length - 1 do
                        Expect.isTrue (read streams[i] calls[i].Output = expected[i]) $"stream {i}"

                    for stream in streams do
                        stream.Dispose()

                    for call in calls do
                        (call :> IDisposable).Dispose()
                }

                test "a call reads what the call before it on the stream wrote" {
                    let accelerator = cuda ()
                    use call = new Call(accelerator, 5)
                    use kernels = load accelerator
                    use between = onDevice accelerator (Array.zeroCreate elements)
                    let key, value = view call.Tensors[1], view call.Tensors[2]

                    let chain stream wait =
                        forward kernels stream (view call.Tensors[0]) key value (view between)
                        wait ()

                        for _ in 1..10 do
                            forward kernels stream (view between) key value (view call.Output)
                            wait ()
                            forward kernels stream (view call.Output) key value (view between)
                            wait ()

                        read stream between

                    let expected = chain accelerator.DefaultStream accelerator.Synchronize
                    use stream = accelerator.CreateStream()
                    Expect.isTrue (chain stream ignore = expected) "without waiting between the calls"
                }

                for rows, shape in
                    [
                        "many rows", AttentionShape(1, 8, 8, 40, 4000, 64)
                        "few rows", AttentionShape(1, 32, 8, 1, 4000, 64)
                    ] do
                    test $"a call reads what the call before it put together from parts: {rows}" {
                        let accelerator = cuda ()
                        use kernels = FlashGen.Kernels.Full.Load accelerator
                        use parts = new Parts(accelerator, shape, 7, kernels)
                        let expected = parts.Chain(50, accelerator.DefaultStream, accelerator.Synchronize)
                        use stream = accelerator.CreateStream()
                        Expect.isTrue (parts.Chain(50, stream, ignore) = expected) "without waiting between the calls"
                    }

                test "calls on several streams put their own parts together" {
                    let accelerator = cuda ()
                    use kernels = FlashGen.Kernels.Full.Load accelerator

                    let calls =
                        [
                            for seed in 1..4 ->
                                new Parts(
                                    accelerator,
                                    AttentionShape(1, 32, 8, 1, 3000 + 500 * seed, 64),
                                    seed,
                                    kernels
                                )
                        ]

                    let expected =
                        [
                            for call in calls -> call.Chain(1, accelerator.DefaultStream, accelerator.Synchronize)
                        ]

                    let streams = [ for _ in calls -> accelerator.CreateStream() ]

                    for _ in 1..100 do
                        for call, stream in List.zip calls streams do
                            call.Queue(1, stream, ignore)

                    for i in 0 .. calls.Length - 1 do
                        Expect.isTrue (calls[i].Result streams[i] = expected[i]) $"stream {i}"

                    for stream in streams do
                        stream.Dispose()

                    for call in calls do
                        (call :> IDisposable).Dispose()
                }

                test "a graph of calls runs beside the stream that it was made of" {
                    let accelerator = cuda ()
                    use kernels = FlashGen.Kernels.Full.Load accelerator
                    let few = AttentionShape(1, 32, 8, 1, 5000, 64)
                    use captured = new Parts(accelerator, few, 1, kernels)
                    use queued = new Parts(accelerator, few, 2, kernels)
                    use stream = accelerator.CreateStream() :?> CudaStream
                    use other = accelerator.CreateStream() :?> CudaStream
                    use _bound = accelerator.BindScoped()

                    let ofQueued = queued.Chain(1, stream, stream.Synchronize)
                    let ofCaptured = captured.Chain(1, stream, stream.Synchronize)

                    use graph = Graph.Of(stream, (fun () -> captured.Queue(1, stream, ignore)))
                    graph.Launch other
                    let alone = captured.Result other

                    for one, other in Array.zip alone ofCaptured do
                        Expect.floatClose
                            { absolute = 2e-3; relative = 2e-3 }
                            (float one)
                            (float other)
                            "the same attention as the stream's"

                    for _ in 1..100 do
                        graph.Launch other
                        queued.Queue(1, stream, ignore)

                    Expect.isTrue (captured.Result other = alone) "the graph's"
                    Expect.isTrue (queued.Result stream = ofQueued) "the stream's"
                }

                test "several threads call one kernels object, load and dispose others" {
                    let accelerator = cuda ()
                    use shared = load accelerator
                    use start = new Barrier(6)

                    let work seed =
                        Task.Run(fun () ->
                            accelerator.Bind()
                            use call = new Call(accelerator, seed)
                            use stream = accelerator.CreateStream()
                            start.SignalAndWait()

                            // All threads make the first call of the kernel.
                            let results =
                                [
                                    for i in 1..5 do
                                        if i % 2 = 1 then
                                            call.Run(shared, stream)
                                        else
                                            use own = load accelerator
                                            call.Run(own, stream)
                                            stream.Synchronize()

                                        read stream call.Output
                                ]

                            results, call.Alone())

                    for task in [ for seed in 10..15 -> work seed ] do
                        let results, expected = task.Result

                        for result in results do
                            Expect.isTrue (result = expected) "a thread's own result"
                }

                test "kernels share a module, which stays until the last is disposed" {
                    let accelerator = cuda ()
                    use call = new Call(accelerator, 20)
                    let expected = call.Alone()
                    let first = load accelerator
                    let second = load accelerator
                    call.Run(first, accelerator.DefaultStream)
                    call.Run(second, accelerator.DefaultStream)
                    accelerator.Synchronize()
                    first.Dispose()
                    first.Dispose()
                    call.Output.MemSetToZero()
                    call.Run(second, accelerator.DefaultStream)
                    accelerator.Synchronize()
                    Expect.isTrue (call.Output.GetAsArray1D() = expected) "after the first was disposed"
                    second.Dispose()
                    refuses<ObjectDisposedException> [] (fun () -> call.Run(first, accelerator.DefaultStream))
                    refuses<ObjectDisposedException> [] (fun () -> call.Run(second, accelerator.DefaultStream))
                    Expect.isTrue (call.Alone() = expected) "loaded anew"
                }

                test "kernels can outlive their device, and other devices do not mind" {
                    let context, accelerator = another ()

                    let kernels =
                        use call = new Call(accelerator, 30)
                        let kernels = load accelerator
                        call.Run(kernels, accelerator.DefaultStream)
                        accelerator.Synchronize()
                        kernels

                    accelerator.Dispose()
                    kernels.Dispose()
                    context.Dispose()
                    use call = new Call(cuda (), 30)
                    call.Alone() |> ignore
                }

                test "memory that is not the device's is refused by name" {
                    let accelerator = cuda ()
                    use call = new Call(accelerator, 40)
                    use kernels = load accelerator
                    use hosts = Context.Create(fun builder -> builder.CPU() |> ignore)
                    use host = hosts.CreateCPUAccelerator 0
                    use elsewhere = onDevice host (random 41)
                    let freed = onDevice accelerator (random 42)
                    let ofFreed = view freed
                    freed.Dispose()

                    let query, key, value =
                        view call.Tensors[0], view call.Tensors[1], view call.Tensors[2]

                    let stream, output = accelerator.DefaultStream, view call.Output

                    refuses<ArgumentException> [ "query"; "another accelerator" ] (fun () ->
                        forward kernels stream (view elsewhere) key value output)

                    refuses<ArgumentException> [ "key"; "disposed" ] (fun () ->
                        forward kernels stream query ofFreed value output)

                    refuses<ArgumentException> [ "output"; "disposed" ] (fun () ->
                        forward kernels stream query key value ofFreed)

                    refuses<ArgumentException> [ "stream"; "another accelerator" ] (fun () ->
                        forward kernels host.DefaultStream query key value output)
                }

                test "tensors that the copy engine cannot follow run on Ampere's kernel" {
                    let accelerator = cuda ()
                    use call = new Call(accelerator, 50)
                    let expected = call.Alone()
                    use kernels = load accelerator
                    use moved = accelerator.Allocate1D<System.Half>(int64 elements + 1L)
                    let query = moved.View.BaseView.SubView(1L, int64 elements)
                    query.CopyFromCPU(call.Tensors[0].GetAsArray1D())

                    forward
                        kernels
                        accelerator.DefaultStream
                        query
                        (view call.Tensors[1])
                        (view call.Tensors[2])
                        (view call.Output)

                    accelerator.Synchronize()

                    for one, other in Array.zip (call.Output.GetAsArray1D()) expected do
                        Expect.floatClose
                            { absolute = 2e-3; relative = 2e-3 }
                            (float one)
                            (float other)
                            "the same attention"
                }

                test "what the driver refuses comes back with its log" {
                    let accelerator = cuda ()
                    use _bound = accelerator.BindScoped()

                    let broken =
                        ".version 8.0\n.target sm_80\n.address_size 64\n\n.visible .entry Broken()\n{\n\tadd.nonsense %r1, 2;\n}\n"

                    refuses<InvalidOperationException> [ "Broken"; "CUDA_ERROR_INVALID_PTX"; "line 7" ] (fun () ->
                        CudaDriver.LoadModule(broken, "Broken") |> ignore)
                }
            ]
    )
