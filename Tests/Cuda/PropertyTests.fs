/// Every variant obeys the error rule on a CUDA device, by whichever target runs there. Without one, each is skipped, and counted.
module FlashGen.Tests.Cuda.PropertyTests

open System
open Expecto
open ILGPU
open ILGPU.Runtime
open ILGPU.Runtime.Cuda
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels
open FlashGen.Tests.Portable

let private device =
    lazy
        (let context = Context.Create(fun builder -> builder.Cuda() |> ignore)

         context.Devices
         |> Seq.tryPick (fun device ->
             match device with
             | :? CudaDevice as device -> Some(device.CreateAccelerator context)
             | _ -> None))

/// The first CUDA device; a test that asks for it is skipped where there is none.
let cuda () : Accelerator =
    match device.Value with
    | Some accelerator -> accelerator
    | None -> skiptest "this machine has no CUDA device"

let private count = if Settings.thorough then 32 else 8

/// The variants that have a kernel of a target.
let private variantsOf (isTarget: Target -> bool) =
    Widths.variants
    |> List.filter (fun variant -> variant.Plans |> Seq.exists (fun plan -> isTarget plan.Target))

let private cases make count variant =
    [ for number in 0 .. count - 1 -> make Settings.seed variant number ]

let private obeys (load: AttentionVariant -> Accelerator -> AttentionKernels) make count (variant: AttentionVariant) =
    test variant.Name {
        use kernels = load variant (cuda ())

        match Portable.PropertyTests.faults kernels variant (cases make count variant) with
        | [] -> ()
        | faults -> failtest $"%d{faults.Length} faults, --seed {Settings.seed}:\n%s{faults[0]}"
    }

let private atBest (variant: AttentionVariant) accelerator = variant.Load accelerator

let private onAmpere (variant: AttentionVariant) accelerator = variant.Load(accelerator, Target.Sm80)

/// Heads that share tiles and keys that are split, which takes more keys than other cases have: the gallery, and variants whose mask or
/// score change reads the head.
let private asksForHeads (variant: AttentionVariant) =
    variant.Name.StartsWith("FlashGen.Kernels", StringComparison.Ordinal)
    || [ "Everything"; "KeysOfHeads"; "RelativeBias"; "SparseHash"; "SwitchLevels" ]
       |> List.exists variant.Name.EndsWith

/// Tiles that have as many keys each, or pairs of them that do: without a mask, up to the diagonal, up to a table's bound.
let private splitsTails (variant: AttentionVariant) =
    [ "Full"; "Causal"; "PrefixLm"; "Alibi"; "CausalDropout"; "Sink"; "SoftCap" ]
    |> List.exists (fun name -> variant.Name = "FlashGen.Kernels." + name)

let private lists title load isTarget =
    let variants = variantsOf isTarget

    testList
        title
        [
            testList
                "Few queries"
                (variants
                 |> List.filter asksForHeads
                 |> List.map (obeys load Cases.makeFew count))
            testList
                "Last rounds"
                (if isTarget Target.Sm90 then
                     variants
                     |> List.filter splitsTails
                     |> List.map (obeys load Cases.makeTail (count / 2))
                 else
                     [])
            testList "Long keys" (variants |> List.map (obeys load Cases.makeLong (count / 4)))
            testList "Properties" (variants |> List.map (obeys load Cases.make count))
        ]

/// Side by side: compiling takes the time, and kernels are loaded and called by several threads so.
[<Tests>]
let everyVariant =
    lists "Cuda.Variants" atBest (fun target -> target <> Target.Simd)

/// On Hopper too, which would take its own kernels.
[<Tests>]
let everyAmpereVariant =
    lists "Cuda.Variants by Sm80" onAmpere (fun target -> target = Target.Sm80)
