/// Reads the canonical text of a spec, line by line in the order in which Text prints them.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.SpecReader

open System
open System.Globalization

let private refuse node allowed : 'a =
    Syntax.fail (Syntax.position node) (Syntax.describe node + " is not what stands here: " + allowed + ".")

let private ofWord words node =
    match node with
    | Word(text, _) ->
        match Words.tryCase words text with
        | Some case -> case
        | None -> refuse node (Words.all words)
    | _ -> refuse node (Words.all words)

let private tryNumber (text: string) =
    match Int32.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
    | true, value -> Some value
    | _ -> None

let private ofNumber node =
    match node with
    | Word(text, _) ->
        match tryNumber text with
        | Some value -> value
        | None -> refuse node "a whole number"
    | _ -> refuse node "a whole number"

let private ofName node =
    match node with
    | Word(text, _)
    | Quoted(text, _) -> text
    | Group _ -> refuse node "a name"

let private ofDims node =
    match node with
    | Word(text, _) ->
        match text.Split ':' |> List.ofArray |> List.map tryNumber with
        | [ Some dim ] -> { HeadDim = dim; ValueDim = dim }
        | [ Some headDim; Some valueDim ] ->
            {
                HeadDim = headDim
                ValueDim = valueDim
            }
        | _ -> refuse node "a head dimension, or head:value"
    | _ -> refuse node "a head dimension, or head:value"

let private ofMod scalarType key nodes : Mod =
    match nodes with
    | [ name; origin; body ] ->
        let expr, exprType = ExprText.ofNode body

        if exprType <> scalarType then
            refuse body ("an expression of type " + Words.ofCase Words.scalarTypes scalarType)

        if scalarType = Bool && Expr.exists (fun node -> node = Score) expr then
            refuse body "a mask, which does not see the score"

        {
            Name = ofName name
            ReadyMade = ofWord [ true, "attribute"; false, "method" ] origin
            Body = expr
        }
    | _ -> refuse key "name, attribute or method, expression"

let private ofArgument key nodes =
    let argument name argumentType =
        {
            Name = ofName name
            Type = argumentType
        }

    match nodes with
    | [ name; Word("table", _); element ] -> argument name (TableArgument(ofWord Words.elements element))
    | [ name; Word("scalar", _); scalarType ] -> argument name (ScalarArgument(ofWord Words.scalarTypes scalarType))
    | [ name; Word("bias-strides", _) ] -> argument name BiasStridesArgument
    | [ name; Word("dropout", _) ] -> argument name DropoutArgument
    | _ -> refuse key "name, then table and its element, scalar and its type, bias-strides or dropout"

let private ofBlockSize key nodes =
    match nodes with
    | [ target; m; n; Word("warps", _); warps; Word("stages", _); stages ] ->
        {
            Target =
                (match target with
                 | Word("any", _) -> None
                 | _ -> Some(ofWord Words.targets target))
            BlockM = ofNumber m
            BlockN = ofNumber n
            Warps = ofNumber warps
            Stages = ofNumber stages
        }
    | _ -> refuse key "target or any, rows, keys, warps and their number, stages and their number"

let private ofScale node =
    match node with
    | Word("default", _) -> DefaultScale
    | Word("argument", _) -> RuntimeScale
    | _ ->
        match ExprText.ofNode node with
        | Literal(FloatLiteral bits), _ -> ConstantScale bits
        | _ -> refuse node "default, argument or a float"

/// What is left of the lines, taken from the front; `at` is where an error about a missing line points.
type private Lines(lines: Node list list, at: int) =
    let mutable rest = lines

    /// Every next line that begins with the key, as `reader` reads it: its key's node, then what follows.
    member _.Many key (reader: Node -> Node list -> 'a) : 'a list =
        [
            while (match rest with
                   | (Word(first, _) :: _) :: _ -> first = key
                   | _ -> false) do
                match rest with
                | (first :: values) :: others ->
                    rest <- others
                    reader first values
                | _ -> ()
        ]

    /// The one next line, which begins with the key.
    member lines.One key (reader: Node -> Node list -> 'a) : 'a =
        let next =
            match rest with
            | (node :: _) :: _ -> Syntax.position node
            | _ -> at

        match lines.Many key reader with
        | [ value ] -> value
        | [] -> Syntax.fail next ("A line '" + key + " ...' is missing here.")
        | _ -> Syntax.fail next ("There is more than one line '" + key + " ...'.")

    member lines.Word key (reader: Node -> 'a) : 'a =
        lines.One key (fun first values ->
            match values with
            | [ value ] -> reader value
            | _ -> refuse first (key + " and one value"))

    member lines.Words key none (reader: Node -> 'a) : 'a list =
        lines.One key (fun first values ->
            match values with
            | [] -> refuse first (key + " and " + none + ", or at least one value")
            | [ Word(word, _) ] when word = none -> []
            | _ -> List.map reader values)

    member _.End() =
        match rest with
        | (node :: _) :: _ -> Syntax.fail (Syntax.position node) (Syntax.describe node + " does not follow here.")
        | _ -> ()

let private ofYesOrNo = ofWord [ true, "yes"; false, "no" ]

/// The spec of a text; raises Unreadable.
let read (text: string) : AttentionSpec =
    let lines = Lines(Syntax.read text, text.Length)

    lines.Word "flashgen-spec" (fun node ->
        if ofNumber node <> 1 then
            refuse node "1, the only version there is")

    // In the order of the lines.
    let name = lines.Word "name" ofName
    let dims = lines.Words "dims" "any" ofDims
    let types = lines.Words "types" "none" (ofWord Words.elementTypes)
    let align = lines.Word "align" (ofWord Words.alignments)
    let layout = lines.Word "layout" (ofWord Words.layouts)
    let targets = lines.Words "targets" "none" (ofWord Words.targets)
    let scale = lines.Word "scale" ofScale
    let scores = lines.Many "score" (ofMod Float)
    let masks = lines.Many "mask" (ofMod Bool)
    let sink = lines.Word "sink" ofYesOrNo
    let dropout = lines.Word "dropout" ofYesOrNo
    let arguments = lines.Many "argument" ofArgument
    let blockSizes = lines.Many "block-size" ofBlockSize
    lines.End()

    {
        Name = name
        Dims = dims
        Types = types
        Align = align
        Layout = layout
        Targets = targets
        Scale = scale
        Scores = scores
        Masks = masks
        Sink = sink
        Dropout = dropout
        BlockSizes = blockSizes
        Arguments = arguments
    }
