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

let private obeys (cases: AttentionVariant -> Cases.Case list) (variant: AttentionVariant) =
    test variant.Name {
        let accelerator = cuda ()

        match Portable.PropertyTests.faults (lazy accelerator) variant (cases variant) with
        | [] -> ()
        | faults -> failtest $"%d{faults.Length} faults, --seed {Settings.seed}:\n%s{faults[0]}"
    }

let private runsOnDevices (variant: AttentionVariant) =
    variant.Plans |> Seq.exists (fun plan -> plan.Target <> Target.Simd)

/// Heads that share tiles and keys that are split, which takes more keys than other cases have.
[<Tests>]
let fewQueries =
    testSequenced (
        testList
            "Cuda.Few queries"
            [
                // Beside the gallery, variants whose mask or score change reads the head.
                let ofHeads = [ "Everything"; "RelativeBias"; "SparseHash"; "SwitchLevels" ]

                for variant in Widths.variants do
                    let isOfHeads = ofHeads |> List.exists variant.Name.EndsWith

                    if
                        runsOnDevices variant
                        && (isOfHeads
                            || variant.Name.StartsWith("FlashGen.Kernels", StringComparison.Ordinal))
                    then
                        obeys
                            (fun variant ->
                                [ for number in 0 .. count - 1 -> Cases.makeFew Settings.seed variant number ])
                            variant
            ]
    )

[<Tests>]
let everyVariant =
    testSequenced (
        testList
            "Cuda.Properties"
            [
                for variant in Widths.variants do
                    if runsOnDevices variant then
                        obeys
                            (fun variant -> [ for number in 0 .. count - 1 -> Cases.make Settings.seed variant number ])
                            variant
            ]
    )
