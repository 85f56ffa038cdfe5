/// The whole declaration of a variant as one value, equal by value: what the parser makes and everything else reads.
namespace FlashGen.Dsl

type ElementType =
    | Float16
    | BFloat16
    | Float32
    | Float64

type Alignment =
    | BottomRight
    | TopLeft

type TensorLayout =
    | BatchHeadSequence
    | BatchSequenceHead

/// The kinds of kernel that the generator can write (DESIGN 7).
type TargetKind =
    | Simd
    | Portable
    | Sm80
    | Sm90

type HeadDims = { HeadDim: int; ValueDim: int }

type Scale =
    /// 1 / sqrt(headDim)
    | DefaultScale
    | ConstantScale of bits: int
    /// The argument `scale` of each call.
    | RuntimeScale

/// A score change or a mask: its name for people (the attribute's or the method's) and its meaning.
type Mod =
    {
        Name: string
        ReadyMade: bool
        Body: Expr
    }

type ArgumentType =
    | TableArgument of TableElement
    | ScalarArgument of ScalarType
    /// Four strides of a bias: long scalars `name.Batch`, `name.Head`, `name.Query` and `name.Key` in expressions.
    | BiasStridesArgument
    | DropoutArgument

/// A run-time argument of Forward.
type Argument = { Name: string; Type: ArgumentType }

/// `[BlockSize]`: what the user fixed of a plan; 0 leaves warps or stages to the planner. No target: all of them.
type BlockSize =
    {
        Target: TargetKind option
        BlockM: int
        BlockN: int
        Warps: int
        Stages: int
    }

type AttentionSpec =
    {
        /// Full type name of the declaration; not part of its meaning.
        Name: string
        /// Head and value dimensions declared; none means every dimension up to 256, values as wide as keys.
        Dims: HeadDims list
        Types: ElementType list
        Align: Alignment
        Layout: TensorLayout
        Targets: TargetKind list
        Scale: Scale
        /// In the order of application: soft cap, ALiBi, bias, then the user's.
        Scores: Mod list
        /// A pair is kept where all of them hold.
        Masks: Mod list
        Sink: bool
        Dropout: bool
        BlockSizes: BlockSize list
        /// In the order of Forward's parameters.
        Arguments: Argument list
    }

[<RequireQualifiedAccess>]
module Spec =
    /// The arguments that a declaration's ready-made parts bring, in their fixed order.
    let readyMadeArguments scale (readyMade: ReadyMade list) sink dropout =
        let has part = List.contains part readyMade

        let table name element =
            {
                Name = name
                Type = TableArgument element
            }

        [
            if scale = RuntimeScale then
                {
                    Name = "scale"
                    Type = ScalarArgument Float
                }
            if has Alibi then
                table "slopes" FloatElement
            if has Bias then
                table "bias" FloatElement

                {
                    Name = "biasStrides"
                    Type = BiasStridesArgument
                }
            if has PrefixLm then
                table "prefix" IntElement
            if has Document then
                table "queryDocument" IntElement
                table "keyDocument" IntElement
            if sink then
                table "sink" FloatElement
            if dropout then
                {
                    Name = "dropout"
                    Type = DropoutArgument
                }
        ]

    /// The ready-made parts as mods, in the order of application (semantics 5).
    let readyMadeMods tryBody (readyMade: ReadyMade list) =
        readyMade
        |> List.choose (fun part ->
            tryBody part
            |> Option.map (fun body ->
                {
                    Name = Mask.name part
                    ReadyMade = true
                    Body = body
                }))

    /// Soft cap, then ALiBi, then bias, however the attributes were written; masks keep their order.
    let inOrderOfApplication (readyMade: ReadyMade list) =
        let rank part =
            match part with
            | SoftCap _ -> 0
            | Alibi -> 1
            | Bias -> 2
            | _ -> 3

        List.sortBy rank readyMade

    /// The whole mask: the conjunction of its parts.
    let mask (spec: AttentionSpec) =
        Expr.conjunction [ for part in spec.Masks -> part.Body ]

    /// Reads of the masks that cannot be outside their tables, whatever the call.
    let checkedReads (spec: AttentionSpec) =
        spec.Masks
        |> List.filter (fun part -> part.ReadyMade)
        |> List.collect (fun part -> Mask.checkedReads part.Name)

    /// True when the variant declares this head and value dimension.
    let accepts headDim valueDim (spec: AttentionSpec) =
        match spec.Dims with
        | [] -> headDim >= 1 && headDim <= 256 && valueDim >= 1 && valueDim <= 256
        | dims ->
            List.contains
                {
                    HeadDim = headDim
                    ValueDim = valueDim
                }
                dims
