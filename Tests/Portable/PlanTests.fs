/// Plans of device kernels: within their budget, round in print, and refused with numbers where they cannot be.
module FlashGen.Tests.Portable.PlanTests

open System
open Expecto
open FlashGen.Dsl

/// Any dimension, every type, nothing else.
let spec: AttentionSpec =
    {
        Name = "Planned"
        Dims = []
        Types = [ Float16; BFloat16; Float32; Float64 ]
        Align = BottomRight
        Layout = BatchHeadSequence
        Targets = [ Simd; Portable ]
        Scale = DefaultScale
        Scores = []
        Masks = []
        Sink = false
        Dropout = false
        BlockSizes = []
        Arguments = []
    }

/// With block sizes for a target, or for all.
let sized target blockM blockN =
    { spec with
        BlockSizes =
            [
                {
                    Target = target
                    BlockM = blockM
                    BlockN = blockN
                    Warps = 0
                    Stages = 0
                }
            ]
    }

let private plans spec =
    [
        for elementType in spec.Types do
            for dims in Planner.portableDims elementType spec do
                elementType, dims, Planner.portablePlans elementType dims spec
    ]

/// The plans that a device with room for them takes.
let private largest spec =
    [
        for elementType, dims, plans in plans spec -> List.head (Expect.wantOk plans $"{elementType}, {dims}")
    ]

let private good spec =
    [
        for elementType, dims, plans in plans spec do
            match plans with
            | Ok plans -> yield! plans
            | Error reason -> failtest $"{elementType}, {dims}: {reason}"
    ]

[<Tests>]
let tests =
    testList
        "Portable.Plans"
        [
            test "a text for each number of value columns, in groups down to ILGPU's default of 16" {
                for elementType, dims, plans in plans spec do
                    let plans = Expect.wantOk plans $"{elementType}, {dims}"

                    let threads =
                        [
                            for plan in plans ->
                                match plan.Schedule with
                                | PortableSchedule schedule -> schedule.Threads
                                | _ -> 0
                        ]

                    Expect.equal (List.last threads) 16 "the smallest group"
                    Expect.equal threads (List.sortDescending threads |> List.distinct) "largest first"
            }

            test "rows and keys are those of the threads' register tiles" {
                for plan in good spec do
                    match plan.Schedule with
                    | PortableSchedule schedule ->
                        Expect.equal
                            (plan.BlockM * plan.BlockN)
                            (schedule.Threads * schedule.ThreadRows * schedule.ThreadColumns)
                            (PlanText.print plan)

                        Expect.equal (plan.BlockN % 32) 0 "whole blocks of the dropout"
                        Expect.isGreaterThan plan.BlockM 0 "rows"
                    | _ -> failtest "a device plan"
            }

            test "every plan is within its budget, and its text parses back" {
                for plan in good spec do
                    let budget = TilePlan.budget plan
                    Expect.isLessThanOrEqual budget.MemoryBytes (48 * 1024) (PlanText.print plan)
                    Expect.isLessThanOrEqual budget.Registers 255 (PlanText.print plan)
                    Expect.equal (PlanText.parse (PlanText.print plan)) (Ok plan) "print and parse"
            }

            test "declared dimensions take the least number of columns that holds them" {
                let columns elementType dims =
                    [
                        for dims in Planner.portableDims elementType { spec with Dims = dims } ->
                            dims.HeadDim, dims.ValueDim
                    ]

                let dims headDim valueDim =
                    {
                        HeadDim = headDim
                        ValueDim = valueDim
                    }

                Expect.equal (columns Float32 [ dims 64 64; dims 59 40; dims 256 129 ]) [ 64, 64; 256, 192 ] "float32"

                Expect.equal
                    (columns Float64 [ dims 8 200; dims 16 96 ])
                    [ 16, 96; 8, 128 ]
                    "float64: the rest in parts"
            }

            test "a size for devices is kept, its rows rounded up to groups" {
                let sized =
                    { sized (Some Portable) 20 64 with
                        Types = [ Float16; Float32 ]
                    }

                for plan in largest sized do
                    Expect.equal (plan.BlockM, plan.BlockN) (32, 64) (PlanText.print plan)
            }

            test "a size for devices that they cannot hold is refused with numbers" {
                match BlockSizeCheck.refusals (sized (Some Portable) 64 256) with
                | [ _, reason ] ->
                    for part in [ "64 x 256"; "portable has" ] do
                        Expect.stringContains reason part "reason"
                | other -> failtest $"{other}"

                Expect.isNonEmpty (BlockSizeCheck.refusals (sized (Some Portable) 4096 32)) "rows"
            }

            test "a size for all targets is cut down to what devices hold" {
                let tooLarge = sized None 64 128
                Expect.equal (BlockSizeCheck.refusals tooLarge) [] "no refusal"

                for plan in good tooLarge do
                    Expect.isLessThanOrEqual plan.BlockN 128 "keys"

                for plan in largest (sized None 16 8) do
                    Expect.equal (plan.BlockM, plan.BlockN) (16, 32) (PlanText.print plan)
            }
        ]
