/// Rules of the floats, which hold bit for bit, -0 and infinities included, but for the sign and payload of a NaN, which no
/// expression can observe. Sums and products of three are never reassociated.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.Floats

let negate operand =
    match operand with
    | Unary(Negate, inner) -> inner
    | _ -> Unary(Negate, operand)

let rec add left right =
    match left, right with
    | Number _, Number _ -> Binary(Add, left, right)
    | Number _, _ -> add right left
    // x + -0 is x; x + 0 is not, for it turns -0 to 0.
    | _, Number value when isZero value -> if isNegative value then left else Binary(Add, left, right)
    | _, Number value when isNegative value -> Binary(Sub, left, Expr.float -value)
    | Unary(Negate, x), y -> subtract y x
    | x, Unary(Negate, y) -> subtract x y
    | _ -> Binary(Add, left, right)

and subtract left right =
    match left, right with
    | Number _, Number _ -> Binary(Sub, left, right)
    | _, Number value when isZero value && not (isNegative value) -> left
    | _, Number value when isNegative value -> add left (Expr.float -value)
    | Number value, _ when isZero value && isNegative value -> negate right
    | _, Unary(Negate, y) -> add left y
    | _ -> Binary(Sub, left, right)

let rec multiply left right =
    match left, right with
    | Number _, Number _ -> Binary(Mul, left, right)
    | Number _, _ -> multiply right left
    | _, Number 1.0f -> left
    | _, Number -1.0f -> negate left
    | Unary(Negate, x), Number value -> multiply x (Expr.float -value)
    | Unary(Negate, x), Unary(Negate, y) -> multiply x y
    | _ -> Binary(Mul, left, right)

let rec divide left right =
    match left, right with
    | Number _, Number _ -> Binary(Div, left, right)
    | Unary(Negate, x), Number value -> divide x (Expr.float -value)
    | Unary(Negate, x), Unary(Negate, y) -> divide x y
    | _, Number value ->
        match exactReciprocal value with
        | Some reciprocal -> multiply left (Expr.float reciprocal)
        | None -> Binary(Div, left, right)
    | _ -> Binary(Div, left, right)

let rec compare (faults: Faults) op left right =
    let asWritten = Binary(op, left, right)

    match op, left, right with
    | _, Number _, Number _ -> asWritten
    | _, Number _, _ -> compare faults (mirrored op) right left
    | _, _, Number value when System.Single.IsNaN value -> faults.Unless left (Expr.bool (op = Ne)) asWritten
    | _, _, Number _ -> asWritten
    | (Gt | Ge), _, _ -> compare faults (mirrored op) right left
    // A NaN differs from itself, but is not less either.
    | Lt, _, _ when left = right -> faults.Unless left (Expr.bool false) asWritten
    | _ -> asWritten
