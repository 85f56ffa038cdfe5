/// Every variant obeys the error rule on simulated devices too.
module FlashGen.Tests.Portable.PropertyTests

open System
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels
open FlashGen.Tests.Kernels.Outcomes

/// What is wrong with a variant's cases on the device that its kernels are loaded on, each in one of its element types in turn.
let faults (kernels: AttentionKernels) (variant: AttentionVariant) (cases: Cases.Case list) =
    let elements = declared variant

    [
        for index, case in List.indexed cases do
            let shape = case.Shape
            let element = elements[(case.Number + index) % elements.Length]

            let truth =
                {
                    Case = case
                    Reference =
                        Reference.Forward<float32>(
                            variant,
                            ReadOnlySpan case.Query,
                            ReadOnlySpan case.Key,
                            ReadOnlySpan case.Value,
                            &shape,
                            case.Arguments
                        )
                    MayBeNaN = PropertyTests.mayBeNaN case element.Type
                }

            let outcome = Devices.outcome kernels element.Type case
            let plan = Devices.planOf kernels element.Type shape

            let naive = element.Naive(truth, plan.StartsWith("sm", StringComparison.Ordinal))

            match element.Judge(truth, naive, outcome, plan) with
            | "" -> ()
            | wrong -> $"{element.Type}, {case}, {plan}\n{wrong}"
    ]

let private count = if Settings.thorough then 16 else 3

let private runsOnDevices (variant: AttentionVariant) =
    Seq.exists (fun (plan: PlanInfo) -> plan.Target = Target.Portable) variant.Plans

let private failures (accelerator: Lazy<ILGPU.Runtime.Accelerator>) (variant: AttentionVariant) numbers =
    use kernels = variant.Load accelerator.Value

    match faults kernels variant [ for number in numbers -> Cases.makeSmall Settings.seed variant number ] with
    | [] -> ""
    | faults -> $"%d{faults.Length} faults, --seed {Settings.seed}:\n%s{faults[0]}"

let private holds accelerator variant numbers =
    match failures accelerator variant numbers with
    | "" -> ()
    | faults -> failtest faults

[<Tests>]
let everyVariant =
    testSequenced (
        testList
            "Portable.Groups of 32"
            [
                for variant in Widths.variants do
                    if runsOnDevices variant then
                        test variant.Name {
                            // Together, the variants see every kind of case.
                            let first = (variant.Name.Length * 3) % 8
                            holds Devices.simulator variant [ first .. first + count - 1 ]
                        }
            ]
    )

[<Tests>]
let defaultDevice =
    testSequenced (
        testList
            "Portable.Groups of 16"
            [
                for name in
                    [
                        "Everything"
                        "NarrowValues"
                        "GraphBias"
                        "TreeCausal"
                        "TileSizes.Odd"
                        "Laws.Plain"
                    ] do
                    test name {
                        holds Devices.defaultDevice (Calls.variant name) [ 0 .. (if Settings.thorough then 15 else 1) ]
                    }
            ]
    )

[<Tests>]
let compositions =
    testSequenced (
        testList
            "Portable.Compositions"
            [
                for number, group in List.indexed CompositionTests.groups do
                    test $"random declarations, group {number}, in groups of 32" {
                        let texts, variants = group.Value

                        for index, variant in List.indexed variants do
                            if runsOnDevices variant then
                                match failures Devices.simulator variant [ (number + 3 * index) % 8 ] with
                                | "" -> ()
                                | faults -> failtest $"{texts[index]}\n{faults}"
                    }
            ]
    )
