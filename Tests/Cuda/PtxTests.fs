/// Tensor-core kernels as NVIDIA's compiler gets them, looked at without a GPU: what the plan promised, and nothing that would make
/// them slow or differ from run to run.
module FlashGen.Tests.Cuda.PtxTests

open System
open System.Text.RegularExpressions
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests
open FlashGen.Tests.Kernels
open FlashGen.Tests.Portable

let private kernels (variant: AttentionVariant) =
    [ for struct (plan, kernel) in TensorEngine.KernelsOf variant -> plan, kernel ]

let private sum pattern (ptx: string) =
    Regex.Matches(ptx, pattern)
    |> Seq.sumBy (fun found -> int found.Groups[1].Value)

let private check (plan: PlanInfo) (kernel: TensorKernel) =
    let target, named =
        if plan.Target = Target.Sm90 then
            "sm_90a", "wgmma"
        else
            "sm_80", "mma.sync"

    let isBFloat16 = plan.ElementType = ElementType.BFloat16
    let struct (_, ptx) = TensorCompiler.Compile(kernel, target, isBFloat16)

    for what, pattern in
        [
            "memory of a thread's own", @"\.local"
            "a call of a function", @"\.func|\bcall(\.uni)?\s+\("
            "a predicate in memory", @"(ld|st)\.[^;]*%p\d"
            "a name that changes from run to run", @"\bL_\d+|\.param[^\n]*_\d+[,\s\[]"
            "the other 16-bit type",
            (if isBFloat16 then
                 @"\.f32\.f16\.f16|cvt\.rn\.f16x2"
             else
                 "bf16")
        ] do
        let found = Regex.Match(ptx, $"^.*({pattern}).*$", RegexOptions.Multiline)

        if found.Success then
            failtest $"{plan.Canonical}: {what}: {found.Value.Trim()}"

    Expect.stringContains ptx $".target {target}" "the target"
    Expect.stringContains ptx named "tensor-core instructions"

    // Scores, outputs and probabilities are declared once, as many as the plan says.
    let rowTiles =
        Devices.number "m" plan.Canonical / 16 / Devices.number "warps" plan.Canonical

    let keys, values = Devices.number "n" plan.Canonical, plan.ValueDim

    // Ampere's probabilities take the place of their scores.
    let probabilities = if plan.Target = Target.Sm90 then [ "p", keys / 4 ] else []

    for name, count in [ "s", keys / 2; "o", values / 2 ] @ probabilities do
        let declared = Regex.Matches(ptx, $@"[ ,]{name}<(\d+)>")
        Expect.equal declared.Count 1 $"{plan.Canonical}: registers {name} are declared once"
        Expect.equal (int declared[0].Groups[1].Value) (rowTiles * count) $"{plan.Canonical}: registers {name}"

    let ofShared = kernel.SharedBytes + sum @"\.shared[^;]*\[(\d+)\];" ptx
    Expect.isLessThanOrEqual ofShared plan.SharedBytes $"{plan.Canonical}: shared memory"
    Expect.isGreaterThan ofShared (plan.SharedBytes - 4096) $"{plan.Canonical}: the plan's shared memory is no guess"

[<Tests>]
let tests =
    testList
        "Cuda.Ptx"
        [
            for index, variant in List.indexed Widths.variants do
                match kernels variant with
                | [] -> ()
                | kernels ->
                    test variant.Name {
                        if Settings.thorough then
                            for plan, kernel in kernels do
                                check plan kernel
                        else
                            // Together, the variants have kernels of every target, type and dimension.
                            kernels[index * 3 % kernels.Length] ||> check
                    }

            test "the gallery has a kernel for each tensor-core target, 16-bit type and dimension" {
                for variant in AttentionVariant.In typeof<FlashGen.Kernels.Full>.Assembly do
                    if variant.Arguments.Count >= 0 && not (List.isEmpty (kernels variant)) then
                        for headDim in [ 1; 64; 65; 128; 192; 256 ] do
                            for elementType in [ ElementType.Float16; ElementType.BFloat16 ] do
                                for target in [ Target.Sm80; Target.Sm90 ] do
                                    Expect.exists
                                        (kernels variant)
                                        (fun (plan, _) ->
                                            plan.Target = target
                                            && plan.ElementType = elementType
                                            && plan.HeadDim >= headDim)
                                        $"{variant.Name}, {elementType}, {headDim}"
            }
        ]
