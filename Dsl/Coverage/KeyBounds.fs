/// Comparisons solved for the key: `i - j < w` becomes `j > i - w`, in longs, where sums of ints cannot wrap, and only where C#'s
/// own arithmetic cannot either.
namespace FlashGen.Dsl

/// What a row keeps of the keys, on one side; the limit is an integer of the row.
type KeyBound =
    | AtLeast of Expr
    | AtMost of Expr

[<RequireQualifiedAccess>]
module KeyBounds =
    /// True when the value does not depend on the key.
    let isRowOnly expr =
        Expr.dependence expr ||| Dependence.Row = Dependence.Row

    /// The value as a long.
    let wide expr =
        match expr with
        | Literal(IntLiteral value) -> Expr.long (int64 value)
        | Literal(UIntLiteral value) -> Expr.long (int64 value)
        | Literal(LongLiteral _) -> expr
        | _ when Expr.typeOf expr = Long -> expr
        | _ -> Convert(Long, expr)

    let private integerRange expr =
        match Interval.expression Interval.positions expr with
        | IntegerRange(low, high) -> Some(low, high)
        | _ -> None

    /// Longs beyond this could wrap when a few of them are added.
    let private farthest = 1L <<< 60

    let private intSpan = 1L <<< 31

    let private largestDivisor = 1L <<< 30

    /// True when the value is known to lie far inside a long.
    let isNear expr =
        match integerRange expr with
        | Some(low, high) -> low >= -farthest && high <= farthest
        | None -> false

    /// An int where the value is sure to fit: bounds are computed once a row, but ints are what the lanes hold.
    let rec narrow expr =
        match expr with
        | Convert(Long, operand) when Expr.typeOf operand = Int -> operand
        | Literal(LongLiteral value) when value >= int64 System.Int32.MinValue && value <= int64 System.Int32.MaxValue ->
            Expr.int (int value)
        | Binary((Add | Sub | Min | Max) as op, left, right) when Expr.typeOf expr = Long ->
            match integerRange expr, narrow left, narrow right with
            | Some(low, high), left, right when
                low >= int64 System.Int32.MinValue
                && high <= int64 System.Int32.MaxValue
                && Expr.typeOf left = Int
                && Expr.typeOf right = Int
                ->
                Binary(op, left, right)
            | _ -> expr
        | Select(condition, ifTrue, ifFalse) when Expr.typeOf expr = Long ->
            match narrow ifTrue, narrow ifFalse with
            | ifTrue, ifFalse when Expr.typeOf ifTrue = Int && Expr.typeOf ifFalse = Int ->
                Select(condition, ifTrue, ifFalse)
            | _ -> expr
        | _ -> expr

    let private plus left right =
        match wide left, wide right with
        | Literal(LongLiteral a), Literal(LongLiteral b) -> Expr.long (a + b)
        | left, Literal(LongLiteral 0L) -> left
        | left, right -> Binary(Add, left, right)

    let private minus left right =
        match wide left, wide right with
        | Literal(LongLiteral a), Literal(LongLiteral b) -> Expr.long (a - b)
        | left, Literal(LongLiteral 0L) -> left
        | left, right -> Binary(Sub, left, right)

    /// A product by a constant, as a long.
    let times expr factor =
        match wide expr with
        | Literal(LongLiteral value) -> Expr.long (value * factor)
        | expr -> Binary(Mul, expr, Expr.long factor)

    /// Division by a positive constant, rounded down.
    let private floorDivide expr divisor =
        let expr = wide expr
        let divisor = Expr.long divisor
        let remainder = Binary(Rem, expr, divisor)

        Binary(Sub, Binary(Div, expr, divisor), Select(Binary(Lt, remainder, Expr.long 0L), Expr.long 1L, Expr.long 0L))

    // ---- Solving for the key ---------------------------------------------------------------------------------------------

    /// True when the node's exact value always lies within its type: then it may be taken apart.
    let neverWraps op left right =
        match integerRange left, integerRange right with
        | Some(a, b), Some(c, d) when isNear left && isNear right ->
            let candidates =
                match op with
                | Add -> [ a + c; b + d ]
                | Sub -> [ a - d; b - c ]
                | Mul when c = d && List.forall (fun x -> x >= -intSpan && x <= intSpan) [ a; b; c ] -> [ a * c; b * c ]
                | _ -> [ System.Int64.MinValue ]

            let low, high =
                match Expr.typeOf left with
                | Int -> int64 System.Int32.MinValue, int64 System.Int32.MaxValue
                | _ -> -farthest, farthest

            List.forall (fun value -> value >= low && value <= high) candidates
        | _ -> false

    let private isNegative expr =
        match integerRange expr with
        | Some(low, _) -> low < 0L
        | None -> true

    /// The value of an integer literal.
    let constantOf expr =
        match expr with
        | Literal(IntLiteral value) -> Some(int64 value)
        | Literal(LongLiteral value) -> Some value
        | _ -> None

    /// Solves `expr <= limit` and `expr >= limit` for the key, as a conjunction of bounds; `limit` is a long of the row.
    let rec private solve expr bound : KeyBound list option =
        let limit =
            match bound with
            | AtLeast limit
            | AtMost limit -> limit

        let moved (change: Expr -> Expr) operand =
            match bound with
            | AtLeast limit -> solve operand (AtLeast(change limit))
            | AtMost limit -> solve operand (AtMost(change limit))

        let flipped (change: Expr -> Expr) operand =
            match bound with
            | AtLeast limit -> solve operand (AtMost(change limit))
            | AtMost limit -> solve operand (AtLeast(change limit))

        match expr with
        | _ when not (isNear limit) -> None
        | Position Key -> Some [ bound ]
        | Convert(Long, operand) when Expr.typeOf operand = Int -> solve operand bound
        | Unary(Negate, operand) when
            neverWraps Sub (Literal(IntLiteral 0)) operand
            || Expr.typeOf operand = Long && isNear operand
            ->
            flipped (minus (Expr.long 0L)) operand
        | Binary(Add, left, right) when neverWraps Add left right ->
            if isRowOnly right then
                moved (fun limit -> minus limit right) left
            elif isRowOnly left then
                moved (fun limit -> minus limit left) right
            else
                None
        | Binary(Sub, left, right) when neverWraps Sub left right ->
            if isRowOnly right then
                moved (fun limit -> plus limit right) left
            elif isRowOnly left then
                flipped (fun limit -> minus left limit) right
            else
                None
        | Binary(Mul, left, right) when neverWraps Mul left right ->
            match constantOf right with
            | Some factor when factor > 0L ->
                match bound with
                | AtMost limit -> solve left (AtMost(floorDivide limit factor))
                | AtLeast limit -> solve left (AtLeast(floorDivide (plus limit (Expr.long (factor - 1L))) factor))
            | _ -> None
        | Binary(Div, left, right) when not (isNegative left) ->
            // Of a dividend that is never negative, truncation is floor.
            match constantOf right with
            | Some divisor when divisor > 0L && divisor <= largestDivisor -> quotient left divisor bound
            | _ -> None
        | Binary(Shr, left, right) when not (isNegative left) ->
            match constantOf right with
            | Some count when count >= 0L && count <= 30L -> quotient left (1L <<< int count) bound
            | _ -> None
        | Unary(Abs, operand) ->
            match bound, integerRange operand with
            | AtMost limit, Some(low, _) when low > int64 System.Int32.MinValue || Expr.typeOf operand = Int ->
                // |int.MinValue| wraps to itself: exclude it by the range of the operand.
                if low <= int64 System.Int32.MinValue then
                    None
                else
                    match solve operand (AtMost limit), solve operand (AtLeast(minus (Expr.long 0L) limit)) with
                    | Some upper, Some lower -> Some(upper @ lower)
                    | _ -> None
            | _ -> None
        | _ -> None

    and private quotient dividend divisor bound =
        // Limits are long sums of ints; times a divisor below 2^30 they stay longs.
        match bound with
        | AtMost limit -> solve dividend (AtMost(plus (times limit divisor) (Expr.long (divisor - 1L))))
        | AtLeast limit -> solve dividend (AtLeast(times limit divisor))

    /// True for ints and longs.
    let isInteger expr =
        match Expr.typeOf expr with
        | Int
        | Long -> true
        | _ -> false

    /// A comparison as a conjunction of bounds on the key.
    let private bounds op left right : KeyBound list option =
        if not (isInteger left) then
            None
        else
            let keyed, limit, op =
                if isRowOnly right then
                    left, right, op
                else
                    right,
                    left,
                    (match op with
                     | Lt -> Gt
                     | Le -> Ge
                     | Gt -> Lt
                     | Ge -> Le
                     | _ -> op)

            if not (isRowOnly limit) then
                None
            else
                match op with
                | Le -> solve keyed (AtMost(wide limit))
                | Lt -> solve keyed (AtMost(minus limit (Expr.long 1L)))
                | Ge -> solve keyed (AtLeast(wide limit))
                | Gt -> solve keyed (AtLeast(plus limit (Expr.long 1L)))
                | Eq ->
                    match solve keyed (AtMost(wide limit)), solve keyed (AtLeast(wide limit)) with
                    | Some upper, Some lower -> Some(upper @ lower)
                    | _ -> None
                | _ -> None

    /// The limit below every key, and the limit above every key.
    let never = Expr.long -1L
    let always = Expr.long (int64 System.Int32.MaxValue)

    /// Which side of the keys a bound is on, and how two of them join.
    type private Side =
        {
            /// The tighter and the looser of two bounds.
            Tighter: BinaryOp
            Looser: BinaryOp
            /// The bound that keeps every key, and the one that keeps none.
            KeepAll: Expr
            KeepNone: Expr
            Limit: KeyBound -> Expr option
        }

    let private upper =
        {
            Tighter = Min
            Looser = Max
            KeepAll = always
            KeepNone = never
            Limit =
                fun bound ->
                    match bound with
                    | AtMost limit -> Some limit
                    | AtLeast _ -> None
        }

    let private lower =
        {
            Tighter = Max
            Looser = Min
            KeepAll = never
            KeepNone = always
            Limit =
                fun bound ->
                    match bound with
                    | AtLeast limit -> Some limit
                    | AtMost _ -> None
        }

    /// A mask as one bound on one side, however it is put together, or None. A bool of the row alone is one too.
    let rec private oneSided side expr =
        let recurse = oneSided side

        let both combine left right =
            match recurse left, recurse right with
            | Some left, Some right -> Some(combine (wide left) (wide right))
            | _ -> None

        match expr with
        | _ when isRowOnly expr -> Some(Select(expr, side.KeepAll, side.KeepNone))
        | Binary(Or, left, right) when isRowOnly left ->
            recurse right
            |> Option.map (fun limit -> Select(left, side.KeepAll, wide limit))
        | Binary(Or, left, right) -> both (fun left right -> Binary(side.Looser, left, right)) left right
        | Binary(And, left, right) when isRowOnly left ->
            recurse right
            |> Option.map (fun limit -> Select(left, wide limit, side.KeepNone))
        | Binary(And, left, right) -> both (fun left right -> Binary(side.Tighter, left, right)) left right
        | Select(condition, ifTrue, ifFalse) when isRowOnly condition ->
            both (fun ifTrue ifFalse -> Select(condition, ifTrue, ifFalse)) ifTrue ifFalse
        | Binary(op, left, right) ->
            match bounds op left right with
            | Some [ single ] -> side.Limit single
            | _ -> None
        | _ -> None

    /// The bounds that a conjunct says, if they say all of it.
    let ofConjunct conjunct =
        let direct =
            match conjunct with
            | Binary(op, left, right) -> bounds op left right
            | _ -> None

        match direct with
        | Some _ -> direct
        | None ->
            match oneSided upper conjunct with
            | Some limit -> Some [ AtMost limit ]
            | None -> oneSided lower conjunct |> Option.map (fun limit -> [ AtLeast limit ])
