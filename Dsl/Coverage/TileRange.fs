/// What a mask may be over a whole tile: interval arithmetic as in Interval, but as an expression that a kernel evaluates over the
/// least and greatest values of the mask's row-only and key-only parts.
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

/// Least and greatest value of a numeric expression over a tile, as expressions over the leaves' locals: longs, or floats
/// that are NaN where a NaN takes part, which leaves every comparison open.
type Bounds = { Low: Expr; High: Expr }

/// What a bool may be over a tile.
type Possible = { CanBeTrue: Expr; MustBeTrue: Expr }

[<RequireQualifiedAccess>]
module TileRange =
    let private yes = Expr.bool true
    let private no = Expr.bool false

    /// The leaves met so far, each named once.
    type Leaves() =
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

    /// A conjunction or disjunction, folded where one side is a constant.
    let both op left right =
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

    /// The negation.
    let opposite expr =
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
                if KeyBounds.isNear left && KeyBounds.isNear right then
                    Some { Low = low; High = high }
                else
                    None
            elif t = Int && KeyBounds.neverWraps op left right then
                Some { Low = low; High = high }
            else
                Some(within t { Low = low; High = high })

        match Expr.dependence expr with
        | Dependence.Uniform ->
            let value = if t = Float then expr else KeyBounds.wide expr
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
                match KeyBounds.constantOf right, recurse left with
                | Some factor, Some a when factor >= 0L ->
                    Some(
                        within
                            t
                            {
                                Low = KeyBounds.times a.Low factor
                                High = KeyBounds.times a.High factor
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
            | Convert(Long, operand) when KeyBounds.isInteger operand || Expr.typeOf operand = UInt -> recurse operand
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

    /// What a bool of row and key may be over a tile.
    let rec possible (leaves: Leaves) expr =
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
