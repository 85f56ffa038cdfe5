/// Tensor-core kernels set the fault word where Portable does.
module FlashGen.Tests.Cuda.FaultTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Kernels.Calls
open FlashGen.Tests.Portable
open FlashGen.Tests.Cuda.PropertyTests

/// Whether a call in float16 faults, by the kernels of a target.
let private faults target name (shape: AttentionShape) (arguments: ModArguments) =
    let variant = variant ("Faults." + name)
    use kernels = variant.Load(cuda (), target)
    let mutable same = shape

    if kernels.PlanFor(ElementType.Float16, &same).Target <> target then
        skiptest $"this device has no {target}"

    let random = Random 1

    let halves count =
        Array.init (int count) (fun _ -> Half.CreateChecked(random.NextSingle() * 2f - 1f))

    let faulted, _ =
        Devices.run<Half, float32>
            kernels
            shape
            (halves (shape.QueryElements variant.Layout),
             halves (shape.KeyElements variant.Layout),
             halves (shape.ValueElements variant.Layout))
            arguments
            (halves (shape.OutputElements variant.Layout))
            [||]

    faulted

[<Tests>]
let tests =
    testSequenced (
        testList
            "Cuda.Faults"
            [
                for target in [ Target.Sm90; Target.Sm80 ] -> testList $"{target}" (FaultTests.cases (faults target))
            ]
    )
