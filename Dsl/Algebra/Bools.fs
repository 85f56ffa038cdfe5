/// Rules of the bools. && and || nest to the left; what is reached, and when, stays.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.Bools

open System.Collections.Generic

let negate faults operand =
    match operand with
    | Literal(BoolLiteral value) -> Expr.bool (not value)
    | Unary(Not, inner) -> inner
    | Binary((Lt | Le | Gt | Ge) as op, left, right) when Expr.typeOf left <> Float ->
        Integers.compare faults (opposite op) (Expr.typeOf left) left right
    | Binary((Eq | Ne) as op, left, right) -> Binary(opposite op, left, right)
    // Negated conjunctions, choices and locals are Simplify's, which meets them from above.
    | _ -> Unary(Not, operand)

let rec compare (faults: Faults) op left right =
    match left, right with
    | Literal _, Literal _ -> Binary(op, left, right)
    | Literal _, _ -> compare faults op right left
    | _, Literal(BoolLiteral value) -> if value = (op = Eq) then left else negate faults left
    | _ when left = right -> faults.Unless left (Expr.bool (op = Eq)) (Binary(op, left, right))
    | _ -> Binary(op, left, right)

let rec private partsBefore op expr rest =
    match expr with
    | Binary(inner, left, right) when inner = op -> partsBefore op left (partsBefore op right rest)
    | _ -> expr :: rest

/// The operands of && or ||, those of its operands among them, left to right.
let parts op expr = partsBefore op expr []

/// `a && b && c` or `a || b || c`: no part twice, none after the one that settles it, none that cannot be it.
let chain (faults: Faults) op operands =
    let settling = Expr.bool (op = Or)
    let neutral = Expr.bool (op = And)
    let seen = HashSet<Expr>(HashIdentity.Structural)

    let rec distinct operands =
        match operands with
        | [] -> []
        | part :: rest when part = neutral || seen.Contains part -> distinct rest
        // Reached only where its opposite left the result open.
        | part :: _ when part = settling || seen.Contains(negate faults part) -> [ settling ]
        | part :: rest ->
            seen.Add part |> ignore
            part :: distinct rest

    let rec settled reversed =
        match reversed with
        | last :: before :: rest when last = settling && not (faults.Possible before) -> settled (last :: rest)
        | _ -> List.rev reversed

    match operands |> List.collect (parts op) |> distinct |> List.rev |> settled with
    | [] -> neutral
    | first :: rest -> List.fold (fun left right -> Binary(op, left, right)) first rest

/// & and | of bools are && and || where the right side may as well not be reached.
let eager (faults: Faults) op shortCircuit left right =
    if not (faults.Possible right) then
        chain faults shortCircuit [ left; right ]
    elif not (faults.Possible left) then
        chain faults shortCircuit [ right; left ]
    elif left = right then
        left
    else
        Binary(op, left, right)
