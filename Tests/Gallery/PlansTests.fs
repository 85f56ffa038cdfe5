/// The gallery's tuning file: it is about the gallery as it is, and the planner is nearly as good as what was measured.
module FlashGen.Tests.Gallery.PlansTests

open System.IO
open Expecto
open FlashGen
open FlashGen.Dsl
open FlashGen.Kernels

let private file =
    lazy
        (PlanFile.parse (
            File.ReadAllText(Path.Combine(__SOURCE_DIRECTORY__, "..", "..", "Kernels.Generated", "flashgen.plans"))
        ))

let private entries () = file.Value.Entries |> List.map snd

let private variants = List.ofSeq (AttentionVariant.In typeof<Causal>.Assembly)

[<Tests>]
let tests =
    testList
        "Gallery.Plans"
        [
            test "every line is read, in the order that tune writes" {
                Expect.isEmpty file.Value.Faults "faults"

                Expect.equal
                    [ for entry in entries () -> PlanFile.key entry ]
                    (entries ()
                     |> List.map PlanFile.key
                     |> List.sortWith (fun a b -> System.String.CompareOrdinal(a, b)))
                    "order"
            }
            test "every entry is of a variant as it is, and in its kernels" {
                for entry in entries () do
                    match variants |> List.tryFind (fun variant -> variant.Name = entry.Variant) with
                    | None -> failtest $"There is no variant {entry.Variant}."
                    | Some variant ->
                        Expect.equal entry.SpecHash variant.SpecHash variant.Name

                        if entry.Tuned.Plan.ShapeClass = ShapeClass.Long then
                            Expect.isTrue
                                (variant.Plans
                                 |> Seq.exists (fun plan ->
                                     plan.Source = PlanSource.Tuned
                                     && plan.Canonical = PlanText.print entry.Tuned.Plan))
                                (PlanText.print entry.Tuned.Plan)
            }
            test "every variant was measured for AVX-512 and AVX2" {
                for deviceClass in [ "avx512"; "avx2" ] do
                    let measured =
                        [
                            for entry in entries () do
                                if entry.Tuned.DeviceClass = deviceClass then
                                    entry.Variant
                        ]

                    Expect.equal
                        (List.sort (List.distinct measured))
                        (List.sort [ for variant in variants -> variant.Name ])
                        deviceClass
            }
            test "the planner is within 10 % of what was measured" {
                for entry in entries () do
                    Expect.isLessThanOrEqual (PlanFile.gain entry.Tuned) 1.1 (PlanFile.key entry)
            }
        ]
