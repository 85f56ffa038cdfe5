/// What the rules of Simplify ask before they drop an operand, and the literals that they look for.
///
/// Faults (semantics 18): what was reached stays reached and what was not stays unreached, so an operand is dropped only
/// where it cannot fault. Where two faults are reached, either may be the one reported.
namespace FlashGen.Dsl

open System.Collections.Generic

/// Which subtrees could fault where they are reached: a table read always (lengths are not known here), an integer division
/// unless its divisor is a literal other than zero. Remembered by reference, so that asking at every node stays cheap.
type internal Faults() =
    let known = Dictionary<Expr, bool>(HashIdentity.Reference)

    let divides expr =
        match expr with
        | Binary((Div | Rem), left, right) when Expr.typeOf left <> Float ->
            match right with
            | Literal(IntLiteral 0)
            | Literal(UIntLiteral 0u)
            | Literal(LongLiteral 0L) -> true
            | Literal _ -> false
            | _ -> true
        | _ -> false

    let rec canFault expr =
        match expr with
        | TableRead _ -> true
        | Literal _
        | Position _
        | Score
        | Scalar _
        | TableLength _
        | Local _ -> false
        | _ ->
            match known.TryGetValue expr with
            | true, answer -> answer
            | _ ->
                let answer = divides expr || List.exists canFault (Expr.children expr)
                known.[expr] <- answer
                answer

    member _.Possible expr = canFault expr

    /// `expr`, if dropping `dropped` loses no fault; else `kept`.
    member _.Unless dropped expr kept = if canFault dropped then kept else expr

[<AutoOpen>]
module internal LiteralPatterns =
    /// An integer literal of any type, sign-extended: a uint of 2^31 or more shows as a negative number.
    let (|Integer|_|) expr =
        match expr with
        | Literal(IntLiteral value) -> Some(int64 value)
        | Literal(UIntLiteral value) -> Some(int64 (int value))
        | Literal(LongLiteral value) -> Some value
        | _ -> None

    let (|Number|_|) expr =
        match expr with
        | Literal(FloatLiteral bits) -> Some(Literal.toFloat bits)
        | _ -> None

    /// The literal of an integer type, wrapped into it.
    let integer scalarType (value: int64) =
        Literal(Evaluate.convert scalarType (LongLiteral value))

    let isSigned scalarType = scalarType = Int || scalarType = Long

    let isInteger scalarType =
        isSigned scalarType || scalarType = UInt

    let smallest scalarType =
        match scalarType with
        | Int -> Expr.int System.Int32.MinValue
        | UInt -> Literal(UIntLiteral 0u)
        | _ -> Expr.long System.Int64.MinValue

    let largest scalarType =
        match scalarType with
        | Int -> Expr.int System.Int32.MaxValue
        | UInt -> Literal(UIntLiteral System.UInt32.MaxValue)
        | _ -> Expr.long System.Int64.MaxValue

    let isZero (value: float32) = value = 0.0f

    let isNegative (value: float32) =
        value < 0.0f || (value = 0.0f && 1.0f / value < 0.0f)

    /// The reciprocal of a power of two, where it is a normal float: multiplying by it rounds as dividing does.
    let exactReciprocal (value: float32) =
        match Literal.ofFloat value with
        | FloatLiteral bits when bits &&& 0x7fffff = 0 ->
            let exponent = (bits >>> 23) &&& 0xff

            if exponent >= 1 && exponent <= 253 then
                Some(1.0f / value)
            else
                None
        | _ -> None

    /// `a < b` is `b > a`.
    let mirrored op =
        match op with
        | Lt -> Gt
        | Le -> Ge
        | Gt -> Lt
        | Ge -> Le
        | _ -> op

    /// `!(a < b)` is `a >= b`, where no NaN is about.
    let opposite op =
        match op with
        | Lt -> Ge
        | Le -> Gt
        | Gt -> Le
        | Ge -> Lt
        | Eq -> Ne
        | _ -> Eq
