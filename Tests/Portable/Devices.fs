/// Devices that need no GPU: ILGPU's CPU simulator, with groups of 32 threads and with its default groups of 16.
module FlashGen.Tests.Portable.Devices

open System
open System.Runtime.InteropServices
open System.Text.RegularExpressions
open ILGPU
open ILGPU.Runtime
open ILGPU.Runtime.CPU
open FlashGen
open FlashGen.Support
open FlashGen.Tests.Kernels
open FlashGen.Tests.Kernels.Outcomes

let private context =
    lazy
        (Context.Create(fun builder ->
            builder.CPU(CPUDevice(32, 2, 1)).CPU(CPUDevice(4, 4, 1)).CPU(CPUDevice(2, 2, 1))
            |> ignore))

let private withGroups threads =
    lazy
        (context.Value.Devices
         |> Seq.pick (fun device ->
             match device with
             | :? CPUDevice as device when device.MaxNumThreadsPerGroup = threads -> Some device
             | _ -> None)
         |> fun device -> device.CreateCPUAccelerator(context.Value, CPUAcceleratorMode.Parallel) :> Accelerator)

/// Groups of up to 64 threads; kernels take 32 of them.
let simulator = withGroups 64

/// As ILGPU makes it when nothing is said: groups of 16.
let defaultDevice = withGroups 16

/// Too small for any kernel.
let tinyDevice = withGroups 4


/// An array on a device; one element where there is none, for devices have no empty buffers.
let upload (accelerator: Accelerator) (values: 'T[]) =
    if values.Length > 0 then
        accelerator.Allocate1D<'T> values
    else
        accelerator.Allocate1D<'T> 1L

/// A view of a buffer that was made from so many elements.
let viewOf (buffer: MemoryBuffer1D<'T, Stride1D.Dense>) count =
    if count = 0 then
        ArrayView<'T>.Empty
    else
        buffer.View.BaseView

/// What kernels report of their tiles: full, partial, empty.
type Tiles =
    {
        Full: int64
        Partial: int64
        Empty: int64
    }

/// A call by name on a device: output, log-sum-exp, the fault word and the tiles.
let run<'T, 'L
    when 'T: unmanaged
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T :> ValueType
    and 'L: unmanaged
    and 'L: struct
    and 'L: (new: unit -> 'L)
    and 'L :> ValueType>
    (kernels: AttentionKernels)
    (shape: AttentionShape)
    (query: 'T[], key: 'T[], value: 'T[])
    (arguments: ModArguments)
    (output: 'T[])
    (logSumExp: 'L[])
    =
    let accelerator = kernels.Accelerator
    let mutable shape = shape
    use query' = upload accelerator query
    use key' = upload accelerator key
    use value' = upload accelerator value
    use output' = upload accelerator output
    use logSumExp' = upload accelerator logSumExp
    let scratch = kernels.WorkspaceSize(&shape)
    use workspace = accelerator.Allocate1D<byte>(max 1L scratch)
    use fault = accelerator.Allocate1D<int> [| 0 |]
    use tiles = accelerator.Allocate1D<int64> [| 0L; 0L; 0L |]
    use given = DeviceArguments.Upload(accelerator, arguments)

    let tensors =
        DeviceTensors(
            ElementType = Elements.TypeOf<'T>(),
            Query = DeviceTensors.Bytes(viewOf query' query.Length),
            Key = DeviceTensors.Bytes(viewOf key' key.Length),
            Value = DeviceTensors.Bytes(viewOf value' value.Length),
            Output = DeviceTensors.Bytes(viewOf output' output.Length),
            LogSumExp = DeviceTensors.Bytes(viewOf logSumExp' logSumExp.Length),
            Workspace =
                (if scratch = 0L then
                     ArrayView<byte>.Empty
                 else
                     workspace.View.BaseView),
            Fault = fault.View.BaseView,
            TileCounts = tiles.View.BaseView
        )

    kernels.Forward(accelerator.DefaultStream, tensors, &shape, given)
    accelerator.Synchronize()

    if output.Length > 0 then
        output'.CopyToCPU output

    if logSumExp.Length > 0 then
        logSumExp'.CopyToCPU logSumExp

    let counts = tiles.GetAsArray1D()

    fault.GetAsArray1D()[0] <> 0,
    {
        Full = counts[0]
        Partial = counts[1]
        Empty = counts[2]
    }

let private bytesOf<'T when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (values: 'T[]) =
    MemoryMarshal.AsBytes(ReadOnlySpan values).ToArray()

let private outcomeOf<'T, 'L
    when 'T: unmanaged
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T :> ValueType
    and 'L: unmanaged
    and 'L: struct
    and 'L: (new: unit -> 'L)
    and 'L :> ValueType>
    (kernels: AttentionKernels)
    (case: Cases.Case)
    =
    let narrow (values: float32[]) = Array.map Elements.Narrow<'T> values
    let shape = case.Shape

    let output =
        Array.create (int (shape.OutputElements case.Variant.Layout)) (Elements.Narrow<'T> poison)

    let logSumExp =
        Array.create
            (if case.Number % 4 = 3 then
                 0
             else
                 int shape.LogSumExpElements)
            (Elements.Narrow<'L> nanf)

    let failure =
        try
            let faulted, _ =
                run<'T, 'L>
                    kernels
                    shape
                    (narrow case.Query, narrow case.Key, narrow case.Value)
                    case.Arguments
                    output
                    logSumExp

            if faulted then "the fault word is set" else ""
        with fault ->
            fault.ToString()

    {
        Output = bytesOf output
        LogSumExp = bytesOf logSumExp
        Failure = failure
    }

/// What a case leaves behind on a device, in one element type.
let outcome (kernels: AttentionKernels) (elementType: ElementType) (case: Cases.Case) =
    match elementType with
    | ElementType.Float32 -> outcomeOf<float32, float32> kernels case
    | ElementType.Float64 -> outcomeOf<float, float> kernels case
    | ElementType.Float16 -> outcomeOf<System.Half, float32> kernels case
    | _ -> outcomeOf<BFloat16, float32> kernels case

/// The canonical text of the plan that a call runs by.
let planOf (kernels: AttentionKernels) (elementType: ElementType) (shape: AttentionShape) =
    let mutable shape = shape
    kernels.PlanFor(elementType, &shape).Canonical

/// A number of a plan's canonical text.
let number name (plan: string) =
    int (Regex.Match(plan, $@"\b{name}=(\d+)").Groups[1].Value)
