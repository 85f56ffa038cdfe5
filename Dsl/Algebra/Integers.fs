/// Rules of the integers, which wrap and so may be reassociated: a literal stands on the right, as the subtrahend if it is
/// negative, and literals meet. Comparisons with a literal are <=, >=, = and != only; the others < and <=, = and != only.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.Integers

let rec add (faults: Faults) scalarType left right =
    match left, right with
    | Integer _, Integer _ -> Binary(Add, left, right)
    | Integer _, _ -> add faults scalarType right left
    | _, Integer 0L -> left
    | Binary(Add, x, Integer first), Integer second -> add faults scalarType x (integer scalarType (first + second))
    | Binary(Sub, x, Integer first), Integer second -> add faults scalarType x (integer scalarType (second - first))
    | Binary(Sub, Integer first, x), Integer second ->
        subtract faults scalarType (integer scalarType (first + second)) x
    | Unary(Negate, x), y -> subtract faults scalarType y x
    | x, Unary(Negate, y) -> subtract faults scalarType x y
    | _, Integer value when value < 0L && integer scalarType -value <> right ->
        Binary(Sub, left, integer scalarType -value)
    | _ -> Binary(Add, left, right)

and subtract (faults: Faults) scalarType left right =
    match left, right with
    | Integer _, Integer _ -> Binary(Sub, left, right)
    | _, Integer value -> add faults scalarType left (integer scalarType -value)
    | Integer 0L, _ when isSigned scalarType -> negate faults scalarType right
    | Integer first, Binary(Add, x, Integer second) ->
        subtract faults scalarType (integer scalarType (first - second)) x
    | Integer first, Binary(Sub, x, Integer second) ->
        subtract faults scalarType (integer scalarType (first + second)) x
    | Integer first, Binary(Sub, Integer second, x) -> add faults scalarType x (integer scalarType (first - second))
    | _, Unary(Negate, y) -> add faults scalarType left y
    | _ when left = right -> faults.Unless left (integer scalarType 0L) (Binary(Sub, left, right))
    | _ -> Binary(Sub, left, right)

and negate (faults: Faults) scalarType operand =
    match operand with
    | Unary(Negate, inner) -> inner
    | Binary(Sub, left, right) -> subtract faults scalarType right left
    | Binary(Mul, x, Integer value) -> multiply faults scalarType x (integer scalarType -value)
    | _ -> Unary(Negate, operand)

and multiply (faults: Faults) scalarType left right =
    match left, right with
    | Integer _, Integer _ -> Binary(Mul, left, right)
    | Integer _, _ -> multiply faults scalarType right left
    | _, Integer 0L -> faults.Unless left right (Binary(Mul, left, right))
    | _, Integer 1L -> left
    | Binary(Mul, x, Integer first), Integer second ->
        multiply faults scalarType x (integer scalarType (first * second))
    | Unary(Negate, x), Integer value -> multiply faults scalarType x (integer scalarType -value)
    | _, Integer -1L when isSigned scalarType -> negate faults scalarType left
    | _ -> Binary(Mul, left, right)

let divide (faults: Faults) scalarType left right =
    match right with
    | Integer 1L -> left
    | Integer -1L when isSigned scalarType -> negate faults scalarType left
    | _ -> Binary(Div, left, right)

let rec remainder (faults: Faults) scalarType left right =
    match right with
    | Integer 1L -> faults.Unless left (integer scalarType 0L) (Binary(Rem, left, right))
    // The remainder has the dividend's sign, whatever the divisor's.
    | Integer value when isSigned scalarType && value < 0L && integer scalarType -value <> right ->
        remainder faults scalarType left (integer scalarType -value)
    | _ -> Binary(Rem, left, right)

let rec bitwise (faults: Faults) op scalarType left right =
    match op, left, right with
    | _, Integer _, Integer _ -> Binary(op, left, right)
    | _, Integer _, _ -> bitwise faults op scalarType right left
    | BitAnd, _, Integer 0L
    | BitOr, _, Integer -1L -> faults.Unless left right (Binary(op, left, right))
    | BitAnd, _, Integer -1L
    | (BitOr | BitXor), _, Integer 0L -> left
    | BitXor, Unary(Complement, x), Integer -1L -> x
    | BitXor, _, Integer -1L -> Unary(Complement, left)
    | BitAnd, Binary(BitAnd, x, Integer first), Integer second ->
        bitwise faults op scalarType x (integer scalarType (first &&& second))
    | BitOr, Binary(BitOr, x, Integer first), Integer second ->
        bitwise faults op scalarType x (integer scalarType (first ||| second))
    | BitXor, Binary(BitXor, x, Integer first), Integer second ->
        bitwise faults op scalarType x (integer scalarType (first ^^^ second))
    | BitXor, _, _ when left = right -> faults.Unless left (integer scalarType 0L) (Binary(op, left, right))
    | (BitAnd | BitOr), _, _ when left = right -> left
    | _ -> Binary(op, left, right)

let shift (faults: Faults) op scalarType left right =
    // Zero fills a uint either way.
    let op = if scalarType = UInt && op = UShr then Shr else op

    match left, right with
    | _, Literal(IntLiteral count) ->
        let count = count &&& (if scalarType = Long then 63 else 31)
        if count = 0 then left else Binary(op, left, Expr.int count)
    | Integer 0L, _ -> faults.Unless right left (Binary(op, left, right))
    | _ -> Binary(op, left, right)

let rec compare (faults: Faults) op scalarType left right =
    let asWritten = Binary(op, left, right)

    let always answer =
        faults.Unless left (Expr.bool answer) asWritten

    match op, left, right with
    | _, Integer _, Integer _ -> asWritten
    | _, Integer _, _ -> compare faults (mirrored op) scalarType right left
    | Lt, _, Literal _ when right = smallest scalarType -> always false
    | Ge, _, Literal _ when right = smallest scalarType -> always true
    | Gt, _, Literal _ when right = largest scalarType -> always false
    | Le, _, Literal _ when right = largest scalarType -> always true
    | Lt, _, Integer value -> compare faults Le scalarType left (integer scalarType (value - 1L))
    | Gt, _, Integer value -> compare faults Ge scalarType left (integer scalarType (value + 1L))
    | Le, _, Literal _ when right = smallest scalarType -> compare faults Eq scalarType left right
    | Ge, _, Literal _ when right = largest scalarType -> compare faults Eq scalarType left right
    | (Eq | Ne), Binary(Add, x, Integer first), Integer second ->
        compare faults op scalarType x (integer scalarType (second - first))
    | (Eq | Ne), Binary(Sub, x, Integer first), Integer second ->
        compare faults op scalarType x (integer scalarType (second + first))
    | (Eq | Ne), Binary(Sub, Integer first, x), Integer second ->
        compare faults op scalarType x (integer scalarType (first - second))
    | (Eq | Ne), Binary(Sub, x, y), Integer 0L -> compare faults op scalarType x y
    | (Eq | Ne), Unary(Negate, x), Integer value -> compare faults op scalarType x (integer scalarType -value)
    | _, _, Literal _ -> asWritten
    | (Gt | Ge), _, _ -> compare faults (mirrored op) scalarType right left
    | _ when left = right -> always (op = Eq || op = Le)
    | _ -> asWritten
