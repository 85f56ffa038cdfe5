/// The canonical text of a declaration: one line a fact, in fixed order, the same for equal specs; it parses back to the spec.
/// Cache keys, tuning and `show` read it.
namespace FlashGen.Dsl

open System
open System.Globalization
open System.Security.Cryptography
open System.Text

[<RequireQualifiedAccess>]
module Text =
    let private version = "flashgen-spec 1"

    // Printing.

    let private number (value: int) =
        value.ToString CultureInfo.InvariantCulture

    let private append (output: StringBuilder) (text: string) = output.Append text |> ignore

    /// The text of an expression, on one line.
    let printExpr expr =
        let output = StringBuilder()
        ExprText.append output expr
        output.ToString()

    let private listed none words =
        match words with
        | [] -> none
        | _ -> String.concat " " words

    let private dimsText dims =
        dims
        |> List.map (fun dims ->
            if dims.HeadDim = dims.ValueDim then
                number dims.HeadDim
            else
                number dims.HeadDim + ":" + number dims.ValueDim)
        |> listed "any"

    let private scaleText scale =
        match scale with
        | DefaultScale -> "default"
        | RuntimeScale -> "argument"
        | ConstantScale bits -> printExpr (Literal(FloatLiteral bits))

    let private yesOrNo value = if value then "yes" else "no"

    let private argumentText argumentType =
        match argumentType with
        | TableArgument element -> "table " + Words.ofCase Words.elements element
        | ScalarArgument scalarType -> "scalar " + Words.ofCase Words.scalarTypes scalarType
        | BiasStridesArgument -> "bias-strides"
        | DropoutArgument -> "dropout"

    let private blockSizeText (size: BlockSize) =
        let target =
            match size.Target with
            | Some target -> Words.ofCase Words.targets target
            | None -> "any"

        target
        + " "
        + number size.BlockM
        + " "
        + number size.BlockN
        + " warps "
        + number size.Warps
        + " stages "
        + number size.Stages

    let private origin readyMade =
        if readyMade then "attribute" else "method"

    let private modLine output kind (part: Mod) =
        append output (kind + " ")
        Syntax.appendName output part.Name
        append output (" " + origin part.ReadyMade + " ")
        ExprText.append output part.Body
        append output "\n"

    /// What the declaration computes; its name and block sizes are not part of that.
    let private appendMeaning output appendMod (spec: AttentionSpec) =
        let line key value =
            append output (key + " " + value + "\n")

        let words cases =
            List.map (Words.ofCase cases) >> listed "none"

        line "dims" (dimsText spec.Dims)
        line "types" (words Words.elementTypes spec.Types)
        line "align" (Words.ofCase Words.alignments spec.Align)
        line "layout" (Words.ofCase Words.layouts spec.Layout)
        line "targets" (words Words.targets spec.Targets)
        line "scale" (scaleText spec.Scale)
        List.iter (appendMod "score") spec.Scores
        List.iter (appendMod "mask") spec.Masks
        line "sink" (yesOrNo spec.Sink)
        line "dropout" (yesOrNo spec.Dropout)

        for argument in spec.Arguments do
            append output "argument "
            Syntax.appendName output argument.Name
            append output (" " + argumentText argument.Type + "\n")

    /// The canonical text of a spec, each line ended by "\n"; parseSpec gives the spec back.
    let printSpec (spec: AttentionSpec) =
        let output = StringBuilder()
        append output (version + "\nname ")
        Syntax.appendName output spec.Name
        append output "\n"
        appendMeaning output (modLine output) spec

        for size in spec.BlockSizes do
            append output ("block-size " + blockSizeText size + "\n")

        output.ToString()

    /// Locals by the order of their binding, so that their names say nothing.
    let private numberedLocals expr =
        let mutable count = 0

        let rec go names expr =
            match expr with
            | Local(name, scalarType) ->
                match Map.tryFind name names with
                | Some other -> Local(other, scalarType)
                | None -> expr
            | Let(name, value, body) ->
                let value = go names value
                let other = number count
                count <- count + 1
                Let(other, value, go (Map.add name other names) body)
            | _ -> Expr.map (go names) expr

        go Map.empty expr

    /// Sixteen hexadecimal digits of what the spec means: SHA-256 of its canonical text without names of the declaration, its mods
    /// and its locals, and without block sizes, its expressions simplified. Names of arguments are part of it.
    let hash (spec: AttentionSpec) =
        let output = StringBuilder()

        let nameless kind (part: Mod) =
            append output (kind + " ")
            ExprText.append output (numberedLocals (Simplify.expression part.Body))
            append output "\n"

        append output (version + "\n")
        appendMeaning output nameless spec
        use sha = SHA256.Create()

        sha.ComputeHash(Encoding.UTF8.GetBytes(output.ToString()))
        |> Seq.take 8
        |> Seq.map (fun part -> part.ToString("x2", CultureInfo.InvariantCulture))
        |> String.concat ""

    // Reading.

    /// The expression of a text; its lines may be broken anywhere. An error says line and column.
    let parseExpr (text: string) : Result<Expr, string> =
        Syntax.run text (fun () ->
            match List.concat (Syntax.read text) with
            | [ node ] -> fst (ExprText.ofNode node)
            | [] -> Syntax.fail 0 "An expression is missing."
            | _ :: second :: _ -> Syntax.fail (Syntax.position second) "One expression was read already.")

    /// The spec of a canonical text. An error says line and column.
    let parseSpec (text: string) : Result<AttentionSpec, string> =
        Syntax.run text (fun () -> SpecReader.read text)
