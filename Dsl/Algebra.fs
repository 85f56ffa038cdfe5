/// The rewriting rules of Simplify, one constructor a kind of node: each takes simplified operands and returns the
/// simplest expression of the same meaning that it knows. Integers wrap, so they may be reassociated; floats may not,
/// and every float rule holds bit for bit, but for the sign and payload of a NaN, which no expression can observe.
///
/// Faults (semantics 18): what was reached stays reached and what was not stays unreached, so an operand is dropped only
/// where it cannot fault. Where two faults are reached, either may be the one reported.
namespace FlashGen.Dsl

open System.Collections.Generic

[<AutoOpen>]
module private Literals =
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

/// One set of rules for one run of Simplify: it remembers which subtrees could fault.
type internal Algebra() =
    let known = Dictionary<Expr, bool>(HashIdentity.Reference)

    let divides expr =
        match expr with
        | Binary((Div | Rem), left, right) when Expr.typeOf left <> Float ->
            match right with
            | Integer divisor -> divisor = 0L
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

    /// `expr`, if dropping `dropped` loses no fault; else `kept`.
    let unlessFaulting dropped expr kept = if canFault dropped then kept else expr

    // Integers. A literal stands on the right, as the subtrahend if it is negative, and literals meet.

    let rec add scalarType left right =
        match left, right with
        | Integer _, Integer _ -> Binary(Add, left, right)
        | Integer _, _ -> add scalarType right left
        | _, Integer 0L -> left
        | Binary(Add, x, Integer first), Integer second -> add scalarType x (integer scalarType (first + second))
        | Binary(Sub, x, Integer first), Integer second -> add scalarType x (integer scalarType (second - first))
        | Binary(Sub, Integer first, x), Integer second -> subtract scalarType (integer scalarType (first + second)) x
        | Unary(Negate, x), y -> subtract scalarType y x
        | x, Unary(Negate, y) -> subtract scalarType x y
        | _, Integer value when value < 0L && integer scalarType -value <> right ->
            Binary(Sub, left, integer scalarType -value)
        | _ -> Binary(Add, left, right)

    and subtract scalarType left right =
        match left, right with
        | Integer _, Integer _ -> Binary(Sub, left, right)
        | _, Integer value -> add scalarType left (integer scalarType -value)
        | Integer 0L, _ when isSigned scalarType -> negate scalarType right
        | Integer first, Binary(Add, x, Integer second) -> subtract scalarType (integer scalarType (first - second)) x
        | Integer first, Binary(Sub, x, Integer second) -> subtract scalarType (integer scalarType (first + second)) x
        | Integer first, Binary(Sub, Integer second, x) -> add scalarType x (integer scalarType (first - second))
        | _, Unary(Negate, y) -> add scalarType left y
        | _ when left = right -> unlessFaulting left (integer scalarType 0L) (Binary(Sub, left, right))
        | _ -> Binary(Sub, left, right)

    and negate scalarType operand =
        match operand with
        | Unary(Negate, inner) -> inner
        | Binary(Sub, left, right) when isInteger scalarType -> subtract scalarType right left
        | Binary(Mul, x, Integer value) -> multiply scalarType x (integer scalarType -value)
        | _ -> Unary(Negate, operand)

    and multiply scalarType left right =
        match left, right with
        | Integer _, Integer _ -> Binary(Mul, left, right)
        | Integer _, _ -> multiply scalarType right left
        | _, Integer 0L -> unlessFaulting left right (Binary(Mul, left, right))
        | _, Integer 1L -> left
        | Binary(Mul, x, Integer first), Integer second -> multiply scalarType x (integer scalarType (first * second))
        | Unary(Negate, x), Integer value -> multiply scalarType x (integer scalarType -value)
        | _, Integer -1L when isSigned scalarType -> negate scalarType left
        | _ -> Binary(Mul, left, right)

    let divide scalarType left right =
        match right with
        | Integer 1L -> left
        | Integer -1L when isSigned scalarType -> negate scalarType left
        | _ -> Binary(Div, left, right)

    let remainder scalarType left right =
        match right with
        | Integer 1L -> unlessFaulting left (integer scalarType 0L) (Binary(Rem, left, right))
        // The remainder has the dividend's sign, whatever the divisor's.
        | Integer value when isSigned scalarType && value < 0L && integer scalarType -value <> right ->
            if value = -1L then
                unlessFaulting left (integer scalarType 0L) (Binary(Rem, left, integer scalarType 1L))
            else
                Binary(Rem, left, integer scalarType -value)
        | _ -> Binary(Rem, left, right)

    let rec bitwise op scalarType left right =
        match op, left, right with
        | _, Integer _, Integer _ -> Binary(op, left, right)
        | _, Integer _, _ -> bitwise op scalarType right left
        | BitAnd, _, Integer 0L
        | BitOr, _, Integer -1L -> unlessFaulting left right (Binary(op, left, right))
        | BitAnd, _, Integer -1L
        | (BitOr | BitXor), _, Integer 0L -> left
        | BitXor, Unary(Complement, x), Integer -1L -> x
        | BitXor, _, Integer -1L -> Unary(Complement, left)
        | BitAnd, Binary(BitAnd, x, Integer first), Integer second ->
            bitwise op scalarType x (integer scalarType (first &&& second))
        | BitOr, Binary(BitOr, x, Integer first), Integer second ->
            bitwise op scalarType x (integer scalarType (first ||| second))
        | BitXor, Binary(BitXor, x, Integer first), Integer second ->
            bitwise op scalarType x (integer scalarType (first ^^^ second))
        | BitXor, _, _ when left = right -> unlessFaulting left (integer scalarType 0L) (Binary(op, left, right))
        | (BitAnd | BitOr), _, _ when left = right -> left
        | _ -> Binary(op, left, right)

    let shift op scalarType left right =
        // Zero fills a uint either way.
        let op = if scalarType = UInt && op = UShr then Shr else op

        match left, right with
        | _, Literal(IntLiteral count) ->
            let count = count &&& (if scalarType = Long then 63 else 31)
            if count = 0 then left else Binary(op, left, Expr.int count)
        | Integer 0L, _ -> unlessFaulting right left (Binary(op, left, right))
        | _ -> Binary(op, left, right)

    // Floats.

    let rec addFloats left right =
        match left, right with
        | Number _, Number _ -> Binary(Add, left, right)
        | Number _, _ -> addFloats right left
        // x + -0 is x; x + 0 is not, for it turns -0 to 0.
        | _, Number value when isZero value -> if isNegative value then left else Binary(Add, left, right)
        | _, Number value when isNegative value -> Binary(Sub, left, Expr.float -value)
        | Unary(Negate, x), y -> subtractFloats y x
        | x, Unary(Negate, y) -> subtractFloats x y
        | _ -> Binary(Add, left, right)

    and subtractFloats left right =
        match left, right with
        | Number _, Number _ -> Binary(Sub, left, right)
        | _, Number value when isZero value && not (isNegative value) -> left
        | _, Number value when isNegative value -> addFloats left (Expr.float -value)
        | Number value, _ when isZero value && isNegative value -> negate Float right
        | _, Unary(Negate, y) -> addFloats left y
        | _ -> Binary(Sub, left, right)

    let rec multiplyFloats left right =
        match left, right with
        | Number _, Number _ -> Binary(Mul, left, right)
        | Number _, _ -> multiplyFloats right left
        | _, Number 1.0f -> left
        | _, Number -1.0f -> negate Float left
        | Unary(Negate, x), Number value -> multiplyFloats x (Expr.float -value)
        | Unary(Negate, x), Unary(Negate, y) -> multiplyFloats x y
        | _ -> Binary(Mul, left, right)

    let rec divideFloats left right =
        match left, right with
        | Number _, Number _ -> Binary(Div, left, right)
        | Unary(Negate, x), Number value -> divideFloats x (Expr.float -value)
        | Unary(Negate, x), Unary(Negate, y) -> divideFloats x y
        | _, Number value ->
            match exactReciprocal value with
            | Some reciprocal -> multiplyFloats left (Expr.float reciprocal)
            | None -> Binary(Div, left, right)
        | _ -> Binary(Div, left, right)

    // Minimum and maximum, of integers and floats alike.

    let rec extremum op scalarType left right =
        let identity, absorbing =
            match op, scalarType with
            | Min, Float -> Expr.float infinityf, Expr.float -infinityf
            | _, Float -> Expr.float -infinityf, Expr.float infinityf
            | Min, _ -> largest scalarType, smallest scalarType
            | _ -> smallest scalarType, largest scalarType

        match left, right with
        | Literal _, Literal _ -> Binary(op, left, right)
        | Literal _, _ -> extremum op scalarType right left
        | _ when left = right || right = identity -> left
        // Not of floats: a NaN on the left wins over any number.
        | _ when right = absorbing && scalarType <> Float -> unlessFaulting left right (Binary(op, left, right))
        | Binary(inner, x, Literal first), Literal second when inner = op ->
            extremum op scalarType x (Literal(Evaluate.binary op first second))
        | _ -> Binary(op, left, right)

    // Comparisons: a literal on the right, and no < or > with an integer literal; else < and <= only.

    let rec compareIntegers op scalarType left right =
        let asWritten = Binary(op, left, right)

        let always answer =
            unlessFaulting left (Expr.bool answer) asWritten

        match op, left, right with
        | _, Integer _, Integer _ -> asWritten
        | _, Integer _, _ -> compareIntegers (mirrored op) scalarType right left
        | Lt, _, Literal _ when right = smallest scalarType -> always false
        | Ge, _, Literal _ when right = smallest scalarType -> always true
        | Gt, _, Literal _ when right = largest scalarType -> always false
        | Le, _, Literal _ when right = largest scalarType -> always true
        | Lt, _, Integer value -> compareIntegers Le scalarType left (integer scalarType (value - 1L))
        | Gt, _, Integer value -> compareIntegers Ge scalarType left (integer scalarType (value + 1L))
        | Le, _, Literal _ when right = smallest scalarType -> compareIntegers Eq scalarType left right
        | Ge, _, Literal _ when right = largest scalarType -> compareIntegers Eq scalarType left right
        | (Eq | Ne), Binary(Add, x, Integer first), Integer second ->
            compareIntegers op scalarType x (integer scalarType (second - first))
        | (Eq | Ne), Binary(Sub, x, Integer first), Integer second ->
            compareIntegers op scalarType x (integer scalarType (second + first))
        | (Eq | Ne), Binary(Sub, Integer first, x), Integer second ->
            compareIntegers op scalarType x (integer scalarType (first - second))
        | (Eq | Ne), Binary(Sub, x, y), Integer 0L -> compareIntegers op scalarType x y
        | (Eq | Ne), Unary(Negate, x), Integer value -> compareIntegers op scalarType x (integer scalarType -value)
        | _, _, Literal _ -> asWritten
        | (Gt | Ge), _, _ -> compareIntegers (mirrored op) scalarType right left
        | _ when left = right -> always (op = Eq || op = Le)
        | _ -> asWritten

    let rec compareFloats op left right =
        let asWritten = Binary(op, left, right)

        match op, left, right with
        | _, Number _, Number _ -> asWritten
        | _, Number _, _ -> compareFloats (mirrored op) right left
        | _, _, Number value when System.Single.IsNaN value -> unlessFaulting left (Expr.bool (op = Ne)) asWritten
        | _, _, Number _ -> asWritten
        | (Gt | Ge), _, _ -> compareFloats (mirrored op) right left
        // A NaN differs from itself, but is not less either.
        | Lt, _, _ when left = right -> unlessFaulting left (Expr.bool false) asWritten
        | _ -> asWritten

    // Bools.

    let logicalNot operand =
        match operand with
        | Literal(BoolLiteral value) -> Expr.bool (not value)
        | Unary(Not, inner) -> inner
        | Binary((Lt | Le | Gt | Ge) as op, left, right) when Expr.typeOf left <> Float ->
            compareIntegers (opposite op) (Expr.typeOf left) left right
        | Binary((Eq | Ne) as op, left, right) -> Binary(opposite op, left, right)
        // Negated conjunctions, choices and locals are Simplify's, which meets them from above.
        | _ -> Unary(Not, operand)

    let rec compareBools op left right =
        match left, right with
        | Literal _, Literal _ -> Binary(op, left, right)
        | Literal _, _ -> compareBools op right left
        | _, Literal(BoolLiteral value) -> if value = (op = Eq) then left else logicalNot left
        | _ when left = right -> unlessFaulting left (Expr.bool (op = Eq)) (Binary(op, left, right))
        | _ -> Binary(op, left, right)

    let rec parts op expr rest =
        match expr with
        | Binary(inner, left, right) when inner = op -> parts op left (parts op right rest)
        | _ -> expr :: rest

    /// `a && b && c` or `a || b || c`: no part twice, none after the one that settles it, none that cannot be it.
    let chain op operands =
        let settling = Expr.bool (op = Or)
        let neutral = Expr.bool (op = And)
        let seen = HashSet<Expr>(HashIdentity.Structural)

        let rec distinct operands =
            match operands with
            | [] -> []
            | part :: rest when part = neutral || seen.Contains part -> distinct rest
            // Reached only where its opposite left the result open.
            | part :: _ when part = settling || seen.Contains(logicalNot part) -> [ settling ]
            | part :: rest ->
                seen.Add part |> ignore
                part :: distinct rest

        let rec settled reversed =
            match reversed with
            | last :: before :: rest when last = settling && not (canFault before) -> settled (last :: rest)
            | _ -> List.rev reversed

        match
            operands
            |> List.collect (fun part -> parts op part [])
            |> distinct
            |> List.rev
            |> settled
        with
        | [] -> neutral
        | first :: rest -> List.fold (fun left right -> Binary(op, left, right)) first rest

    /// & and | of bools are && and || where the right side may as well not be reached.
    let eager op shortCircuit left right =
        if not (canFault right) then
            chain shortCircuit [ left; right ]
        elif not (canFault left) then
            chain shortCircuit [ right; left ]
        elif left = right then
            left
        else
            Binary(op, left, right)

    // The constructors.

    let applyUnary op operand =
        match op, operand with
        | Not, _ -> logicalNot operand
        | Negate, _ -> negate (Expr.typeOf operand) operand
        | Complement, Unary(Complement, inner) -> inner
        | Abs, Unary((Abs | Negate), inner) -> Unary(Abs, inner)
        | Abs, _ when Expr.typeOf operand = UInt -> operand
        // Whole numbers already.
        | (Floor | Ceiling | Round | Truncate), Unary((Floor | Ceiling | Round | Truncate), _)
        | (Floor | Ceiling | Round | Truncate), Convert _ -> operand
        | _ -> Unary(op, operand)

    let applyBinary op left right =
        let scalarType = Expr.typeOf left

        match op, scalarType with
        | (And | Or), _ -> chain op [ left; right ]
        | BitAnd, Bool -> eager op And left right
        | BitOr, Bool -> eager op Or left right
        | (BitXor | Ne), Bool -> compareBools Ne left right
        | Eq, Bool -> compareBools Eq left right
        | Add, Float -> addFloats left right
        | Sub, Float -> subtractFloats left right
        | Mul, Float -> multiplyFloats left right
        | Div, Float -> divideFloats left right
        | Add, _ -> add scalarType left right
        | Sub, _ -> subtract scalarType left right
        | Mul, _ -> multiply scalarType left right
        | Div, _ -> divide scalarType left right
        | Rem, _ when isInteger scalarType -> remainder scalarType left right
        | (Min | Max), _ -> extremum op scalarType left right
        | (BitAnd | BitOr | BitXor), _ -> bitwise op scalarType left right
        | (Shl | Shr | UShr), _ -> shift op scalarType left right
        | (Eq | Ne | Lt | Le | Gt | Ge), Float -> compareFloats op left right
        | (Eq | Ne | Lt | Le | Gt | Ge), _ -> compareIntegers op scalarType left right
        | _ -> Binary(op, left, right)

    /// A folded constant, or None where evaluation faults: that stays for run time.
    let tryFold evaluate =
        try
            Some(Literal(evaluate ()))
        with ExpressionFault _ ->
            None

    member _.CanFault expr = canFault expr

    member _.Unary op operand =
        match operand with
        | Literal literal ->
            tryFold (fun () -> Evaluate.unary op literal)
            |> Option.defaultValue (Unary(op, operand))
        | _ -> applyUnary op operand

    member _.Binary op left right =
        match left, right with
        | Literal a, Literal b ->
            tryFold (fun () -> Evaluate.binary op a b)
            |> Option.defaultValue (Binary(op, left, right))
        | _ -> applyBinary op left right

    /// `a && b && ...` or `a || b || ...`.
    member _.Chain op operands = chain op operands

    /// The direct and nested operands of && or ||, left to right.
    member _.Parts op expr = parts op expr []

    member _.Convert target operand =
        let rec convert operand =
            match operand with
            | Literal literal -> Literal(Evaluate.convert target literal)
            | _ when Expr.typeOf operand = target -> operand
            | Convert(middle, inner) ->
                match Expr.typeOf inner, middle, target with
                // Truncations compose; so does a sign or zero that was added and is cut off again.
                | (Int | UInt | Long), (Int | UInt | Long), (Int | UInt) -> convert inner
                // Widened exactly before it is rounded.
                | (Int | UInt), Long, Float -> convert inner
                | _ -> Convert(target, operand)
            | _ -> Convert(target, operand)

        convert operand

    member algebra.Select condition ifTrue ifFalse =
        match condition, ifTrue, ifFalse with
        | Literal(BoolLiteral value), _, _ -> if value then ifTrue else ifFalse
        | Unary(Not, inner), _, _ -> algebra.Select inner ifFalse ifTrue
        | _, Literal(BoolLiteral true), _ -> chain Or [ condition; ifFalse ]
        | _, Literal(BoolLiteral false), _ -> chain And [ logicalNot condition; ifFalse ]
        | _, _, Literal(BoolLiteral true) -> chain Or [ logicalNot condition; ifTrue ]
        | _, _, Literal(BoolLiteral false) -> chain And [ condition; ifTrue ]
        | _, Select(same, ifTrue, _), _ when same = condition -> algebra.Select condition ifTrue ifFalse
        | _, _, Select(same, _, ifFalse) when same = condition -> algebra.Select condition ifTrue ifFalse
        | _ when ifTrue = ifFalse && not (canFault condition) -> ifTrue
        | _ -> Select(condition, ifTrue, ifFalse)

    member _.TableRead table element index =
        match index with
        | Convert(Long, position) when Expr.typeOf position = Int -> TableRead(table, element, position)
        | Literal(LongLiteral value) when value = int64 (int value) -> TableRead(table, element, Expr.int (int value))
        | _ -> TableRead(table, element, index)
