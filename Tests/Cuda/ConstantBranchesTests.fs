/// What a variant does not have is not compiled: branches that constant methods decide.
module FlashGen.Tests.Cuda.ConstantBranchesTests

open System
open System.Runtime.CompilerServices
open Expecto
open FlashGen.Support
open ILGPU
open ILGPU.IR
open ILGPU.IR.Values

/// What a kernel asks of its variant, and what it has for those that say yes.
type private Asked =
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member No() = false

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Yes() = true

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Some(number: int) = number > 3

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Work(number: int) = number * 3

    static member IfNo(number: int) =
        if Asked.No() then Asked.Work number else number

    static member UnlessYes(number: int) =
        if not (Asked.Yes()) then Asked.Work number else number

    static member IfBoth(number: int) =
        if Asked.Yes() && Asked.No() then
            Asked.Work number
        else
            number

    static member IfYes(number: int) =
        if Asked.Yes() then Asked.Work number else number

    static member IfSome(number: int) =
        if Asked.Some number then Asked.Work number else number

/// The methods that one still calls when branches on constants are gone.
let private called (name: string) =
    use context =
        Context.Create(fun builder -> builder.Optimize OptimizationLevel.O1 |> ignore)

    use all = new IRContext(context)
    use phase = context.BeginCodeGeneration all

    let method =
        typeof<Asked>
            .GetMethod(
                name,
                Reflection.BindingFlags.Static
                ||| Reflection.BindingFlags.NonPublic
                ||| Reflection.BindingFlags.Public
            )

    let kernel =
        use frontend = phase.BeginFrontendCodeGeneration()
        frontend.GenerateCode method

    ConstantBranches.Remove all

    [
        for block in kernel.Result.Blocks do
            for entry in block do
                match entry.Value with
                | :? MethodCall as call -> call.Target.Source.Name
                | _ -> ()
    ]

[<Tests>]
let tests =
    testList
        "Cuda.Constant branches"
        [
            for name, expected in
                [
                    "IfNo", []
                    "UnlessYes", []
                    "IfBoth", []
                    "IfYes", [ "Work" ]
                    "IfSome", [ "Some"; "Work" ]
                ] do
                test $"{name} still calls %A{expected}" { Expect.equal (called name) expected "calls" }
        ]
