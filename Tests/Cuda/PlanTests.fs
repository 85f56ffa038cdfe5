/// Plans of tensor-core kernels: within their budget, round in print, refused with numbers.
module FlashGen.Tests.Cuda.PlanTests

open Expecto
open FlashGen.Dsl
open FlashGen.Tests

let private forHopper (spec: AttentionSpec) =
    { spec with
        Targets = [ Simd; Portable; Sm90 ]
    }

let private spec = forHopper Portable.PlanTests.spec

let private sized target blockM blockN =
    forHopper (Portable.PlanTests.sized target blockM blockN)

let private plans spec =
    [
        for dims in TensorPlanner.buckets spec -> dims, TensorPlanner.plan Sm90 Float16 dims spec
    ]

[<Tests>]
let tests =
    testList
        "Cuda.Plans"
        [
            test "every dimension up to 256 has a plan within Hopper's shared memory, whose text parses back" {
                for spec in [ spec; { spec with Dropout = true } ] do
                    for dims, plan in plans spec do
                        let plan = Expect.wantOk plan $"{dims}"
                        let budget = TilePlan.budget plan
                        Expect.isLessThanOrEqual budget.MemoryBytes (227 * 1024) $"{dims}"
                        Expect.isLessThanOrEqual budget.Registers 255 $"{dims}"
                        Expect.equal (PlanText.parse (PlanText.print plan)) (Ok plan) "print and parse"
                        Expect.equal (plan.BlockM % 64) 0 "whole warpgroups"

                        if spec.Dropout then
                            Expect.equal (plan.BlockN % 32) 0 "whole blocks of the dropout"
            }

            test
                "tiles of 192 rows have another plan beside them for few keys, fewer without a mask; a window has 128 rows for all" {
                let rowsOf tuned readyMade blockSizes =
                    let spec =
                        { spec with
                            Masks = Spec.readyMadeMods Mask.tryMask readyMade
                            BlockSizes = blockSizes
                        }

                    PlanChoice.tensor Sm90 Float16 { HeadDim = 64; ValueDim = 64 } spec tuned
                    |> Result.map (List.map (fun each -> each.Plan.ShapeClass, each.Plan.BlockM))

                let rows = rowsOf []

                let measured rows =
                    let line = $"sm90 float16 d=64 dv=64 long m={rows} n=128 warps={rows / 16} stages=2"

                    [
                        {
                            DeviceClass = "sm_90"
                            Plan = Expect.wantOk (PlanText.parse line) "the plan"
                            Milliseconds = 1.0
                            DefaultMilliseconds = 1.0
                        }
                    ]

                let size =
                    {
                        BlockM = 192
                        BlockN = 64
                        Target = Some Sm90
                        Warps = 0
                        Stages = 0
                    }

                Expect.equal (rows [] []) (Ok [ Decode, 64; Short, 128; ShapeClass.Long, 192 ]) "no mask"
                Expect.equal (rows [ Causal ] []) (Ok [ Decode, 64; Short, 128; ShapeClass.Long, 192 ]) "causal"
                Expect.equal (rows [ Causal ] [ size ]) (Ok [ ShapeClass.Long, 192 ]) "what is declared is for all"
                Expect.equal (rows [ SlidingWindow(300, 0) ] []) (Ok [ Decode, 64; ShapeClass.Long, 128 ]) "a window"

                Expect.equal
                    (rowsOf (measured 192) [ Causal ] [])
                    (Ok [ Decode, 64; Short, 128; ShapeClass.Long, 192 ])
                    "a measurement of long shapes leaves the short ones their plan"

                Expect.equal
                    (rowsOf (measured 128) [ Causal ] [])
                    (Ok [ Decode, 64; ShapeClass.Long, 128 ])
                    "which they do not need where long ones have as few rows"

                Expect.equal
                    (rowsOf (measured 192) [ SlidingWindow(300, 0) ] [])
                    (Ok [ Decode, 64; Short, 128; ShapeClass.Long, 192 ])
                    "and do where a measurement gave these more"

                let limits (variant: FlashGen.AttentionVariant) =
                    [
                        for plan: FlashGen.PlanInfo in variant.Plans do
                            if plan.Target = FlashGen.Target.Sm90 && plan.HeadDim = 64 then
                                plan.ShapeClass, plan.MaxKeys, plan.MaxRows
                    ]
                    |> List.distinct

                Expect.equal
                    (limits FlashGen.Kernels.Full.Variant)
                    [ "decode", 0, 64; "short", 512, 0; "long", System.Int32.MaxValue, 0 ]
                    "no mask"

                Expect.equal
                    (limits FlashGen.Kernels.Causal.Variant)
                    [ "decode", 0, 64; "short", 1024, 0; "long", System.Int32.MaxValue, 0 ]
                    "causal"

                Expect.equal
                    (limits FlashGen.Kernels.Alibi.Variant)
                    [ "decode", 1024, 64; "long", System.Int32.MaxValue, 0 ]
                    "a score change"

                Expect.equal
                    (limits FlashGen.Kernels.Documents.Variant)
                    [ "decode", 0, 64; "long", System.Int32.MaxValue, 0 ]
                    "tables"

                let wide: FlashGen.PlanInfo list =
                    [
                        for plan in FlashGen.Kernels.Full.Variant.Plans do
                            if plan.Target = FlashGen.Target.Sm90 && plan.HeadDim > 64 then
                                plan
                    ]

                Expect.all wide (fun plan -> plan.ShapeClass = "long") "two groups have no room beyond 64 columns"
            }

            test
                "what a group's registers do not hold is refused with the numbers, in a declaration and in a tuning file" {
                let declared blockM blockN dim =
                    let size =
                        {
                            BlockM = blockM
                            BlockN = blockN
                            Target = Some Sm90
                            Warps = 0
                            Stages = 1
                        }

                    TensorPlanner.plan
                        Sm90
                        Float16
                        { HeadDim = dim; ValueDim = dim }
                        { spec with BlockSizes = [ size ] }

                let refused blockM blockN dim part =
                    match declared blockM blockN dim with
                    | Ok plan -> failtest $"{PlanText.print plan} was not refused"
                    | Error message -> Expect.stringContains message part "the message"

                refused 192 96 256 "needs 232 registers; sm90 has 160 with so many rows."
                refused 192 128 128 "needs 192 registers; sm90 has 160 with so many rows."
                refused 128 128 256 "needs 256 registers; sm90 has 240 with so many rows."
                Expect.isOk (declared 192 80 128) "160 hold 156"
                Expect.isOk (declared 128 128 128) "and 240 hold 192"

                let line = "sm90 float16 d=256 dv=256 long m=192 n=96 warps=12 stages=1"

                match PlanText.parse line |> Result.bind PlanFile.check with
                | Ok _ -> failtest "a measured plan was not refused"
                | Error message -> Expect.stringContains message "160" "the message"
            }

            test "warps and stages that are declared are the plan's; those for all targets are wishes" {
                let schedule kind target warps stages =
                    let size =
                        {
                            BlockM = 128
                            BlockN = 32
                            Target = target
                            Warps = warps
                            Stages = stages
                        }

                    let spec = { spec with BlockSizes = [ size ] }

                    TensorPlanner.plan kind Float16 { HeadDim = 64; ValueDim = 64 } spec
                    |> Result.map (fun plan -> plan.Schedule)

                let is warps stages =
                    Ok(TensorSchedule { Warps = warps; Stages = stages })

                Expect.equal (schedule Sm90 (Some Sm90) 8 4) (is 8 4) "as declared"
                Expect.equal (schedule Sm80 (Some Sm80) 8 0) (is 8 2) "16 rows a warp instead of 32"
                Expect.equal (schedule Sm80 None 0 4) (is 4 2) "no four stages on Ampere"
                Expect.equal (schedule Sm90 None 0 4) (is 8 4) "four on Hopper"
                Expect.isError (schedule Sm90 (Some Sm90) 4 0) "64 rows are a warpgroup's"
            }

            test "a prefix is told by bounds, a user's table of that name is not" {
                let coverage readyMade =
                    Coverage.ofSpec
                        { spec with
                            Masks =
                                Spec.readyMadeMods Mask.tryMask [ PrefixLm ]
                                |> List.map (fun part -> { part with ReadyMade = readyMade })
                        }

                Expect.isTrue (Coverage.isExact (coverage true)) "its length is checked before a call"
                Expect.isFalse (Coverage.isExact (coverage false)) "a read that C# does not reach must not fault"
            }

            test "a dimension takes the least text that holds it, the two apart" {
                let dims pairs =
                    [
                        for headDim, valueDim in pairs ->
                            {
                                HeadDim = headDim
                                ValueDim = valueDim
                            }
                    ]

                Expect.equal
                    (TensorPlanner.buckets
                        { spec with
                            Dims = dims [ 40, 40; 64, 64; 192, 128; 65, 1; 300, 64 ]
                        })
                    (dims [ 64, 64; 96, 64; 192, 128 ])
                    "buckets; 300 is beyond tensor cores"
            }

            test "sizes for Hopper are kept or refused with numbers, sizes for all targets cut down" {
                match TensorPlanner.plan Sm90 Float16 { HeadDim = 128; ValueDim = 128 } (sized (Some Sm90) 128 176) with
                | Ok plan -> Expect.equal (plan.BlockM, plan.BlockN) (128, 176) "kept"
                | Error reason -> failtest reason

                match TensorPlanner.plan Sm90 Float16 { HeadDim = 256; ValueDim = 256 } (sized (Some Sm90) 128 128) with
                | Ok plan -> failtest (PlanText.print plan)
                | Error reason ->
                    Expect.stringContains reason "128 x 128 at head dimension 256" "what was asked for"
                    Expect.stringContains reason "sm90 has" "what there is"

                for blockM in [ 100; 32; 0 ] do
                    match
                        TensorPlanner.plan Sm90 Float16 { HeadDim = 64; ValueDim = 64 } (sized (Some Sm90) blockM 64)
                    with
                    | Ok plan -> failtest (PlanText.print plan)
                    | Error reason -> Expect.stringContains reason "64" "rows come in warpgroups of 64"

                for blockM, blockN in [ 1, 1; 300, 300; 64, 16 ] do
                    for dims, plan in plans (sized None blockM blockN) do
                        Expect.isOk plan $"{blockM} x {blockN}, {dims}"
            }
        ]
