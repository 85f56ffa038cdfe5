/// The rewriting rules of Simplify as constructors, one a kind of node: each takes simplified operands and returns the
/// simplest expression of the same meaning that it knows. None of them makes two operands out of one.
namespace FlashGen.Dsl

/// One set of rules for one walk of Simplify.
type internal Algebra() =
    let faults = Faults()

    /// Minimum and maximum, of integers and floats alike.
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
        | _ when right = absorbing && scalarType <> Float -> faults.Unless left right (Binary(op, left, right))
        | Binary(inner, x, Literal first), Literal second when inner = op ->
            extremum op scalarType x (Literal(Evaluate.binary op first second))
        | _ -> Binary(op, left, right)

    let applyUnary op operand =
        match op, operand with
        | Not, _ -> Bools.negate faults operand
        | Negate, _ ->
            match Expr.typeOf operand with
            | Float -> Floats.negate operand
            | scalarType -> Integers.negate faults scalarType operand
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
        | (And | Or), _ -> Bools.chain faults op [ left; right ]
        | BitAnd, Bool -> Bools.eager faults op And left right
        | BitOr, Bool -> Bools.eager faults op Or left right
        | (BitXor | Ne), Bool -> Bools.compare faults Ne left right
        | Eq, Bool -> Bools.compare faults Eq left right
        | Add, Float -> Floats.add left right
        | Sub, Float -> Floats.subtract left right
        | Mul, Float -> Floats.multiply left right
        | Div, Float -> Floats.divide left right
        | Add, _ -> Integers.add faults scalarType left right
        | Sub, _ -> Integers.subtract faults scalarType left right
        | Mul, _ -> Integers.multiply faults scalarType left right
        | Div, _ -> Integers.divide faults scalarType left right
        | Rem, _ when isInteger scalarType -> Integers.remainder faults scalarType left right
        | (Min | Max), _ -> extremum op scalarType left right
        | (BitAnd | BitOr | BitXor), _ -> Integers.bitwise faults op scalarType left right
        | (Shl | Shr | UShr), _ -> Integers.shift faults op scalarType left right
        | (Eq | Ne | Lt | Le | Gt | Ge), Float -> Floats.compare faults op left right
        | (Eq | Ne | Lt | Le | Gt | Ge), _ -> Integers.compare faults op scalarType left right
        | _ -> Binary(op, left, right)

    /// A folded constant, or None where evaluation faults: that stays for run time.
    let tryFold evaluate =
        try
            Some(Literal(evaluate ()))
        with ExpressionFault _ ->
            None

    member _.CanFault expr = faults.Possible expr

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
    member _.Chain op operands = Bools.chain faults op operands

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
        | _, Literal(BoolLiteral true), _ -> Bools.chain faults Or [ condition; ifFalse ]
        | _, Literal(BoolLiteral false), _ -> Bools.chain faults And [ Bools.negate faults condition; ifFalse ]
        | _, _, Literal(BoolLiteral true) -> Bools.chain faults Or [ Bools.negate faults condition; ifTrue ]
        | _, _, Literal(BoolLiteral false) -> Bools.chain faults And [ condition; ifTrue ]
        | _, Select(same, ifTrue, _), _ when same = condition -> algebra.Select condition ifTrue ifFalse
        | _, _, Select(same, _, ifFalse) when same = condition -> algebra.Select condition ifTrue ifFalse
        | _ when ifTrue = ifFalse && not (faults.Possible condition) -> ifTrue
        | _ -> Select(condition, ifTrue, ifFalse)

    member _.TableRead table element index =
        match index with
        | Convert(Long, position) when Expr.typeOf position = Int -> TableRead(table, element, position)
        | Literal(LongLiteral value) when value = int64 (int value) -> TableRead(table, element, Expr.int (int value))
        | _ -> TableRead(table, element, index)
