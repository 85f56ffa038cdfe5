/// Expressions as text: (+ Score (* (read slopes float Head) (float (- Key QueryPosition)))). Literals carry C#'s suffixes; (long x)
/// converts; a local is $x inside its (let x value body).
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.ExprText

open System
open System.Globalization
open System.Text

let private culture = CultureInfo.InvariantCulture

// Printing.

/// .NET's own NaN needs no bits.
let private plainNaN = Literal.ofFloat nanf

/// The fewest digits that give the float back, nine at most.
let private floatText bits =
    let value = Literal.toFloat bits

    let givesBack (text: string) =
        Literal.ofFloat (float32 (Double.Parse(text, culture))) = FloatLiteral bits

    if FloatLiteral bits = plainNaN then
        "nan"
    elif Single.IsNaN value then
        "nan:" + bits.ToString("x8", culture)
    elif value = infinityf then
        "inf"
    elif value = -infinityf then
        "-inf"
    elif value = 0.0f then
        (if 1.0f / value < 0.0f then "-0f" else "0f")
    else
        let digits =
            [ "G6"; "G7"; "G8" ]
            |> List.map (fun format -> value.ToString(format, culture))
            |> List.tryFind givesBack
            |> Option.defaultWith (fun () -> value.ToString("G9", culture))

        digits.Replace('E', 'e') + "f"

let private literalText literal =
    match literal with
    | BoolLiteral value -> if value then "true" else "false"
    | IntLiteral value -> value.ToString culture
    | UIntLiteral value -> value.ToString culture + "u"
    | LongLiteral value -> value.ToString culture + "L"
    | FloatLiteral bits -> floatText bits

/// Appends an expression.
let append (output: StringBuilder) expr =
    let word (text: string) = output.Append text |> ignore
    let space () = word " "

    let group (head: string) (rest: (unit -> unit) list) =
        word "("
        word head

        for part in rest do
            space ()
            part ()

        word ")"

    let rec go (scope: Map<string, ScalarType>) expr =
        let name text () = Syntax.appendName output text

        let typeWord scalarType () =
            word (Words.ofCase Words.scalarTypes scalarType)

        let operand expr () = go scope expr

        match expr with
        | Literal literal -> word (literalText literal)
        | Position field -> word (Words.ofCase Words.fields field)
        | Score -> word "Score"
        | Scalar(scalar, scalarType) -> group "scalar" [ name scalar; typeWord scalarType ]
        | Local(local, scalarType) when Map.tryFind local scope = Some scalarType && Syntax.isBare local ->
            word "$"
            word local
        | Local(local, scalarType) -> group "local" [ name local; typeWord scalarType ]
        | TableLength table -> group "length" [ name table ]
        | TableRead(table, element, index) ->
            let elementWord () =
                word (Words.ofCase Words.elements element)

            group "read" [ name table; elementWord; operand index ]
        | Unary(op, inner) -> group (Words.ofCase Words.unaryOps op) [ operand inner ]
        | Binary(op, left, right) -> group (Words.ofCase Words.binaryOps op) [ operand left; operand right ]
        | Expr.Convert(target, inner) -> group (Words.ofCase Words.scalarTypes target) [ operand inner ]
        | Select(condition, ifTrue, ifFalse) -> group "if" [ operand condition; operand ifTrue; operand ifFalse ]
        | Let(local, value, body) ->
            let inner = Map.add local (Expr.typeOf value) scope
            group "let" [ name local; operand value; (fun () -> go inner body) ]

    go Map.empty expr

// Reading: every expression with its type, so that a text that is read is well typed.

let private typeName scalarType =
    Words.ofCase Words.scalarTypes scalarType

let private (|Suffixed|_|) (suffix: string) (text: string) =
    if text.Length > suffix.Length && text.EndsWith(suffix, StringComparison.Ordinal) then
        Some(text.Substring(0, text.Length - suffix.Length))
    else
        None

let private tryFloat (digits: string) =
    let isNumber =
        digits
        |> Seq.forall (fun character -> Char.IsDigit character || "+-.eE".IndexOf character >= 0)

    match Double.TryParse(digits, NumberStyles.Float, culture) with
    | true, value when isNumber && not (Single.IsInfinity(float32 value)) -> Some(Literal.ofFloat (float32 value))
    | _ -> None

let private tryNaN (bits: string) =
    match Int32.TryParse(bits, NumberStyles.AllowHexSpecifier, culture) with
    | true, bits when Single.IsNaN(Literal.toFloat bits) -> Some(FloatLiteral bits)
    | _ -> None

let private tryLiteral (word: string) =
    let whole = NumberStyles.AllowLeadingSign

    match word with
    | "true" -> Some(BoolLiteral true)
    | "false" -> Some(BoolLiteral false)
    | "nan" -> Some plainNaN
    | "inf" -> Some(Literal.ofFloat infinityf)
    | "-inf" -> Some(Literal.ofFloat -infinityf)
    | "-0f" -> Some(Literal.ofFloat -0.0f)
    | _ when word.StartsWith("nan:", StringComparison.Ordinal) -> tryNaN (word.Substring 4)
    | Suffixed "f" digits -> tryFloat digits
    | Suffixed "u" digits ->
        match UInt32.TryParse(digits, NumberStyles.None, culture) with
        | true, value -> Some(UIntLiteral value)
        | _ -> None
    | Suffixed "L" digits ->
        match Int64.TryParse(digits, whole, culture) with
        | true, value -> Some(LongLiteral value)
        | _ -> None
    | _ ->
        match Int32.TryParse(word, whole, culture) with
        | true, value -> Some(IntLiteral value)
        | _ -> None

let private name node =
    match node with
    | Word(text, _)
    | Quoted(text, _) -> text
    | Group(_, at) -> Syntax.fail at "A name stands here, not a group."

let private case words what node =
    let refuse () =
        Syntax.fail
            (Syntax.position node)
            (Syntax.describe node + " is no " + what + "; those are " + Words.all words + ".")

    match node with
    | Word(text, _) ->
        match Words.tryCase words text with
        | Some case -> case
        | None -> refuse ()
    | _ -> refuse ()

let private expect at what allowed scalarType =
    if not (List.contains scalarType allowed) then
        let names = allowed |> List.map typeName |> String.concat ", "
        Syntax.fail at (what + " takes " + names + ", not " + typeName scalarType + ".")

let private integers = [ Int; UInt; Long ]
let private numbers = [ Int; UInt; Long; Float ]

let private unaryOperands op =
    match op with
    | Not -> [ Bool ]
    | Negate -> [ Int; Long; Float ]
    | Complement -> integers
    | Abs -> numbers
    | _ -> [ Float ]

/// The left operands that an operation takes.
let private binaryOperands op =
    match op with
    | And
    | Or -> [ Bool ]
    | Eq
    | Ne -> Bool :: numbers
    | BitAnd
    | BitOr
    | BitXor -> Bool :: integers
    | Shl
    | Shr
    | UShr -> integers
    | Pow
    | Atan2 -> [ Float ]
    | _ -> numbers

let private isShift op = op = Shl || op = Shr || op = UShr

/// The expression that a node writes.
let ofNode node =
    let rec go (scope: Map<string, ScalarType>) node : Expr * ScalarType =
        match node with
        | Word(text, at) when text.StartsWith("$", StringComparison.Ordinal) ->
            let local = text.Substring 1

            match Map.tryFind local scope with
            | Some scalarType -> Local(local, scalarType), scalarType
            | None -> Syntax.fail at ("No local '" + local + "' is in scope.")
        | Word("Score", _) -> Score, Float
        | Word(text, at) ->
            match Words.tryCase Words.fields text, tryLiteral text with
            | Some field, _ -> Position field, Int
            | None, Some literal -> Literal literal, Literal.typeOf literal
            | None, None -> Syntax.fail at ("'" + text + "' is no number, position or group.")
        | Quoted(_, at) -> Syntax.fail at "An expression stands here, not a quoted name."
        | Group([], at) -> Syntax.fail at "A group is empty."
        | Group(Word(head, at) :: rest, _) -> group scope head at rest
        | Group(first :: _, _) -> Syntax.fail (Syntax.position first) "A group begins with the word of its operation."

    and group scope head at rest =
        let unary = Words.tryCase Words.unaryOps head
        let binary = Words.tryCase Words.binaryOps head
        let target = Words.tryCase Words.scalarTypes head

        match head, rest with
        | "scalar", [ scalar; scalarType ] ->
            let scalarType = case Words.scalarTypes "type" scalarType
            Scalar(name scalar, scalarType), scalarType
        | "local", [ local; scalarType ] ->
            let scalarType = case Words.scalarTypes "type" scalarType
            Local(name local, scalarType), scalarType
        | "length", [ table ] -> TableLength(name table), Int
        | "read", [ table; element; index ] ->
            let element = case Words.elements "element of a table" element
            let index, indexType = go scope index
            expect at "An index" [ Int; Long ] indexType
            TableRead(name table, element, index), Expr.elementType element
        | "if", [ condition; ifTrue; ifFalse ] -> choice scope at condition ifTrue ifFalse
        | "let", [ local; value; body ] ->
            let local = name local
            let value, valueType = go scope value
            let body, bodyType = go (Map.add local valueType scope) body
            Let(local, value, body), bodyType
        | ("scalar" | "local" | "length" | "read" | "if" | "let"), _ -> wrongCount at head rest
        | _ ->
            match unary, binary, target, rest with
            | Some op, _, _, [ inner ] ->
                let inner, innerType = go scope inner
                expect at head (unaryOperands op) innerType
                Unary(op, inner), innerType
            | _, Some op, _, [ left; right ] -> binaryOperation scope at head op left right
            | _, _, Some target, [ inner ] ->
                let inner, innerType = go scope inner
                expect at head (if target = Bool then [ Bool ] else numbers) innerType
                Expr.Convert(target, inner), target
            | None, None, None, _ -> Syntax.fail at ("'" + head + "' is no operation.")
            | _ -> wrongCount at head rest

    and wrongCount at head rest =
        Syntax.fail at ("'" + head + "' does not take " + string<int>(List.length rest) + " operands.")

    and choice scope at condition ifTrue ifFalse =
        let condition, conditionType = go scope condition
        expect at "A condition" [ Bool ] conditionType
        let ifTrue, trueType = go scope ifTrue
        let ifFalse, falseType = go scope ifFalse
        expect at "This choice, as its first branch is," [ trueType ] falseType
        Select(condition, ifTrue, ifFalse), trueType

    and binaryOperation scope at head op left right =
        let left, leftType = go scope left
        let right, rightType = go scope right
        expect at head (binaryOperands op) leftType

        expect
            at
            (if isShift op then
                 "A shift count"
             else
                 "'" + head + "', as its left side is,")
            [ (if isShift op then Int else leftType) ]
            rightType

        let expr = Binary(op, left, right)

        match op with
        | Eq
        | Ne
        | Lt
        | Le
        | Gt
        | Ge -> expr, Bool
        | _ -> expr, leftType

    go Map.empty node
