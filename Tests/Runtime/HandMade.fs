/// Variants built without the generator: Runtime and its oracle are tested alone.
module FlashGen.Tests.Runtime.HandMade

open System
open System.Reflection
open Expecto
open FlashGen
open FlashGen.Support

/// What a call throws must be of this type and name all of these.
let throws<'Exception when 'Exception :> exn> (parts: string list) (call: unit -> unit) =
    try
        call ()
        failtest $"nothing was thrown; expected a {typeof<'Exception>.Name} naming %A{parts}"
    with
    | :? 'Exception as thrown ->
        for part in parts do
            Expect.stringContains thrown.Message part $"{typeof<'Exception>.Name} names {part}"
    | :? AssertException -> reraise ()
    | other -> failtest $"{other.GetType().Name} was thrown instead of {typeof<'Exception>.Name}: {other.Message}"

let private noKernels =
    { new VariantEntry() with
        member _.Load _ =
            raise (NotSupportedException "no kernels")
    }

let table name typeName =
    ArgumentInfo(name, ArgumentKind.Table, typeName, "")

let scalar name typeName =
    ArgumentInfo(name, ArgumentKind.Scalar, typeName, "")

/// The arguments that the ready-made attributes bring, in the fixed order.
let private readyMade (declaration: Type) =
    let has attribute = declaration.IsDefined(attribute, false)

    [
        match declaration.GetCustomAttribute<ScaleAttribute>() with
        | null -> ()
        | scale when not scale.Value.HasValue -> scalar "scale" "float"
        | _ -> ()
        if has typeof<AlibiAttribute> then
            table "slopes" "float"
        if has typeof<BiasAttribute> then
            table "bias" "float"
            ArgumentInfo("biasStrides", ArgumentKind.BiasStrides, "BiasStrides", "")
        if has typeof<PrefixLmAttribute> then
            table "prefix" "int"
        if has typeof<DocumentAttribute> then
            table "queryDocument" "int"
            table "keyDocument" "int"
        if has typeof<SinkAttribute> then
            table "sink" "float"
        if has typeof<DropoutAttribute> then
            ArgumentInfo("dropout", ArgumentKind.Dropout, "Dropout", "")
    ]

/// A variant of a class's attributes, with mods given as functions.
let variantWith (declaration: Type) (own: ArgumentInfo list) (masks: MaskDelegate list) (scores: ScoreDelegate list) =
    let attention = declaration.GetCustomAttribute<AttentionAttribute>()

    AttentionVariant(
        Name = declaration.FullName,
        Declaration = declaration,
        Spec = "",
        SpecHash = "",
        Dims =
            [|
                for dim in attention.HeadDims ->
                    struct (dim, (if attention.ValueDim = 0 then dim else attention.ValueDim))
            |],
        Types = attention.Types,
        Align = attention.Align,
        Layout = attention.Layout,
        Optimized = true,
        Arguments = [| yield! readyMade declaration; yield! own |],
        Plans = [||],
        Refusals = [||],
        Masks = Array.ofList masks,
        Scores = Array.ofList scores,
        Entry = noKernels
    )

let variant declaration = variantWith declaration [] [] []

let every =
    ElementTypes.Float16
    ||| ElementTypes.BFloat16
    ||| ElementTypes.Float32
    ||| ElementTypes.Float64

/// One batch entry, one head.
let shape queries keys dim =
    AttentionShape(1, 1, 1, queries, keys, dim)

let forwardRows<'T when 'T: unmanaged and 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType>
    (variant: AttentionVariant)
    (query: 'T[])
    (key: 'T[])
    (value: 'T[])
    (shape: AttentionShape)
    (arguments: ModArguments)
    (rows: int[])
    =
    Reference.Forward<'T>(variant, query, key, value, &shape, arguments, rows)

let forward variant (query: float[]) key value shape arguments =
    forwardRows<float> variant query key value shape arguments null

/// A plain variant of any dimension and type.
[<Attention(Types =
    (ElementTypes.Float16
     ||| ElementTypes.BFloat16
     ||| ElementTypes.Float32
     ||| ElementTypes.Float64))>]
type Full = class end
