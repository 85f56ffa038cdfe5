module FlashGen.Tests.Runtime.VariantTests

open System
open System.Collections.Generic
open System.Reflection
open System.Reflection.Emit
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests.Runtime.HandMade

/// An entry that notes how it was called, for float only.
type private Recorder() =
    inherit VariantEntry()
    member val Calls = List<string>()

    override this.Forward
        (
            query: ReadOnlySpan<float32>,
            key: ReadOnlySpan<float32>,
            value: ReadOnlySpan<float32>,
            output: Span<float32>,
            shape: inref<AttentionShape>,
            arguments: ModArguments,
            logSumExp: Span<float32>,
            options: AttentionOptions
        ) =
        let names = String.Join("+", arguments.Names)

        this.Calls.Add
            $"{query.Length} {key.Length} {value.Length} {output.Length} {logSumExp.Length} {shape.HeadDim} [{names}] {options.Threads}"

    override _.Load _ =
        raise (NotSupportedException "no kernels")

[<Attention(Types = ElementTypes.Float32); Sink>]
type private WithSink = class end

let private recorded (declaration: Type) =
    let source = variant declaration
    let recorder = Recorder()

    recorder,
    AttentionVariant(
        Name = source.Name,
        Declaration = declaration,
        Spec = "",
        SpecHash = "",
        Dims = source.Dims,
        Types = source.Types,
        Align = source.Align,
        Layout = source.Layout,
        Optimized = true,
        Arguments = source.Arguments,
        Plans = source.Plans,
        Refusals = source.Refusals,
        Masks = source.Masks,
        Scores = source.Scores,
        Entry = recorder
    )

[<Tests>]
let forward =
    testList
        "AttentionVariant.Forward"
        [
            test "passes everything on, with defaults for what is left out" {
                let recorder, variant = recorded typeof<WithSink>
                let shape = AttentionShape(1, 1, 1, 2, 3, 4)
                let zeros count : float32[] = Array.zeroCreate count
                let query, key, value, output = zeros 8, zeros 12, zeros 12, zeros 8
                let sink = ModArguments().Add("sink", [| 0.0f |])
                variant.Forward(query, key, value, output, &shape, sink)
                let logSumExp = zeros 2
                variant.Forward(query, key, value, output, &shape, sink, logSumExp, AttentionOptions(Threads = 3))

                Expect.equal
                    (List.ofSeq recorder.Calls)
                    [ "8 12 12 8 0 4 [sink] 0"; "8 12 12 8 2 4 [sink] 3" ]
                    "as they were called"
            }

            test "refuses missing and unknown arguments, and types not declared, before it calls anything" {
                let recorder, variant = recorded typeof<WithSink>
                let shape = AttentionShape(1, 1, 1, 0, 0, 4)
                let none: float32[] = [||]

                throws<ArgumentException> [ "'sink'"; "missing" ] (fun () ->
                    variant.Forward(none, none, none, none, &shape))

                throws<ArgumentException> [ "no argument 'slopes'" ] (fun () ->
                    let arguments = ModArguments().Add("sink", [| 0.0f |]).Add("slopes", [| 0.0f |])
                    variant.Forward(none, none, none, none, &shape, arguments))

                throws<NotSupportedException> [ "Float16"; "Float32" ] (fun () ->
                    let none: Half[] = [||]
                    variant.Forward(none, none, none, none, &shape))

                Expect.isEmpty recorder.Calls "calls"
            }

            test "a negative number of threads is refused" {
                throws<ArgumentException> [ "Threads is -1" ] (fun () -> AttentionOptions(Threads = -1) |> ignore)

                for bits in [ -5; 0; 300; 1024 ] do
                    throws<ArgumentException> [ $"MaxVectorBits is {bits}"; "512, 256 and 128" ] (fun () ->
                        AttentionOptions(MaxVectorBits = bits) |> ignore)
            }
        ]

type private Second() =
    static member private Variant = variant typeof<Full>

type private First() =
    static member Variant = variant typeof<Causal>

and [<Attention; Causal>] private Causal = class end

/// An assembly whose index names these classes.
let private assemblyOf (declarations: Type list) =
    let name = AssemblyName "Indexed"

    let assembly =
        AssemblyBuilder.DefineDynamicAssembly(name, AssemblyBuilderAccess.Run)

    let constructor =
        typeof<AttentionVariantIndexAttribute>.GetConstructor [| typeof<Type> |]

    for declaration in declarations do
        assembly.SetCustomAttribute(CustomAttributeBuilder(constructor, [| box declaration |]))

    assembly

[<Tests>]
let index =
    testList
        "AttentionVariant.In"
        [
            test "finds the variants of an assembly, in order of their names" {
                let names =
                    [
                        for variant in AttentionVariant.In(assemblyOf [ typeof<Second>; typeof<First> ]) ->
                            variant.Declaration
                    ]

                Expect.equal names [ typeof<Full>; typeof<Causal> ] "HandMade before VariantTests"
                Expect.isEmpty (AttentionVariant.In(assemblyOf [])) "none"
            }

            test "a class without a variant is named" {
                throws<InvalidOperationException>
                    [ "Indexed"; "HandMade+Full"; "no static property Variant" ]
                    (fun () -> AttentionVariant.In(assemblyOf [ typeof<Full> ]) |> ignore)
            }
        ]
