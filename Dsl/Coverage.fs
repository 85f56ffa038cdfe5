/// Coverage: which tiles of scores a mask leaves empty, which it leaves whole, and which need it element by element.
///
/// A mask is split once, at compile time, into row bounds and a rest:
///
///   keep(row, key)  =  conditions(row)  and  first(row) <= key <= last(row)  and  rest(row, key)
///
/// Causal, windows, prefixes, chunks and users' C# that says the same end as bounds alone; then a tile's kind is exact, from
/// the bounds of its rows. What compares tables or folds positions lands in the rest, whose value range over a tile is computed
/// from the least and greatest values of its row-only and key-only parts (interval arithmetic, as in Interval, but as an
/// expression that a kernel evaluates).
namespace FlashGen.Dsl


/// A part of the rest that varies along one side of the tile only. A kernel computes its least and greatest value over the
/// tile's rows (or keys), or for a bool whether any and whether all are true.
type Leaf =
    {
        Name: string
        /// Row or Column.
        Axis: Dependence
        Body: Expr
    }

type Coverage =
    {
        /// Bools of the row: a row keeps nothing unless all hold.
        Conditions: Expr list
        /// A row keeps no key below these; ints or longs of the row.
        First: Expr list
        /// A row keeps no key above these; ints or longs of the row. The last key within the lengths bounds every mask besides.
        Last: Expr list
        /// Those of `First` and `Last` that only shape the tiles: their conjuncts stand in `Rest` too, where their table reads are
        /// reached as C# reaches them.
        Shapes: Expr list
        /// Bools of row and key that bounds cannot say, in source order.
        Rest: Expr list
        Leaves: Leaf list
        /// Over the locals `name.low` and `name.high` of the leaves (`name.any` and `name.all` of bools): the rest certainly
        /// keeps nothing of the tile.
        RestEmpty: Expr
        /// As `RestEmpty`: the rest certainly keeps all of the tile.
        RestFull: Expr
    }

type TileKind =
    | Empty
    | Partial
    | Full

/// The keys that one row keeps by its bounds: first to last, none where last < first.
type RowRange = { FirstKey: int64; LastKey: int64 }

/// Least and greatest value of a numeric expression over a tile, as expressions over the leaves' locals: longs, or floats
/// that are NaN where a NaN takes part, which leaves every comparison open.
type private Bounds = { Low: Expr; High: Expr }

/// What a bool may be over a tile.
type private Possible = { CanBeTrue: Expr; MustBeTrue: Expr }

[<RequireQualifiedAccess>]
module Coverage =
    /// Masks whose inlined form is larger than this are tested element by element only.
    let private largestAnalysed = 4000

    let private yes = Expr.bool true
    let private no = Expr.bool false

    let private isRowOnly expr =
        Expr.dependence expr ||| Dependence.Row = Dependence.Row

    // ---- Arithmetic of bounds, in longs, where sums of ints cannot wrap -------------------------------------------------

    let private wide expr =
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

    let private isNear expr =
        match integerRange expr with
        | Some(low, high) -> low >= -farthest && high <= farthest
        | None -> false

    /// An int where the value is sure to fit: bounds are computed once a row, but ints are what the lanes hold.
    let rec private narrow expr =
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

    let private times expr factor =
        match wide expr with
        | Literal(LongLiteral value) -> Expr.long (value * factor)
        | expr -> Binary(Mul, expr, Expr.long factor)

    /// Division by a positive constant, rounded down.
    let private floorDivide expr divisor =
        let expr = wide expr
        let divisor = Expr.long divisor
        let remainder = Binary(Rem, expr, divisor)

        Binary(Sub, Binary(Div, expr, divisor), Select(Binary(Lt, remainder, Expr.long 0L), Expr.long 1L, Expr.long 0L))

    // ---- Bounds on the key ---------------------------------------------------------------------------------------------

    type private Bound =
        | AtLeast of Expr
        | AtMost of Expr

    /// True when the node's exact value always lies within its type: then it may be taken apart.
    let private neverWraps op left right =
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

    let private constantOf expr =
        match expr with
        | Literal(IntLiteral value) -> Some(int64 value)
        | Literal(LongLiteral value) -> Some value
        | _ -> None

    /// Solves `expr <= limit` and `expr >= limit` for the key, as a conjunction of bounds; `limit` is a long of the row.
    let rec private solve expr bound : Bound list option =
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

    let private isInteger expr =
        match Expr.typeOf expr with
        | Int
        | Long -> true
        | _ -> false

    /// A comparison as a conjunction of bounds on the key.
    let private bounds op left right : Bound list option =
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

    let private never = Expr.long -1L
    let private always = Expr.long (int64 System.Int32.MaxValue)

    /// The mask as one upper bound of the key, however it is put together, or None. A bool of the row alone is one too.
    let rec private tryUpper expr =
        let both combine left right =
            match tryUpper left, tryUpper right with
            | Some left, Some right -> Some(combine left right)
            | _ -> None

        match expr with
        | _ when isRowOnly expr -> Some(Select(expr, always, never))
        | Binary(Or, left, right) when isRowOnly left ->
            tryUpper right |> Option.map (fun limit -> Select(left, always, limit))
        | Binary(Or, left, right) -> both (fun left right -> Binary(Max, wide left, wide right)) left right
        | Binary(And, left, right) when isRowOnly left ->
            tryUpper right |> Option.map (fun limit -> Select(left, limit, never))
        | Binary(And, left, right) -> both (fun left right -> Binary(Min, wide left, wide right)) left right
        | Select(condition, ifTrue, ifFalse) when isRowOnly condition ->
            both (fun ifTrue ifFalse -> Select(condition, wide ifTrue, wide ifFalse)) ifTrue ifFalse
        | Binary(op, left, right) ->
            match bounds op left right with
            | Some [ AtMost limit ] -> Some(wide limit)
            | _ -> None
        | _ -> None

    /// The mask as one lower bound of the key, or None.
    let rec private tryLower expr =
        let both combine left right =
            match tryLower left, tryLower right with
            | Some left, Some right -> Some(combine left right)
            | _ -> None

        match expr with
        | _ when isRowOnly expr -> Some(Select(expr, never, always))
        | Binary(Or, left, right) when isRowOnly left ->
            tryLower right |> Option.map (fun limit -> Select(left, never, limit))
        | Binary(Or, left, right) -> both (fun left right -> Binary(Min, wide left, wide right)) left right
        | Binary(And, left, right) when isRowOnly left ->
            tryLower right |> Option.map (fun limit -> Select(left, limit, always))
        | Binary(And, left, right) -> both (fun left right -> Binary(Max, wide left, wide right)) left right
        | Select(condition, ifTrue, ifFalse) when isRowOnly condition ->
            both (fun ifTrue ifFalse -> Select(condition, wide ifTrue, wide ifFalse)) ifTrue ifFalse
        | Binary(op, left, right) ->
            match bounds op left right with
            | Some [ AtLeast limit ] -> Some(wide limit)
            | _ -> None
        | _ -> None

    // ---- Conjuncts -----------------------------------------------------------------------------------------------------

    /// Pushes Not inwards, for comparisons of integers only: the negation of a float comparison holds for NaN too.
    let rec private negate expr =
        match expr with
        | Literal(BoolLiteral value) -> Expr.bool (not value)
        | Unary(Not, operand) -> operand
        | Binary((Or | BitOr), left, right) when Expr.typeOf left = Bool -> Binary(And, negate left, negate right)
        | Binary((And | BitAnd), left, right) when Expr.typeOf left = Bool -> Binary(Or, negate left, negate right)
        | Select(condition, ifTrue, ifFalse) -> Select(condition, negate ifTrue, negate ifFalse)
        | Binary(Lt, left, right) when isInteger left -> Binary(Ge, left, right)
        | Binary(Le, left, right) when isInteger left -> Binary(Gt, left, right)
        | Binary(Gt, left, right) when isInteger left -> Binary(Le, left, right)
        | Binary(Ge, left, right) when isInteger left -> Binary(Lt, left, right)
        | Binary(Eq, left, right) -> Binary(Ne, left, right)
        | Binary(Ne, left, right) -> Binary(Eq, left, right)
        | _ -> Unary(Not, expr)

    let rec private conjuncts expr =
        match expr with
        | Binary((And | BitAnd), left, right) when Expr.typeOf left = Bool -> conjuncts left @ conjuncts right
        | Select(condition, ifTrue, Literal(BoolLiteral false)) -> conjuncts condition @ conjuncts ifTrue
        | Select(condition, Literal(BoolLiteral false), ifFalse) -> conjuncts (negate condition) @ conjuncts ifFalse
        | Select(condition, ifTrue, Literal(BoolLiteral true)) -> [ Binary(Or, negate condition, ifTrue) ]
        | Select(condition, Literal(BoolLiteral true), ifFalse) -> [ Binary(Or, condition, ifFalse) ]
        | Unary(Not, operand) ->
            match negate operand with
            | Unary(Not, _) as same -> [ same ]
            | other -> conjuncts other
        | Literal(BoolLiteral true) -> []
        | _ -> [ expr ]

    let private mayFault expr =
        Expr.exists
            (fun part ->
                match part with
                | TableRead _ -> true
                | Binary((Div | Rem), _, Literal _) -> false
                | Binary((Div | Rem), left, _) -> Expr.typeOf left <> Float
                | _ -> false)
            expr

    /// The bounds that a conjunct says, if it says nothing else.
    let private boundsOf conjunct =
        let direct =
            match conjunct with
            | Binary(op, left, right) -> bounds op left right
            | _ -> None

        match direct with
        | Some _ -> direct
        | None ->
            match tryUpper conjunct with
            | Some limit -> Some [ AtMost limit ]
            | None -> tryLower conjunct |> Option.map (fun limit -> [ AtLeast limit ])

    /// A read of the row counts as reached by the whole row, which is C#'s order of evaluation where nothing before it depends on
    /// the key and the conjunct is one comparison.
    let private isReachedByRow earlier conjunct =
        List.forall isRowOnly earlier
        && (isRowOnly conjunct
            || match conjunct with
               | Binary((Lt | Le | Gt | Ge | Eq), _, _) -> true
               | _ -> false)

    let private classify (coverage: Coverage, earlier) conjunct =
        let add (coverage: Coverage) bound =
            // An earlier condition of the row keeps its later reads from being made.
            let limit, outside =
                match bound with
                | AtLeast limit -> limit, always
                | AtMost limit -> limit, never

            let limit =
                if coverage.Conditions.IsEmpty || not (mayFault limit) then
                    narrow limit
                else
                    narrow (Select(Expr.conjunction (List.rev coverage.Conditions), wide limit, outside))

            match bound with
            | AtLeast _ ->
                { coverage with
                    First = limit :: coverage.First
                }
            | AtMost _ ->
                { coverage with
                    Last = limit :: coverage.Last
                }

        // Where the row's reads may go beyond what C# reaches, they shape the tiles, but faults are found element by element.
        let isShape = mayFault conjunct && not (isReachedByRow earlier conjunct)

        let shaped =
            if isRowOnly conjunct then
                if isShape then
                    Some coverage
                else
                    Some
                        { coverage with
                            Conditions = conjunct :: coverage.Conditions
                        }
            else
                boundsOf conjunct
                |> Option.map (fun found ->
                    let result = List.fold add coverage found

                    if isShape then
                        let added (after: Expr list) (before: Expr list) =
                            List.take (after.Length - before.Length) after

                        { result with
                            Shapes =
                                added result.First coverage.First
                                @ added result.Last coverage.Last
                                @ coverage.Shapes
                        }
                    else
                        result)

        let result =
            match shaped with
            | Some shaped when not isShape -> shaped
            | Some shaped ->
                { shaped with
                    Rest = conjunct :: shaped.Rest
                }
            | None ->
                { coverage with
                    Rest = conjunct :: coverage.Rest
                }

        result, conjunct :: earlier

    // ---- The rest: value ranges over a tile ------------------------------------------------------------------------------

    type private Leaves() =
        let found = ResizeArray<Leaf>()

        member _.All = List.ofSeq found

        member _.Name(axis, body) =
            match Seq.tryFind (fun leaf -> leaf.Body = body) found with
            | Some leaf -> leaf.Name
            | None ->
                let side = if axis = Dependence.Row then "row" else "key"
                let index = found |> Seq.filter (fun leaf -> leaf.Axis = axis) |> Seq.length
                let name = side + string index

                found.Add
                    {
                        Name = name
                        Axis = axis
                        Body = body
                    }

                name

    let private unknown = { CanBeTrue = yes; MustBeTrue = no }

    let private isFloat bounds = Expr.typeOf bounds.Low = Float

    let private both op left right =
        match op, left, right with
        | And, Literal(BoolLiteral true), other
        | And, other, Literal(BoolLiteral true)
        | Or, Literal(BoolLiteral false), other
        | Or, other, Literal(BoolLiteral false) -> other
        | And, Literal(BoolLiteral false), _
        | And, _, Literal(BoolLiteral false) -> no
        | Or, Literal(BoolLiteral true), _
        | Or, _, Literal(BoolLiteral true) -> yes
        | _ -> Binary(op, left, right)

    let private opposite expr =
        match expr with
        | Literal(BoolLiteral value) -> Expr.bool (not value)
        | Unary(Not, operand) -> operand
        | _ -> Unary(Not, expr)

    /// Integer bounds that may have left their type make the type's whole range.
    let private within t bounds =
        let low, high =
            match t with
            | Int -> int64 System.Int32.MinValue, int64 System.Int32.MaxValue
            | UInt -> 0L, int64 System.UInt32.MaxValue
            | _ -> System.Int64.MinValue, System.Int64.MaxValue

        let fits =
            Binary(And, Binary(Ge, bounds.Low, Expr.long low), Binary(Le, bounds.High, Expr.long high))

        {
            Low = Select(fits, bounds.Low, Expr.long low)
            High = Select(fits, bounds.High, Expr.long high)
        }

    let rec private rangeOf (leaves: Leaves) expr : Bounds option =
        let t = Expr.typeOf expr
        let recurse = rangeOf leaves

        let exactInteger op left right low high =
            if t = Long then
                // Sums of longs may wrap; only those of near operands are followed.
                if isNear left && isNear right then
                    Some { Low = low; High = high }
                else
                    None
            elif t = Int && neverWraps op left right then
                Some { Low = low; High = high }
            else
                Some(within t { Low = low; High = high })

        match Expr.dependence expr with
        | Dependence.Uniform ->
            let value = if t = Float then expr else wide expr
            Some { Low = value; High = value }
        | Dependence.Row
        | Dependence.Column as axis ->
            let name = leaves.Name(axis, expr)
            let t = if t = Float then Float else Long

            Some
                {
                    Low = Local(name + ".low", t)
                    High = Local(name + ".high", t)
                }
        | _ ->
            match expr with
            | Binary(Add, left, right) ->
                match recurse left, recurse right with
                | Some a, Some b ->
                    let low, high = Binary(Add, a.Low, b.Low), Binary(Add, a.High, b.High)

                    if t = Float then
                        Some { Low = low; High = high }
                    else
                        exactInteger Add left right low high
                | _ -> None
            | Binary(Sub, left, right) ->
                match recurse left, recurse right with
                | Some a, Some b ->
                    let low, high = Binary(Sub, a.Low, b.High), Binary(Sub, a.High, b.Low)

                    if t = Float then
                        Some { Low = low; High = high }
                    else
                        exactInteger Sub left right low high
                | _ -> None
            | Binary(Mul, left, right) when t = Int ->
                match constantOf right, recurse left with
                | Some factor, Some a when factor >= 0L ->
                    Some(
                        within
                            t
                            {
                                Low = times a.Low factor
                                High = times a.High factor
                            }
                    )
                | _ -> None
            | Unary(Abs, operand) when t <> Float ->
                recurse operand
                |> Option.map (fun a ->
                    let mirrored = Binary(Sub, Expr.long 0L, a.Low)

                    within
                        t
                        {
                            Low = Binary(Max, Expr.long 0L, Binary(Max, a.Low, Binary(Sub, Expr.long 0L, a.High)))
                            High = Binary(Max, mirrored, a.High)
                        })
            | Binary((Min | Max) as op, left, right) ->
                match recurse left, recurse right with
                | Some a, Some b ->
                    Some
                        {
                            Low = Binary(op, a.Low, b.Low)
                            High = Binary(op, a.High, b.High)
                        }
                | _ -> None
            | Convert(Long, operand) when isInteger operand || Expr.typeOf operand = UInt -> recurse operand
            | Select(_, ifTrue, ifFalse) ->
                match recurse ifTrue, recurse ifFalse with
                | Some a, Some b ->
                    Some
                        {
                            Low = Binary(Min, a.Low, b.Low)
                            High = Binary(Max, a.High, b.High)
                        }
                | _ -> None
            | _ -> None

    let private compared op a b =
        // A float bound that is NaN leaves the comparison open: what can be is written as the negation of its opposite.
        let below, notAbove = Binary(Lt, a.High, b.Low), Binary(Le, a.High, b.Low)
        let above, notBelow = Binary(Gt, a.Low, b.High), Binary(Ge, a.Low, b.High)

        let apart = Binary(Or, below, above)

        let same =
            Binary(And, Binary(Eq, a.Low, a.High), Binary(And, Binary(Eq, b.Low, b.High), Binary(Eq, a.Low, b.Low)))

        match op with
        | Lt ->
            {
                CanBeTrue = opposite notBelow
                MustBeTrue = below
            }
        | Le ->
            {
                CanBeTrue = opposite above
                MustBeTrue = notAbove
            }
        | Gt ->
            {
                CanBeTrue = opposite notAbove
                MustBeTrue = above
            }
        | Ge ->
            {
                CanBeTrue = opposite below
                MustBeTrue = notBelow
            }
        | Eq ->
            {
                CanBeTrue = opposite apart
                MustBeTrue = same
            }
        | Ne ->
            {
                CanBeTrue = opposite same
                MustBeTrue = apart
            }
        | _ -> unknown

    let rec private possible (leaves: Leaves) expr =
        let recurse = possible leaves

        match Expr.dependence expr with
        | Dependence.Uniform -> { CanBeTrue = expr; MustBeTrue = expr }
        | Dependence.Row
        | Dependence.Column as axis ->
            let name = leaves.Name(axis, expr)

            {
                CanBeTrue = Local(name + ".any", Bool)
                MustBeTrue = Local(name + ".all", Bool)
            }
        | _ ->
            match expr with
            | Unary(Not, operand) ->
                let inner = recurse operand

                {
                    CanBeTrue = opposite inner.MustBeTrue
                    MustBeTrue = opposite inner.CanBeTrue
                }
            | Binary((And | Or | BitAnd | BitOr) as op, left, right) ->
                let op =
                    match op with
                    | And
                    | BitAnd -> And
                    | _ -> Or

                let left, right = recurse left, recurse right

                {
                    CanBeTrue = both op left.CanBeTrue right.CanBeTrue
                    MustBeTrue = both op left.MustBeTrue right.MustBeTrue
                }
            | Select(condition, ifTrue, ifFalse) ->
                let condition, ifTrue, ifFalse = recurse condition, recurse ifTrue, recurse ifFalse
                let canBeFalse = opposite condition.MustBeTrue
                let mustBeFalse = opposite condition.CanBeTrue

                {
                    CanBeTrue =
                        both Or (both And condition.CanBeTrue ifTrue.CanBeTrue) (both And canBeFalse ifFalse.CanBeTrue)
                    MustBeTrue =
                        both
                            Or
                            (both And ifTrue.MustBeTrue ifFalse.MustBeTrue)
                            (both
                                Or
                                (both And condition.MustBeTrue ifTrue.MustBeTrue)
                                (both And mustBeFalse ifFalse.MustBeTrue))
                }
            | Binary((Eq | Ne | Lt | Le | Gt | Ge) as op, left, right) when Expr.typeOf left <> Bool ->
                match rangeOf leaves left, rangeOf leaves right with
                | Some a, Some b when isFloat a = isFloat b -> compared op a b
                | _ -> unknown
            | _ -> unknown

    // ---- The analysis ----------------------------------------------------------------------------------------------------

    let private nothingKnown =
        {
            Conditions = []
            First = []
            Last = []
            Shapes = []
            Rest = []
            Leaves = []
            RestEmpty = no
            RestFull = yes
        }

    /// The coverage of a mask (a closed bool expression without the score).
    let ofMask mask =
        let mask = Simplify.expression mask
        let inlined = Expr.inlineLocals mask

        if Expr.size inlined > largestAnalysed then
            { nothingKnown with
                Rest = [ mask ]
                RestFull = no
            }
        else
            let split =
                conjuncts (Simplify.expression inlined)
                |> List.fold classify (nothingKnown, [])
                |> fst

            let leaves = Leaves()
            let rest = List.rev split.Rest

            let tests = rest |> List.map (possible leaves)
            let canBeTrue = tests |> List.fold (fun sum test -> both And sum test.CanBeTrue) yes

            let mustBeTrue =
                tests |> List.fold (fun sum test -> both And sum test.MustBeTrue) yes

            {
                Conditions = List.rev split.Conditions
                First = List.rev split.First
                Last = List.rev split.Last
                Shapes = split.Shapes
                Rest = rest
                Leaves = leaves.All
                RestEmpty = opposite canBeTrue
                RestFull = mustBeTrue
            }

    let ofSpec spec = ofMask (Spec.mask spec)

    /// True when every pair within the lengths is kept.
    let keepsAll coverage =
        coverage.Conditions.IsEmpty
        && coverage.First.IsEmpty
        && coverage.Last.IsEmpty
        && coverage.Rest.IsEmpty

    /// True when the bounds say all of the mask: kinds of tiles are then exact.
    let isExact coverage = coverage.Rest.IsEmpty

    // ---- Its meaning, as the kernels compute it ----------------------------------------------------------------------------

    let private at (environment: Environment) query offset key =
        { environment with
            Field =
                fun field ->
                    match field with
                    | Query -> query
                    | QueryPosition -> query + offset
                    | Key -> key
                    | _ -> environment.Field field
        }

    let private longOf environment expr =
        match Evaluate.convert Long (Evaluate.expression environment expr) with
        | LongLiteral value -> value
        | _ -> invalidArg (nameof expr) "A bound is an integer."

    /// The keys that a row keeps by its bounds, within [0, KeyLength). The environment gives the uniform fields.
    let rowRange coverage (environment: Environment) query offset =
        let environment = at environment query offset 0

        if List.forall (Evaluate.isTrue environment) coverage.Conditions then
            {
                FirstKey =
                    coverage.First
                    |> List.fold (fun first bound -> max first (longOf environment bound)) 0L
                LastKey =
                    coverage.Last
                    |> List.fold
                        (fun last bound -> min last (longOf environment bound))
                        (int64 (environment.Field KeyLength) - 1L)
            }
        else
            {
                FirstKey = System.Int64.MaxValue
                LastKey = -1L
            }

    let private leafLocals coverage environment (queries: int list) (keys: int list) offset =
        let locals = System.Collections.Generic.Dictionary<string, Literal>()

        for leaf in coverage.Leaves do
            let values =
                if leaf.Axis = Dependence.Row then
                    [
                        for query in queries -> Evaluate.expression (at environment query offset 0) leaf.Body
                    ]
                else
                    [
                        for key in keys -> Evaluate.expression (at environment queries.Head offset key) leaf.Body
                    ]

            match Expr.typeOf leaf.Body with
            | Bool ->
                locals[leaf.Name + ".any"] <- BoolLiteral(List.contains (BoolLiteral true) values)
                locals[leaf.Name + ".all"] <- BoolLiteral(not (List.contains (BoolLiteral false) values))
            | Float ->
                locals[leaf.Name + ".low"] <- List.reduce (Evaluate.binary Min) values
                locals[leaf.Name + ".high"] <- List.reduce (Evaluate.binary Max) values
            | _ ->
                let values = values |> List.map (Evaluate.convert Long)
                locals[leaf.Name + ".low"] <- List.reduce (Evaluate.binary Min) values
                locals[leaf.Name + ".high"] <- List.reduce (Evaluate.binary Max) values

        locals

    /// The kind of the tile of these rows and keys (inclusive; keys within the lengths).
    let tile coverage (environment: Environment) offset (firstQuery, lastQuery) (firstKey, lastKey) =
        let ranges =
            [
                for query in firstQuery..lastQuery -> rowRange coverage environment query offset
            ]

        let lastKey = min lastKey (environment.Field KeyLength - 1)
        let first, last = int64 firstKey, int64 lastKey

        let touched =
            ranges
            |> List.exists (fun row -> row.FirstKey <= row.LastKey && row.FirstKey <= last && row.LastKey >= first)

        if lastKey < firstKey || not touched then
            Empty
        else
            let isCovered =
                ranges |> List.forall (fun row -> row.FirstKey <= first && row.LastKey >= last)

            if coverage.Rest.IsEmpty then
                if isCovered then Full else Partial
            else
                let locals =
                    leafLocals coverage environment [ firstQuery..lastQuery ] [ firstKey..lastKey ] offset

                let bind expr =
                    Seq.fold (fun body (KeyValue(name: string, value)) -> Let(name, Literal value, body)) expr locals

                if Evaluate.isTrue environment (bind coverage.RestEmpty) then
                    Empty
                elif isCovered && Evaluate.isTrue environment (bind coverage.RestFull) then
                    Full
                else
                    Partial
