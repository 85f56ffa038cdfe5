/// A mask as the list of what must all hold, in source order.
namespace FlashGen.Dsl

[<RequireQualifiedAccess>]
module Conjuncts =
    /// Pushes Not inwards, for comparisons of integers only: the negation of a float comparison holds for NaN too.
    let rec private negate expr =
        match expr with
        | Literal(BoolLiteral value) -> Expr.bool (not value)
        | Unary(Not, operand) -> operand
        | Binary((Or | BitOr), left, right) when Expr.typeOf left = Bool -> Binary(And, negate left, negate right)
        | Binary((And | BitAnd), left, right) when Expr.typeOf left = Bool -> Binary(Or, negate left, negate right)
        | Select(condition, ifTrue, ifFalse) -> Select(condition, negate ifTrue, negate ifFalse)
        | Binary(Lt, left, right) when KeyBounds.isInteger left -> Binary(Ge, left, right)
        | Binary(Le, left, right) when KeyBounds.isInteger left -> Binary(Gt, left, right)
        | Binary(Gt, left, right) when KeyBounds.isInteger left -> Binary(Le, left, right)
        | Binary(Ge, left, right) when KeyBounds.isInteger left -> Binary(Lt, left, right)
        | Binary(Eq, left, right) -> Binary(Ne, left, right)
        | Binary(Ne, left, right) -> Binary(Eq, left, right)
        | _ -> Unary(Not, expr)

    /// What must all hold for the mask to keep a pair.
    let rec ofMask expr =
        match expr with
        | Binary((And | BitAnd), left, right) when Expr.typeOf left = Bool -> ofMask left @ ofMask right
        | Select(condition, ifTrue, Literal(BoolLiteral false)) -> ofMask condition @ ofMask ifTrue
        | Select(condition, Literal(BoolLiteral false), ifFalse) -> ofMask (negate condition) @ ofMask ifFalse
        | Select(condition, ifTrue, Literal(BoolLiteral true)) -> [ Binary(Or, negate condition, ifTrue) ]
        | Select(condition, Literal(BoolLiteral true), ifFalse) -> [ Binary(Or, condition, ifFalse) ]
        | Unary(Not, operand) ->
            match negate operand with
            | Unary(Not, _) as same -> [ same ]
            | other -> ofMask other
        | Literal(BoolLiteral true) -> []
        | _ -> [ expr ]
