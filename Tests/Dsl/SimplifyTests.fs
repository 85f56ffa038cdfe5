module FlashGen.Tests.Dsl.SimplifyTests

open System
open Expecto
open FlashGen.Dsl
open FlashGen.Tests.Property
open FlashGen.Tests.Dsl.Arbitrary
open FlashGen.Tests.Dsl.Worlds

let private key = Position Key
let private query = Position QueryPosition
let private flag = Scalar("flag", Bool)
let private window = Scalar("window", Int)
let private far = Scalar("far", Long)
let private bits = Scalar("bits", UInt)
let private gain = Scalar("gain", Float)
let private read = TableRead("document", IntElement, key)
let private lessOrEqual left right = Binary(Le, left, right)

let private becomes name expr expected =
    test name { Expect.equal (Simplify.expression expr) expected name }

let private keeps name expr = becomes name expr expr

let private properties =
    testList
        "property"
        [
            property "the meaning stays, faults included" 4000 (inWorlds expression) (fun (expr, worlds) ->
                let simple = Simplify.expression expr

                for world in worlds do
                    let expected = outcome world expr
                    let actual = outcome world simple

                    if actual <> expected then
                        failtestf "%A became %A: %A is now %A" expr simple expected actual)
            property "simplifying again changes nothing" 2000 expression (fun expr ->
                let once = Simplify.expression expr
                Expect.equal (Simplify.expression once) once "idempotent")
            property "the result is no larger, but for negations, and of the same type" 1000 expression (fun expr ->
                // A negation of && or || becomes one of each operand.
                let rec size expr =
                    let own =
                        match expr with
                        | Unary(Not, _) -> 0
                        | _ -> 1

                    own + List.sumBy size (Expr.children expr)

                let simple = Simplify.expression expr
                Expect.isLessThanOrEqual (size simple) (size expr) "size"
                Expect.equal (Expr.typeOf simple) (Expr.typeOf expr) "type")
        ]

let private integers =
    let plus left right = Binary(Add, left, right)
    let minus left right = Binary(Sub, left, right)
    let times left right = Binary(Mul, left, right)

    testList
        "integers"
        [
            becomes "constants fold, wrapping" (plus (Expr.int Int32.MaxValue) (Expr.int 1)) (Expr.int Int32.MinValue)
            keeps "division by zero stays for run time" (Binary(Div, Expr.int 1, Expr.int 0))
            becomes "literals of a sum meet" (plus (Expr.int 3) (minus key (Expr.int 5))) (minus key (Expr.int 2))
            becomes "differences of literals too" (minus (Expr.int 3) (minus (Expr.int 5) key)) (minus key (Expr.int 2))
            becomes "x - x" (minus key key) (Expr.int 0)
            keeps "but a read is not dropped" (minus read read)
            becomes "x * 0" (times key (Expr.int 0)) (Expr.int 0)
            keeps "a read * 0" (times read (Expr.int 0))
            keeps "a division that could fault, * 0" (times (Binary(Div, key, window)) (Expr.int 0))
            becomes "one that cannot, * 0" (times (Binary(Div, key, Expr.int 7)) (Expr.int 0)) (Expr.int 0)
            becomes "the sign of a divisor" (Binary(Rem, key, Expr.int -8)) (Binary(Rem, key, Expr.int 8))
            becomes "shift counts are masked" (Binary(Shl, key, Expr.int 32)) key
            becomes "of 64 bits too" (Binary(Shr, far, Expr.int 70)) (Binary(Shr, far, Expr.int 6))
            becomes
                "a uint's large literal"
                (plus bits (Literal(UIntLiteral UInt32.MaxValue)))
                (minus bits (Literal(UIntLiteral 1u)))
            becomes
                "nested bounds"
                (Binary(Min, Binary(Min, key, Expr.int 9), Expr.int 4))
                (Binary(Min, key, Expr.int 4))
            becomes
                "masks of bits meet"
                (Binary(BitAnd, Binary(BitAnd, key, Expr.int 12), Expr.int 6))
                (Binary(BitAnd, key, Expr.int 4))
        ]

let private floats =
    let zero = Expr.float 0.0f
    let minusZero = Expr.float -0.0f
    let convertedKey = Convert(Float, key)

    testList
        "floats"
        [
            keeps "x + 0 turns -0 to 0" (Binary(Add, Score, zero))
            becomes "x + -0" (Binary(Add, Score, minusZero)) Score
            becomes "x - 0" (Binary(Sub, Score, zero)) Score
            becomes "x - -0 is x + 0" (Binary(Sub, Score, minusZero)) (Binary(Add, Score, zero))
            becomes "-0 - x" (Binary(Sub, minusZero, Score)) (Unary(Negate, Score))
            keeps "0 - x" (Binary(Sub, zero, Score))
            keeps "x * 0 may be NaN" (Binary(Mul, Score, zero))
            becomes "x * 1" (Binary(Mul, Expr.float 1.0f, Score)) Score
            keeps "x - x may be NaN" (Binary(Sub, Score, Score))
            keeps "x / x" (Binary(Div, Score, Score))
            keeps "no association" (Binary(Add, Binary(Add, Score, Expr.float 1.0f), Expr.float 2.0f))
            becomes
                "a power of two divides by multiplying"
                (Binary(Div, Score, Expr.float 8.0f))
                (Binary(Mul, Score, Expr.float 0.125f))
            keeps "3 does not" (Binary(Div, Score, Expr.float 3.0f))
            keeps "nor does one whose reciprocal is subnormal" (Binary(Div, Score, Expr.float 1.7014118e38f))
            keeps "x = x is false for NaN" (Binary(Eq, Score, Score))
            becomes "x < x is false for all" (Binary(Lt, Score, Score)) (Expr.bool false)
            keeps "not less is not greater or equal" (Unary(Not, Binary(Lt, Score, gain)))
            becomes "not equal is" (Unary(Not, Binary(Eq, Score, gain))) (Binary(Ne, Score, gain))
            becomes "a whole number is its own floor" (Unary(Floor, convertedKey)) convertedKey
            becomes "nothing is below a NaN" (Binary(Lt, Score, Expr.float nanf)) (Expr.bool false)
            keeps "a NaN wins over a bound" (Binary(Min, Score, Expr.float -infinityf))
        ]

let private bools =
    let other = Binary(Lt, key, query)
    let both left right = Binary(And, left, right)
    let either left right = Binary(Or, left, right)
    let readIsSet = Binary(Eq, read, Expr.int 3)

    testList
        "bools"
        [
            becomes "true && x" (both (Expr.bool true) flag) flag
            becomes "x && false" (both flag (Expr.bool false)) (Expr.bool false)
            keeps "a read stays before && false" (both readIsSet (Expr.bool false))
            becomes "after it, it goes" (both (Expr.bool false) readIsSet) (Expr.bool false)
            becomes "no part twice" (both (both flag other) flag) (both flag other)
            becomes "nor beside its opposite" (both flag (both other (Unary(Not, flag)))) (Expr.bool false)
            becomes "one nesting" (both flag (both other readIsSet)) (both (both flag other) readIsSet)
            becomes "double negation" (Unary(Not, Unary(Not, flag))) flag
            becomes
                "De Morgan"
                (Unary(Not, either flag (Binary(Le, key, query))))
                (both (Unary(Not, flag)) (Binary(Lt, query, key)))
            becomes "& is && where it may be" (Binary(BitAnd, readIsSet, flag)) (both readIsSet flag)
            becomes "with the fault first" (Binary(BitAnd, flag, readIsSet)) (both readIsSet flag)
            keeps "but both reads are made" (Binary(BitAnd, readIsSet, Binary(Lt, read, key)))
            becomes "^ is !=" (Binary(BitXor, flag, other)) (Binary(Ne, flag, other))
            becomes "a choice of bools" (Select(flag, other, Expr.bool false)) (both flag other)
            becomes "the other way" (Select(flag, Expr.bool false, other)) (both (Unary(Not, flag)) other)
            becomes "the same either way" (Select(flag, key, key)) key
            keeps "but for a condition that may fault" (Select(readIsSet, key, key))
            becomes "a negated condition" (Select(Unary(Not, flag), key, query)) (Select(flag, query, key))
        ]

let private comparisons =
    let top = Expr.int Int32.MaxValue

    testList
        "comparisons"
        [
            becomes "greater" (Binary(Gt, key, query)) (Binary(Lt, query, key))
            becomes "greater or equal" (Binary(Ge, query, key)) (lessOrEqual key query)
            becomes "a literal stands right" (Binary(Ge, Expr.int 4, key)) (lessOrEqual key (Expr.int 4))
            becomes "and takes its bound in" (Binary(Lt, key, Expr.int 4)) (lessOrEqual key (Expr.int 3))
            becomes "from below too" (Binary(Gt, key, Expr.int 4)) (Binary(Ge, key, Expr.int 5))
            becomes "beyond the type" (Binary(Gt, key, top)) (Expr.bool false)
            becomes "within the type" (lessOrEqual key top) (Expr.bool true)
            keeps "for a read it stays" (Binary(Gt, read, top))
            becomes "the opposite of less or equal" (Unary(Not, lessOrEqual key query)) (Binary(Lt, query, key))
            becomes
                "offsets move to the literal"
                (Binary(Eq, Binary(Add, key, Expr.int 3), Expr.int 1))
                (Binary(Eq, key, Expr.int -2))
            becomes
                "or out of a difference"
                (Binary(Eq, Binary(Sub, Expr.int 5, key), Expr.int 3))
                (Binary(Eq, key, Expr.int 2))
            keeps "but not past an order, for it could wrap" (lessOrEqual (Binary(Add, key, Expr.int 3)) (Expr.int 1))
            becomes "a difference of 0" (Binary(Ne, Binary(Sub, key, query), Expr.int 0)) (Binary(Ne, key, query))
            becomes "a bool with true" (Binary(Eq, Expr.bool true, flag)) flag
            becomes "a bool with false" (Binary(Eq, flag, Expr.bool false)) (Unary(Not, flag))
        ]

let private conversions =
    testList
        "conversions"
        [
            becomes "to its own type" (Convert(Int, key)) key
            becomes "there and back" (Convert(Int, Convert(Long, key))) key
            becomes "truncations compose" (Convert(UInt, Convert(Int, far))) (Convert(UInt, far))
            keeps "a zero extension stays" (Convert(Long, Convert(UInt, key)))
            keeps "before a rounding too" (Convert(Float, Convert(UInt, key)))
            becomes "an index needs no widening" (TableRead("document", IntElement, Convert(Long, key))) read
            keeps "a uint's does" (TableRead("document", IntElement, Convert(Long, bits)))
        ]

let private locals =
    let local name = Local(name, Int)
    let product = Binary(Mul, key, query)
    let using name body = Let(name, product, body)
    let square name = Binary(Mul, local name, local name)

    testList
        "locals"
        [
            becomes "a leaf is no local" (Let("x", key, square "x")) (Binary(Mul, key, key))
            becomes "read once" (using "x" (Unary(Abs, local "x"))) (Unary(Abs, product))
            keeps "read twice" (using "x" (square "x"))
            becomes "read never" (using "x" key) key
            keeps "a read that nobody uses" (Let("x", read, key))
            becomes
                "a read used once, where it is reached"
                (Let("x", read, Binary(Mul, local "x", key)))
                (Binary(Mul, read, key))
            keeps "not where it might not be" (Let("x", read, Select(flag, local "x", key)))
            keeps "nor behind &&" (Let("x", read, Binary(And, flag, Binary(Eq, local "x", Expr.int 3))))
            becomes
                "what cannot fault goes there too"
                (using "x" (Select(flag, local "x", key)))
                (Select(flag, product, key))
            becomes
                "nor by way of another local"
                (Let("x", read, Let("y", Binary(Add, local "x", query), Select(flag, local "y", key))))
                (Let("y", Binary(Add, read, query), Select(flag, local "y", key)))
            becomes "a chain that nobody reads" (using "x" (Let("y", square "x", Let("z", square "y", key)))) key
            becomes
                "names that repeat are told apart"
                (Binary(Add, using "x" (square "x"), Let("x", Unary(Abs, key), square "x")))
                (Binary(Add, using "x" (square "x"), Let("x_2", Unary(Abs, key), square "x_2")))
        ]

/// Time and size stay in proportion on the trees that are exponential without their locals.
let private large =
    let doubling depth =
        let rec go count inner =
            if count = 0 then
                Binary(Mul, Local(inner, Int), key)
            else
                let name = "x" + string<int> count
                Let(name, Binary(Mul, Local(inner, Int), Local(inner, Int)), go (count - 1) name)

        Let("x", Binary(Mul, key, query), go depth "x")

    let negations depth =
        List.init depth id
        |> List.fold
            (fun inner at ->
                Unary(Not, Binary((if at % 2 = 0 then And else Or), Scalar("f" + string<int> at, Bool), inner)))
            flag

    let quick name expr =
        test name {
            let watch = Diagnostics.Stopwatch.StartNew()
            let simple = Simplify.expression expr
            Expect.isLessThanOrEqual (Expr.size simple) (Expr.size expr) "size"
            Expect.isLessThan watch.Elapsed.TotalSeconds 5.0 "seconds"
        }

    testList
        "large"
        [
            quick "locals that double" (doubling 400)
            quick "negations" (negations 400)
            quick
                "a long sum"
                (List.fold (fun sum at -> Binary(Add, sum, Binary(Mul, key, Expr.int at))) query [ 1..1000 ])
            quick
                "a conjunction nested to the right"
                (List.foldBack
                    (fun at rest -> Binary(And, lessOrEqual key (Binary(Add, query, Expr.int at)), rest))
                    [ 1..800 ]
                    flag)
        ]

[<Tests>]
let tests =
    testList "Simplify" [ properties; integers; floats; bools; comparisons; conversions; locals; large ]
