/// Typed scalar expressions: everything that a mask or a score change may say.
/// Ready-made attributes and the user's C# end in the same trees, and every target takes a mod through them.
namespace FlashGen.Dsl

open System

/// The types of the C# of a mod (semantics 15).
type ScalarType =
    | Bool
    | Int
    | UInt
    | Long
    | Float

/// What one element of a captured table is in memory; a byte reads as an int.
type TableElement =
    | BoolElement
    | ByteElement
    | IntElement
    | UIntElement
    | LongElement
    | FloatElement

/// A constant, equal by value and by bits: floats are kept as their bits, so that NaN equals itself and -0 differs from 0.
type Literal =
    | BoolLiteral of bool
    | IntLiteral of int
    | UIntLiteral of uint32
    | LongLiteral of int64
    | FloatLiteral of bits: int

/// Where a score stands: the fields of FlashGen.Position, all of type int, and two extents that only ready-made masks and
/// score changes use to find their tables' rows: `KeyExtent`, the key tensor's length (KeyLength is the batch entry's own),
/// and `QueryHeads`.
type Field =
    | Batch
    | Head
    | KeyHead
    | Query
    | QueryPosition
    | Key
    | QueryLength
    | KeyLength
    | KeyExtent
    | QueryHeads

type UnaryOp =
    | Negate
    | Not
    | Complement
    | Abs
    | Sqrt
    | Floor
    | Ceiling
    | Round
    | Truncate
    | Exp
    | Exp2
    | Log
    | Log2
    | Log10
    | Sin
    | Cos
    | Tan
    | Asin
    | Acos
    | Atan
    | Sinh
    | Cosh
    | Tanh
    /// Tanh within 2^-11 of it, where a target has an instruction for that; elsewhere `Tanh`.
    | TanhApproximate
    | Cbrt

/// `And` and `Or` are C#'s && and ||: the right side is reached only where the left leaves the result open.
/// `BitAnd`, `BitOr` and `BitXor` take bools too and reach both sides. `Shr` keeps the sign of a signed type; `UShr` never does.
type BinaryOp =
    | Add
    | Sub
    | Mul
    | Div
    | Rem
    | Min
    | Max
    | BitAnd
    | BitOr
    | BitXor
    | Shl
    | Shr
    | UShr
    | Eq
    | Ne
    | Lt
    | Le
    | Gt
    | Ge
    | And
    | Or
    | Pow
    | Atan2

/// An expression. Both operands of a binary operation have one type, except shifts, whose count is an int.
/// Names of locals are unique within one mod, so passes never rename.
type Expr =
    | Literal of Literal
    | Position of Field
    /// The score before this change; only in score changes.
    | Score
    /// A run-time scalar argument.
    | Scalar of name: string * ScalarType
    /// One element of a captured table; the index is an int or a long.
    | TableRead of table: string * TableElement * index: Expr
    | TableLength of table: string
    | Unary of UnaryOp * Expr
    | Binary of BinaryOp * Expr * Expr
    | Convert of ScalarType * Expr
    /// C#'s ?: (only the branch taken is reached).
    | Select of condition: Expr * ifTrue: Expr * ifFalse: Expr
    /// A local: evaluated once, where it stands.
    | Let of name: string * value: Expr * body: Expr
    | Local of name: string * ScalarType

[<RequireQualifiedAccess>]
module Literal =
    let typeOf literal =
        match literal with
        | BoolLiteral _ -> Bool
        | IntLiteral _ -> Int
        | UIntLiteral _ -> UInt
        | LongLiteral _ -> Long
        | FloatLiteral _ -> Float

    /// The bits of a float; netstandard2.0 has no SingleToInt32Bits.
    let ofFloat (value: float32) =
        FloatLiteral(BitConverter.ToInt32(BitConverter.GetBytes value, 0))

    let toFloat (bits: int) =
        BitConverter.ToSingle(BitConverter.GetBytes bits, 0)

/// What a subexpression varies with, inside one (batch, head): emitters hoist by it.
[<Flags>]
type Dependence =
    | Uniform = 0
    | Row = 1
    | Column = 2
    | Both = 3
    | Score = 4

[<RequireQualifiedAccess>]
module Expr =
    let bool value = Literal(BoolLiteral value)
    let int value = Literal(IntLiteral value)
    let long value = Literal(LongLiteral value)
    let float value = Literal(Literal.ofFloat value)

    let elementType element =
        match element with
        | BoolElement -> Bool
        | ByteElement
        | IntElement -> Int
        | UIntElement -> UInt
        | LongElement -> Long
        | FloatElement -> Float

    let rec typeOf expr =
        match expr with
        | Literal literal -> Literal.typeOf literal
        | Position _
        | TableLength _ -> Int
        | Score -> Float
        | Scalar(_, t)
        | Local(_, t)
        | Convert(t, _) -> t
        | TableRead(_, element, _) -> elementType element
        | Unary(_, operand) -> typeOf operand
        | Binary(op, left, _) ->
            match op with
            | Eq
            | Ne
            | Lt
            | Le
            | Gt
            | Ge
            | And
            | Or -> Bool
            | _ -> typeOf left
        | Select(_, ifTrue, _) -> typeOf ifTrue
        | Let(_, _, body) -> typeOf body

    /// The direct subexpressions, left to right.
    let children expr =
        match expr with
        | Literal _
        | Position _
        | Score
        | Scalar _
        | TableLength _
        | Local _ -> []
        | TableRead(_, _, operand)
        | Unary(_, operand)
        | Convert(_, operand) -> [ operand ]
        | Binary(_, left, right) -> [ left; right ]
        | Select(condition, ifTrue, ifFalse) -> [ condition; ifTrue; ifFalse ]
        | Let(_, value, body) -> [ value; body ]

    /// The same node over other children.
    let map (f: Expr -> Expr) expr =
        match expr with
        | Literal _
        | Position _
        | Score
        | Scalar _
        | TableLength _
        | Local _ -> expr
        | TableRead(table, element, index) -> TableRead(table, element, f index)
        | Unary(op, operand) -> Unary(op, f operand)
        | Convert(t, operand) -> Convert(t, f operand)
        | Binary(op, left, right) -> Binary(op, f left, f right)
        | Select(condition, ifTrue, ifFalse) -> Select(f condition, f ifTrue, f ifFalse)
        | Let(name, value, body) -> Let(name, f value, f body)

    /// True when some node of the tree satisfies the predicate.
    let rec exists predicate expr =
        predicate expr || List.exists (exists predicate) (children expr)

    /// Number of nodes.
    let rec size expr = 1 + List.sumBy size (children expr)

    let private dependenceOfField field =
        match field with
        | Query
        | QueryPosition -> Dependence.Row
        | Key -> Dependence.Column
        | Batch
        | Head
        | KeyHead
        | QueryLength
        | KeyLength
        | KeyExtent
        | QueryHeads -> Dependence.Uniform

    /// What the expression varies with, given what the locals in scope vary with.
    let rec dependenceIn (locals: Map<string, Dependence>) expr =
        match expr with
        | Position field -> dependenceOfField field
        | Score -> Dependence.Score
        | Local(name, _) ->
            match Map.tryFind name locals with
            | Some dependence -> dependence
            | None -> invalidArg (nameof expr) ("The local '" + name + "' is not in scope.")
        | Let(name, value, body) -> dependenceIn (Map.add name (dependenceIn locals value) locals) body
        | _ ->
            children expr
            |> List.fold (fun sum child -> sum ||| dependenceIn locals child) Dependence.Uniform

    /// What a closed expression varies with.
    let dependence expr = dependenceIn Map.empty expr

    /// The expression without `Let`: every local replaced by its value. For analyses of small trees; emitters keep the locals.
    let inlineLocals expr =
        let rec go locals expr =
            match expr with
            | Local(name, _) ->
                match Map.tryFind name locals with
                | Some value -> value
                | None -> expr
            | Let(name, value, body) -> go (Map.add name (go locals value) locals) body
            | _ -> map (go locals) expr

        go Map.empty expr

    /// The names and elements of the tables read, in order of first appearance.
    let tables expr =
        let rec go expr =
            let below = List.collect go (children expr)

            match expr with
            | TableRead(table, element, _) -> (table, element) :: below
            | _ -> below

        List.distinct (go expr)

    /// `a && b && c`; true when there is nothing to conjoin.
    let conjunction parts =
        match parts with
        | [] -> bool true
        | first :: rest -> List.fold (fun left right -> Binary(And, left, right)) first rest
