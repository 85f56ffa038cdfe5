/// Plans of Ampere's kernels: within what every device from 8.0 on has, and laid out as their copies and fragments need.
module FlashGen.Tests.Cuda.AmperePlanTests

open Expecto
open FlashGen.Dsl

let private forAmpere (spec: AttentionSpec) =
    { spec with
        Types = [ Float16; BFloat16; Float32 ]
        Targets = [ Portable; Sm80 ]
    }

let private spec = forAmpere FlashGen.Tests.Portable.PlanTests.spec

let private sized target blockM blockN =
    forAmpere (FlashGen.Tests.Portable.PlanTests.sized target blockM blockN)

let private warps (plan: TilePlan) =
    match plan.Schedule with
    | TensorSchedule schedule -> schedule.Warps
    | _ -> failtest (PlanText.print plan)

let private mixed =
    [
        for headDim in TensorPlanner.widths do
            for valueDim in TensorPlanner.widths ->
                {
                    HeadDim = headDim
                    ValueDim = valueDim
                }
    ]

[<Tests>]
let tests =
    testList
        "Cuda.AmperePlans"
        [
            test "every pair of dimensions has a plan within 99 KB and 255 registers, whose text parses back" {
                for spec in [ spec; { spec with Dropout = true } ] do
                    for dims in mixed do
                        let plan = Expect.wantOk (TensorPlanner.plan Sm80 Float16 dims spec) $"{dims}"
                        let budget = TilePlan.budget plan
                        Expect.isLessThanOrEqual budget.MemoryBytes (99 * 1024) $"{dims}"
                        Expect.isLessThanOrEqual budget.Registers 255 $"{dims}"
                        Expect.equal (PlanText.parse (PlanText.print plan)) (Ok plan) "print and parse"
                        Expect.equal (plan.BlockM % (16 * warps plan)) 0 "whole tiles of 16 rows"
                        Expect.equal (warps plan % 2) 0 "copies of eight rows"
                        Expect.equal (plan.BlockN % (if spec.Dropout then 32 else 16)) 0 "whole blocks of keys"
            }

            test "up to 128 columns a warp has 32 rows, beyond 16" {
                for dims in mixed do
                    let plan = Expect.wantOk (TensorPlanner.plan Sm80 Float16 dims spec) $"{dims}"
                    let rows = if max dims.HeadDim dims.ValueDim <= 128 then 32 else 16
                    Expect.equal (plan.BlockM / warps plan) rows $"{dims}"
            }

            test "sizes for Ampere are kept or refused with numbers, sizes for all targets cut down" {
                let dims width = { HeadDim = width; ValueDim = width }

                match TensorPlanner.plan Sm80 Float16 (dims 64) (sized (Some Sm80) 64 128) with
                | Ok plan -> Expect.equal (plan.BlockM, plan.BlockN, warps plan) (64, 128, 2) "kept"
                | Error reason -> failtest reason

                match TensorPlanner.plan Sm80 Float16 (dims 256) (sized (Some Sm80) 128 64) with
                | Ok plan -> failtest (PlanText.print plan)
                | Error reason ->
                    Expect.stringContains reason "128 x 64 at head dimension 256" "what was asked for"
                    Expect.stringContains reason "sm80 has" "what there is"

                for blockM in [ 0; 16; 100 ] do
                    match TensorPlanner.plan Sm80 Float16 (dims 64) (sized (Some Sm80) blockM 64) with
                    | Ok plan -> failtest (PlanText.print plan)
                    | Error reason -> Expect.isNotEmpty reason $"{blockM} rows"

                for blockM, blockN in [ 1, 1; 300, 300; 64, 16 ] do
                    for dims in mixed do
                        Expect.isOk
                            (TensorPlanner.plan Sm80 Float16 dims (sized None blockM blockN))
                            $"{blockM} x {blockN}"
            }
        ]
