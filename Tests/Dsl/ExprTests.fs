module FlashGen.Tests.Dsl.ExprTests

open Expecto
open FlashGen.Dsl

let private evaluates expr expected name =
    test name { Expect.equal (Evaluate.expression Environment.empty expr) expected name }

[<Tests>]
let tests =
    testList
        "Evaluate"
        [
            evaluates
                (Binary(Add, Expr.int System.Int32.MaxValue, Expr.int 1))
                (IntLiteral System.Int32.MinValue)
                "sums wrap"
            evaluates (Binary(Div, Expr.int -7, Expr.int 2)) (IntLiteral -3) "division truncates"
            evaluates (Binary(Shl, Expr.int 1, Expr.int 33)) (IntLiteral 2) "shift counts are masked"
            evaluates (Convert(Int, Expr.float nanf)) (IntLiteral 0) "NaN converts to 0"
            evaluates (Convert(Int, Expr.float 3e9f)) (IntLiteral System.Int32.MaxValue) "conversion saturates"
        ]
