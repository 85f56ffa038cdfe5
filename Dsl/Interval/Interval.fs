/// Abstract interpretation: the value range of an expression over a box of positions and arguments.
namespace FlashGen.Dsl

/// What is known of everything that an expression can name; what is missing may take every value of its type.
type Box =
    {
        Fields: Map<Field, Range>
        Score: Range
        Scalars: Map<string, Range>
        /// Of a table's elements, by the table's name.
        Tables: Map<string, Range>
        /// Of a table's length, by the table's name.
        Lengths: Map<string, Range>
        /// Of locals from outside the expression.
        Locals: Map<string, Range>
    }

/// What a subexpression does in a box.
type private Judgement =
    {
        Range: Range
        MayFault: bool
        /// The box where a bool is true, and where it is false; the same box for all else.
        WhenTrue: Box
        WhenFalse: Box
    }

[<RequireQualifiedAccess>]
module Interval =
    /// Lengths and counts stay below 2^30.
    let private extent = IntegerRange(0L, (1L <<< 30) - 1L)

    /// A query's index and an offset of at most 2^30 either way.
    let private position = IntegerRange(-(1L <<< 30), (1L <<< 31) - 2L)

    /// What a field may be in any call.
    let fieldRange field =
        match field with
        | QueryPosition -> position
        | _ -> extent

    /// Every value of a type.
    let typeRange scalarType = Range.ofType scalarType

    /// Every position and argument of every call.
    let positions =
        {
            Fields = Map.empty
            Score = Range.anyFloat
            Scalars = Map.empty
            Tables = Map.empty
            Lengths = Map.empty
            Locals = Map.empty
        }

    let private known key otherwise map =
        match Map.tryFind key map with
        | Some range -> range
        | None -> otherwise

    let private value range box =
        {
            Range = range
            MayFault = false
            WhenTrue = box
            WhenFalse = box
        }

    let private can judgement =
        match judgement.Range with
        | BoolRange(canBeTrue, canBeFalse) -> canBeTrue, canBeFalse
        | _ -> true, true

    /// The box in which a leaf lies within bounds too. Bounds that exclude each other leave it as it was: nothing is there.
    let private narrowed leaf range (low, high) box =
        match range with
        | IntegerRange(oldLow, oldHigh) when max low oldLow <= min high oldHigh ->
            let range = IntegerRange(max low oldLow, min high oldHigh)

            match leaf with
            | Position field ->
                { box with
                    Fields = Map.add field range box.Fields
                }
            | Scalar(name, _) ->
                { box with
                    Scalars = Map.add name range box.Scalars
                }
            | TableLength table ->
                { box with
                    Lengths = Map.add table range box.Lengths
                }
            | Local(name, _) ->
                { box with
                    Locals = Map.add name range box.Locals
                }
            | _ -> box
        | _ -> box

    /// The box in which a comparison of integers holds.
    let rec private holding op (left, leftRange) (right, rightRange) box =
        match op, leftRange, rightRange with
        | Lt, IntegerRange(low1, _), IntegerRange(_, high2) when low1 < high2 ->
            box
            |> narrowed left leftRange (System.Int64.MinValue, high2 - 1L)
            |> narrowed right rightRange (low1 + 1L, System.Int64.MaxValue)
        | Le, IntegerRange(low1, _), IntegerRange(_, high2) ->
            box
            |> narrowed left leftRange (System.Int64.MinValue, high2)
            |> narrowed right rightRange (low1, System.Int64.MaxValue)
        | Eq, IntegerRange(low1, high1), IntegerRange(low2, high2) ->
            box
            |> narrowed left leftRange (low2, high2)
            |> narrowed right rightRange (low1, high1)
        | Gt, _, _ -> holding Lt (right, rightRange) (left, leftRange) box
        | Ge, _, _ -> holding Le (right, rightRange) (left, leftRange) box
        | _ -> box

    let private unary op scalarType range =
        match range, Range.tryLiteral scalarType range with
        | BoolRange(canBeTrue, canBeFalse), _ -> BoolRange(canBeFalse, canBeTrue)
        | IntegerRange _, Some literal -> Range.ofLiteral (Evaluate.unary op literal)
        | IntegerRange(low, high), None ->
            match op with
            | Negate -> IntegerRanges.negate scalarType (low, high)
            | Abs -> IntegerRanges.abs scalarType (low, high)
            | _ -> IntegerRanges.complement scalarType (low, high)
        | FloatRange(low, high, canBeNaN), _ -> FloatRanges.unary op low high canBeNaN

    let private bools op (true1, false1) (true2, false2) =
        let equal = (true1 && true2) || (false1 && false2)
        let different = (true1 && false2) || (false1 && true2)

        match op with
        | BitAnd -> BoolRange(true1 && true2, false1 || false2)
        | BitOr -> BoolRange(true1 || true2, false1 && false2)
        | Eq -> BoolRange(equal, different)
        | _ -> BoolRange(different, equal)

    /// One value of one value and another, wrapped as it may be; None where that faults.
    let private ofLiterals op first second =
        try
            Some(Range.ofLiteral (Evaluate.binary op first second))
        with ExpressionFault _ ->
            None

    let private binary op (leftType, left) (rightType, right) =
        let exact =
            match Range.tryLiteral leftType left, Range.tryLiteral rightType right with
            | Some first, Some second when leftType <> Float -> ofLiterals op first second
            | _ -> None

        match exact, left, right with
        | Some range, _, _ -> range
        | _, BoolRange(true1, false1), BoolRange(true2, false2) -> bools op (true1, false1) (true2, false2)
        | _, IntegerRange(low1, high1), IntegerRange(low2, high2) ->
            IntegerRanges.binary op leftType (low1, high1) (low2, high2)
        | _, FloatRange(low1, high1, nan1), FloatRange(low2, high2, nan2) ->
            FloatRanges.binary op (low1, high1, nan1) (low2, high2, nan2)
        | _ -> invalidArg (nameof right) "Ranges of two types."

    let private convert target range =
        match target, range with
        | Float, IntegerRange(low, high) -> IntegerRanges.toFloat (low, high)
        | (Int | UInt | Long), IntegerRange(low, high) -> IntegerRanges.convert target (low, high)
        | (Int | UInt | Long), FloatRange(low, high, canBeNaN) -> FloatRanges.toInteger target (low, high, canBeNaN)
        | _ -> range

    let private isComparison op =
        match op with
        | Eq
        | Ne
        | Lt
        | Le
        | Gt
        | Ge -> true
        | _ -> false

    let private opposite op =
        match op with
        | Lt -> Ge
        | Le -> Gt
        | Gt -> Le
        | Ge -> Lt
        | Eq -> Ne
        | _ -> Eq

    let rec private judge box expr =
        match expr with
        | Literal literal -> value (Range.ofLiteral literal) box
        | Position field -> value (known field (fieldRange field) box.Fields) box
        | Score -> value box.Score box
        | Scalar(name, scalarType) -> value (known name (typeRange scalarType) box.Scalars) box
        | Local(name, scalarType) -> value (known name (typeRange scalarType) box.Locals) box
        | TableLength table -> value (known table (IntegerRange(0L, int64 System.Int32.MaxValue)) box.Lengths) box
        | TableRead(table, element, _) ->
            { value (known table (Range.ofElement element) box.Tables) box with
                MayFault = true
            }
        | Convert(target, operand) ->
            let operand = judge box operand

            { value (convert target operand.Range) box with
                MayFault = operand.MayFault
            }
        | Unary(Not, operand) ->
            let judgement = judge box operand

            { judgement with
                Range = unary Not Bool judgement.Range
                WhenTrue = judgement.WhenFalse
                WhenFalse = judgement.WhenTrue
            }
        | Unary(op, operand) ->
            let judgement = judge box operand

            { value (unary op (Expr.typeOf operand) judgement.Range) box with
                MayFault = judgement.MayFault
            }
        | Binary(And, left, right) -> conjunction (judge box left) right box
        | Binary(Or, left, right) ->
            // !(!left && !right)
            let judgement = conjunction (judge box (Unary(Not, left))) (Unary(Not, right)) box

            { judgement with
                Range = unary Not Bool judgement.Range
                WhenTrue = judgement.WhenFalse
                WhenFalse = judgement.WhenTrue
            }
        | Binary(op, left, right) -> operation op left right box
        | Select(condition, ifTrue, ifFalse) -> choice (judge box condition) ifTrue ifFalse box
        | Let(name, bound, body) ->
            let bound = judge box bound

            let judgement =
                judge
                    { box with
                        Locals = Map.add name bound.Range box.Locals
                    }
                    body

            // Outside, the name means what it meant before.
            let restored inner =
                { inner with
                    Locals =
                        match Map.tryFind name box.Locals with
                        | Some range -> Map.add name range inner.Locals
                        | None -> Map.remove name inner.Locals
                }

            {
                Range = judgement.Range
                MayFault = bound.MayFault || judgement.MayFault
                WhenTrue = restored judgement.WhenTrue
                WhenFalse = restored judgement.WhenFalse
            }

    /// The right side is reached where the left holds.
    and private conjunction left right box =
        match can left with
        | false, _ -> left
        | true, leftCanFail ->
            let right = judge left.WhenTrue right
            let canBeTrue, rightCanFail = can right

            {
                Range = BoolRange(canBeTrue, leftCanFail || rightCanFail)
                MayFault = left.MayFault || right.MayFault
                WhenTrue = right.WhenTrue
                WhenFalse =
                    (if not leftCanFail then right.WhenFalse
                     elif not rightCanFail then left.WhenFalse
                     else box)
            }

    and private operation op left right box =
        let first = judge box left
        let second = judge box right
        let leftType = Expr.typeOf left
        let range = binary op (leftType, first.Range) (Expr.typeOf right, second.Range)

        let dividesByZero =
            (op = Div || op = Rem)
            && (match second.Range with
                | IntegerRange(low, high) -> low <= 0L && high >= 0L
                | _ -> false)

        let judgement =
            { value range box with
                MayFault = first.MayFault || second.MayFault || dividesByZero
            }

        if isComparison op then
            { judgement with
                WhenTrue = holding op (left, first.Range) (right, second.Range) box
                WhenFalse = holding (opposite op) (left, first.Range) (right, second.Range) box
            }
        else
            judgement

    and private choice condition ifTrue ifFalse box =
        let taken branch whenTaken =
            let judgement = judge whenTaken branch

            { judgement with
                MayFault = condition.MayFault || judgement.MayFault
            }

        match can condition with
        | true, false -> taken ifTrue condition.WhenTrue
        | false, true -> taken ifFalse condition.WhenFalse
        | _ ->
            let first = taken ifTrue condition.WhenTrue
            let second = taken ifFalse condition.WhenFalse

            { value (Range.join first.Range second.Range) box with
                MayFault = first.MayFault || second.MayFault
            }

    /// The range of an expression over a box: whatever it evaluates to there is in it.
    let expression box expr = (judge box expr).Range

    /// True when no position and argument of a box can make the expression fault (semantics 18): it reaches no division by
    /// zero and no table read, for the tables' lengths are not known.
    let cannotFaultIn box expr = not (judge box expr).MayFault

    /// True when no call can make the expression fault.
    let cannotFault expr = cannotFaultIn positions expr
