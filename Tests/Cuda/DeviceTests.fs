/// Which targets a device runs, and why not the others: a function of what the device says of itself.
module FlashGen.Tests.Cuda.DeviceTests

open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests

let private device major minor =
    TensorDevice("Card", true, major, minor, 12040, 232448)

let private atBest target =
    TensorDevice("Card", true, 9, 0, 12040, 232448, Best = target)

let private plan target shared =
    PlanInfo(target, ElementType.Float16, 128, 128, "long", "", 255, shared)

let private plans =
    [
        plan Target.Simd 0
        plan Target.Portable 40000
        plan Target.Sm80 99000
        plan Target.Sm90 165000
    ]

let private refusals (device: TensorDevice) =
    [ for refusal in device.Refusals plans -> refusal.Target, refusal.Reason ]

[<Tests>]
let tests =
    testList
        "Cuda.Devices"
        [
            test "Hopper runs its own kernels, cards from Ampere on those of Ampere, others Portable" {
                for major, minor, best in
                    [
                        9, 0, Target.Sm90
                        8, 0, Target.Sm80
                        8, 9, Target.Sm80
                        // Hopper's instructions did not stay.
                        10, 0, Target.Sm80
                        12, 0, Target.Sm80
                        7, 5, Target.Portable
                    ] do
                    Expect.equal ((device major minor).BestOf plans) best $"{major}.{minor}"

                Expect.isEmpty (refusals (device 9 0)) "nothing to explain"

                match refusals (device 8 6) with
                | [ Target.Sm90, reason ] -> Expect.stringContains reason "Card has compute capability 8.6" "why"
                | other -> failtest $"{other}"

                match refusals (device 7 5) with
                | [ Target.Sm80, reason; Target.Sm90, _ ] -> Expect.stringContains reason "7.5" "why"
                | other -> failtest $"{other}"
            }

            test "a driver older than CUDA 12 runs none, and is told so" {
                let old = TensorDevice("Card", true, 9, 0, 11080, 232448)
                Expect.equal (old.BestOf plans) Target.Portable "the target"

                for _, reason in refusals old do
                    Expect.stringContains reason "CUDA 11.8" "the driver's version"
                    Expect.stringContains reason "12.0" "the one that is needed"

                Expect.equal (refusals old).Length 2 "both targets"
            }

            test "a kernel that needs more shared memory than a group can have leaves the call to the next target" {
                let small = TensorDevice("Card", true, 9, 0, 12040, 101376)
                Expect.equal (small.BestOf plans) Target.Sm80 "the next"

                match refusals small with
                | [ Target.Sm90, reason ] ->
                    Expect.stringContains reason "165000" "what it needs"
                    Expect.stringContains reason "101376" "what there is"
                | other -> failtest $"{other}"

                let tiny = TensorDevice("Card", true, 9, 0, 12040, 49152)
                Expect.equal (tiny.BestOf plans) Target.Portable "none of them"
            }

            test "a target at best can be asked for" {
                Expect.equal ((atBest Target.Sm80).BestOf plans) Target.Sm80 "Ampere's"

                match refusals (atBest Target.Portable) with
                | [ Target.Sm80, reason; Target.Sm90, _ ] -> Expect.stringContains reason "Portable at best" "why"
                | other -> failtest $"{other}"
            }

            test "other devices run Portable; a variant says why" {
                let simulator = Portable.Devices.simulator.Value
                let variant = FlashGen.Kernels.Causal.Variant
                Expect.equal (TensorEngine.TargetOn(variant, simulator)) Target.Portable "the target"

                let reasons = variant.RefusalsOn simulator

                for target in [ Target.Sm80; Target.Sm90 ] do
                    Expect.exists
                        reasons
                        (fun refusal -> refusal.Target = target && refusal.Reason.Contains "no CUDA device")
                        $"{target}"
            }
        ]
