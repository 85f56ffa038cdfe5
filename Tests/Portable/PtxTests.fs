/// What NVIDIA's compiler would get, looked at without a GPU: everything in registers, nothing that PTX does not have.
module FlashGen.Tests.Portable.PtxTests

open System
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open ILGPU
open ILGPU.Backends.EntryPoints
open ILGPU.Backends.PTX
open ILGPU.Runtime
open ILGPU.Runtime.Cuda
open FlashGen
open FlashGen.Support
open FlashGen.Tests
open FlashGen.Tests.Kernels

/// A variant's kernels, each with its element type and the plan of its largest group.
let private kernels (variant: AttentionVariant) =
    let generated =
        variant.Declaration.GetNestedType("Kernels", BindingFlags.Public ||| BindingFlags.NonPublic)

    // A variant for other targets has no such property.
    match generated.GetProperty("PortableKernels", BindingFlags.Static ||| BindingFlags.NonPublic) with
    | null -> []
    | property ->
        variant.Plans
        |> Seq.filter (fun plan -> plan.Target = Target.Portable)
        |> Seq.zip (property.GetValue null :?> PortableKernel[])
        |> Seq.groupBy (fun (_, plan) -> plan.ElementType, plan.ValueDim)
        |> Seq.map (fun (_, group) ->
            let kernel, plan = group |> Seq.maxBy (fun (kernel, _) -> kernel.Threads)
            plan, kernel)
        |> List.ofSeq

let private compile (kernel: PortableKernel) =
    // A context of its own: one kernel that does not compile spoils it for the next.
    use context = Context.Create(fun builder -> builder.Default() |> ignore)

    use backend =
        new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_80, null)

    let entry = EntryPointDescription.FromExplicitlyGroupedKernel kernel.Method

    let specialization = KernelSpecialization(Nullable kernel.Threads, Nullable())

    (backend.Compile(&entry, &specialization) :?> PTXCompiledKernel).PTXAssembly

let private check (plan: PlanInfo) kernel =
    let ptx = compile kernel

    for what, pattern in
        [
            "memory of a thread's own", @"\.local"
            "a call of a function", @"\.func|\bcall(\.uni)?\s"
            "a predicate in memory", @"(ld|st)\.[^;]*%p\d"
            "the bits of a 1 for the number 1", @"0f00000001|0d0000000000000001"
        ] do
        let found = Regex.Match(ptx, $"^.*({pattern}).*$", RegexOptions.Multiline)

        if found.Success then
            failtest $"{plan.Canonical}: {what}: {found.Value.Trim()}"

    let shared =
        Regex.Matches(ptx, @"\.shared[^;]*\[(\d+)\];")
        |> Seq.sumBy (fun found -> int found.Groups[1].Value)

    Expect.equal shared plan.SharedBytes $"{plan.Canonical}: shared memory"

[<Tests>]
let tests =
    testList
        "Portable.Ptx"
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
                            // Together, the variants have kernels of every type and number of columns.
                            let plan, kernel = kernels[index % kernels.Length]
                            check plan kernel
                    }
        ]
