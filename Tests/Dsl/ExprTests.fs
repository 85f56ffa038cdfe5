module FlashGen.Tests.Dsl.ExprTests

open System
open Expecto
open FsCheck.FSharp
open FlashGen.Dsl
open FlashGen.Tests.Property
open FlashGen.Tests.Dsl.Arbitrary
open FlashGen.Tests.Dsl.Worlds

let private key = Position Key
let private query = Position QueryPosition
let private uint value = Literal(UIntLiteral value)
let private minInt = Expr.int Int32.MinValue
let private minLong = Expr.long Int64.MinValue
let private zero = Expr.float 0.0f
let private minusZero = Expr.float -0.0f
let private nan = Expr.float nanf

let private gives name expr expected =
    test name { Expect.equal (Literal(Evaluate.expression Environment.empty expr)) expected name }

let private faults name expr =
    test name { Expect.throwsT<ExpressionFault> (fun () -> Evaluate.expression Environment.empty expr |> ignore) name }

/// Each line is what C# prints for it.
let private integers =
    let binary op left right = Binary(op, left, right)

    testList
        "integers"
        [
            gives "int.MaxValue + 1" (binary Add (Expr.int Int32.MaxValue) (Expr.int 1)) minInt
            gives "0u - 1u" (binary Sub (uint 0u) (uint 1u)) (uint UInt32.MaxValue)
            gives "long.MinValue - 1" (binary Sub minLong (Expr.long 1L)) (Expr.long Int64.MaxValue)
            gives "65536 * 65537" (binary Mul (Expr.int 65536) (Expr.int 65537)) (Expr.int 65536)
            gives "-int.MinValue" (Unary(Negate, minInt)) minInt
            gives "-7 / 2" (binary Div (Expr.int -7) (Expr.int 2)) (Expr.int -3)
            gives "7 / -2" (binary Div (Expr.int 7) (Expr.int -2)) (Expr.int -3)
            gives "-7 % 2" (binary Rem (Expr.int -7) (Expr.int 2)) (Expr.int -1)
            gives "7 % -2" (binary Rem (Expr.int 7) (Expr.int -2)) (Expr.int 1)
            gives "-7L % 4L" (binary Rem (Expr.long -7L) (Expr.long 4L)) (Expr.long -3L)
            gives "4294967295u / 2u" (binary Div (uint UInt32.MaxValue) (uint 2u)) (uint 2147483647u)
            gives "int.MinValue / -1 wraps" (binary Div minInt (Expr.int -1)) minInt
            gives "int.MinValue % -1" (binary Rem minInt (Expr.int -1)) (Expr.int 0)
            gives "long.MinValue / -1 wraps" (binary Div minLong (Expr.long -1L)) minLong
            gives "1 << 33" (binary Shl (Expr.int 1) (Expr.int 33)) (Expr.int 2)
            gives "1 << -1" (binary Shl (Expr.int 1) (Expr.int -1)) minInt
            gives "1L << 65" (binary Shl (Expr.long 1L) (Expr.int 65)) (Expr.long 2L)
            gives "1L << 33" (binary Shl (Expr.long 1L) (Expr.int 33)) (Expr.long 8589934592L)
            gives "1u << 31" (binary Shl (uint 1u) (Expr.int 31)) (uint 2147483648u)
            gives "-8 >> 1" (binary Shr (Expr.int -8) (Expr.int 1)) (Expr.int -4)
            gives "-8 >>> 28" (binary UShr (Expr.int -8) (Expr.int 28)) (Expr.int 15)
            gives "-8 >>> 0" (binary UShr (Expr.int -8) (Expr.int 32)) (Expr.int -8)
            gives "-1L >>> 60" (binary UShr (Expr.long -1L) (Expr.int 60)) (Expr.long 15L)
            gives "4294967288u >> 28" (binary Shr (uint 4294967288u) (Expr.int 28)) (uint 15u)
            gives "~5" (Unary(Complement, Expr.int 5)) (Expr.int -6)
            gives "~5u" (Unary(Complement, uint 5u)) (uint 4294967290u)
            gives "-6 & 255" (binary BitAnd (Expr.int -6) (Expr.int 255)) (Expr.int 250)
            gives "-6 ^ 255" (binary BitXor (Expr.int -6) (Expr.int 255)) (Expr.int -251)
            gives "4294967295u > 1u" (binary Gt (uint UInt32.MaxValue) (uint 1u)) (Expr.bool true)
            faults "1 / 0" (binary Div (Expr.int 1) (Expr.int 0))
            faults "1u % 0u" (binary Rem (uint 1u) (uint 0u))
            faults "1L / 0L" (binary Div (Expr.long 1L) (Expr.long 0L))
        ]

let private conversions =
    let toType target operand = Convert(target, operand)

    testList
        "conversions"
        [
            gives "(int)NaN" (toType Int nan) (Expr.int 0)
            gives "(int)3e9f" (toType Int (Expr.float 3e9f)) (Expr.int Int32.MaxValue)
            gives "(int)-3e9f" (toType Int (Expr.float -3e9f)) minInt
            gives "(int)2147483648f" (toType Int (Expr.float 2147483648.0f)) (Expr.int Int32.MaxValue)
            gives "(int)2147483520f" (toType Int (Expr.float 2147483520.0f)) (Expr.int 2147483520)
            gives "(int)-1.9f" (toType Int (Expr.float -1.9f)) (Expr.int -1)
            gives "(uint)-1.5f" (toType UInt (Expr.float -1.5f)) (uint 0u)
            gives "(uint)5e9f" (toType UInt (Expr.float 5e9f)) (uint UInt32.MaxValue)
            gives "(uint)NaN" (toType UInt nan) (uint 0u)
            gives "(long)infinity" (toType Long (Expr.float infinityf)) (Expr.long Int64.MaxValue)
            gives "(long)-infinity" (toType Long (Expr.float -infinityf)) minLong
            gives "(long)3e9f" (toType Long (Expr.float 3e9f)) (Expr.long 3000000000L)
            gives "(float)16777217" (toType Float (Expr.int 16777217)) (Expr.float 16777216.0f)
            gives "(float)16777219" (toType Float (Expr.int 16777219)) (Expr.float 16777220.0f)
            gives "(float)4294967295u" (toType Float (uint UInt32.MaxValue)) (Expr.float 4294967296.0f)
            // Above the middle of two floats, but rounded to double first it would be the middle, and then 2^54.
            gives
                "(float)18014399583223809L"
                (toType Float (Expr.long 18014399583223809L))
                (Expr.float 18014400656965632.0f)
            gives "(uint)-1" (toType UInt (Expr.int -1)) (uint UInt32.MaxValue)
            gives "(int)4294967295u" (toType Int (uint UInt32.MaxValue)) (Expr.int -1)
            gives "(int)(1L << 32)" (toType Int (Expr.long 4294967296L)) (Expr.int 0)
            gives "(long)4294967295u" (toType Long (uint UInt32.MaxValue)) (Expr.long 4294967295L)
            gives "(long)-1" (toType Long (Expr.int -1)) (Expr.long -1L)
            faults "no number from a bool" (toType Int (Expr.bool true))
        ]

let private floats =
    let number value = Expr.float value
    let binary op left right = Binary(op, left, right)

    testList
        "floats"
        [
            gives "0.1f + 0.2f" (binary Add (number 0.1f) (number 0.2f)) (Literal(FloatLiteral 0x3e99999a))
            gives "1e38f * 10" (binary Mul (number 1e38f) (number 10.0f)) (number infinityf)
            gives "1f / 0f" (binary Div (number 1.0f) zero) (number infinityf)
            gives "1f / -0f" (binary Div (number 1.0f) minusZero) (number -infinityf)
            gives "0f / 0f" (binary Div zero zero) nan
            gives "infinity - infinity" (binary Sub (number infinityf) (number infinityf)) nan
            gives "-0f + 0f" (binary Add minusZero zero) zero
            gives "-0f - 0f" (binary Sub minusZero zero) minusZero
            gives "-5.5f % 2f" (binary Rem (number -5.5f) (number 2.0f)) (number -1.5f)
            gives "min(0, -0)" (binary Min zero minusZero) minusZero
            gives "min(-0, 0)" (binary Min minusZero zero) minusZero
            gives "max(0, -0)" (binary Max zero minusZero) zero
            gives "max(-0, 0)" (binary Max minusZero zero) zero
            gives "min(NaN, 1)" (binary Min nan (number 1.0f)) nan
            gives "max(1, NaN)" (binary Max (number 1.0f) nan) nan
            gives "NaN == NaN" (binary Eq nan nan) (Expr.bool false)
            gives "NaN != NaN" (binary Ne nan nan) (Expr.bool true)
            gives "NaN >= 0" (binary Ge nan zero) (Expr.bool false)
            gives "0 == -0" (binary Eq zero minusZero) (Expr.bool true)
            gives "round(2.5)" (Unary(Round, number 2.5f)) (number 2.0f)
            gives "round(-0.3)" (Unary(Round, number -0.3f)) minusZero
            gives "floor(-0.5)" (Unary(Floor, number -0.5f)) (number -1.0f)
            gives "truncate(-1.9)" (Unary(Truncate, number -1.9f)) (number -1.0f)
            gives "sqrt(-1)" (Unary(Sqrt, number -1.0f)) nan
            gives "sqrt(-0)" (Unary(Sqrt, minusZero)) minusZero
            gives "sqrt(2)" (Unary(Sqrt, number 2.0f)) (Literal(FloatLiteral 0x3fb504f3))
            gives "abs(-0)" (Unary(Abs, minusZero)) zero
            gives "-0" (Unary(Negate, zero)) minusZero
            gives "cbrt(NaN)" (Unary(Cbrt, nan)) nan
            gives "cbrt(-0)" (Unary(Cbrt, minusZero)) minusZero
            gives "cbrt(-8)" (Unary(Cbrt, number -8.0f)) (number -2.0f)
            gives "log2(8)" (Unary(Log2, number 8.0f)) (number 3.0f)
            gives "log(0)" (Unary(Log, zero)) (number -infinityf)
            gives "exp2(-149)" (Unary(Exp2, number -149.0f)) (number Single.Epsilon)
            gives "pow(2, 0.5)" (binary Pow (number 2.0f) (number 0.5f)) (Literal(FloatLiteral 0x3fb504f3))
            gives "pow(NaN, 0)" (binary Pow nan zero) (number 1.0f)
            gives "atan2(0, -0)" (binary Atan2 zero minusZero) (number 3.14159274f)
        ]

/// Floats as the runtime's own float arithmetic has them, to the bit; functions that round as they like, to two units.
let private asTheRuntime =
    let toFloat literal =
        match literal with
        | FloatLiteral bits -> Literal.toFloat bits
        | other -> failtestf "%A is no float." other

    // No signalling NaN: of those, pow(1, NaN) is NaN in the runtime, and no arithmetic makes one.
    let quiet (value: float32) =
        if Single.IsNaN value then nanf else value

    let pairs = Gen.map (toFloat >> quiet) (literal Float) |> Gen.two |> Arb.fromGen

    let exact: (BinaryOp * (float32 -> float32 -> float32)) list =
        [
            Add, (fun a b -> a + b)
            Sub, (fun a b -> a - b)
            Mul, (fun a b -> a * b)
            Div, (fun a b -> a / b)
            Rem, (fun a b -> a % b)
            Min, (fun a b -> MathF.Min(a, b))
            Max, (fun a b -> MathF.Max(a, b))
        ]

    let exactUnary: (UnaryOp * (float32 -> float32)) list =
        [
            Negate, (fun a -> -a)
            Abs, MathF.Abs
            Sqrt, MathF.Sqrt
            Floor, MathF.Floor
            Ceiling, MathF.Ceiling
            Round, MathF.Round
            Truncate, MathF.Truncate
        ]

    let rounded: (UnaryOp * (float32 -> float32)) list =
        [
            Exp, MathF.Exp
            Exp2, (fun a -> MathF.Pow(2.0f, a))
            Log, MathF.Log
            Log2, MathF.Log2
            Log10, MathF.Log10
            Sin, MathF.Sin
            Cos, MathF.Cos
            Tan, MathF.Tan
            Asin, MathF.Asin
            Acos, MathF.Acos
            Atan, MathF.Atan
            Sinh, MathF.Sinh
            Cosh, MathF.Cosh
            Tanh, MathF.Tanh
            TanhApproximate, MathF.Tanh
            Cbrt, MathF.Cbrt
        ]

    let bothNaN (a: float32) (b: float32) = Single.IsNaN a && Single.IsNaN b

    let same actual expected =
        bothNaN actual expected
        || BitConverter.SingleToInt32Bits actual = BitConverter.SingleToInt32Bits expected

    let near actual expected =
        bothNaN actual expected
        || actual = expected
        || (actual <= MathF.BitIncrement(MathF.BitIncrement expected)
            && actual >= MathF.BitDecrement(MathF.BitDecrement expected))

    let agrees compare op actual (expected: float32) =
        if not (compare (toFloat actual) expected) then
            failtestf "%A is %A, not %g." op actual expected

    property "floats, as the runtime computes them" 4000 pairs (fun (a, b) ->
        let first, second = Literal.ofFloat a, Literal.ofFloat b

        for op, compute in exact do
            agrees same op (Evaluate.binary op first second) (compute a b)

        for op, compute in exactUnary do
            agrees same op (Evaluate.unary op first) (compute a)

        for op, compute in rounded do
            agrees near op (Evaluate.unary op first) (compute a)

        agrees near Pow (Evaluate.binary Pow first second) (MathF.Pow(a, b))
        agrees near Atan2 (Evaluate.binary Atan2 first second) (MathF.Atan2(a, b))
        Expect.equal (Evaluate.convert Int first) (IntLiteral(int a)) "int"
        Expect.equal (Evaluate.convert UInt first) (UIntLiteral(uint32 a)) "uint"
        Expect.equal (Evaluate.convert Long first) (LongLiteral(int64 a)) "long")

let private reached =
    let division = Binary(Eq, Binary(Div, Expr.int 1, Expr.int 0), Expr.int 1)

    let table =
        { Environment.empty with
            Length = (fun _ -> 3)
            Read = fun _ index -> IntLiteral(int index * 10)
        }

    let read index = TableRead("t", IntElement, index)

    let reads name expr expected =
        test name { Expect.equal (Evaluate.expression table expr) expected name }

    testList
        "what is reached"
        [
            gives "false && 1 / 0 == 1" (Binary(And, Expr.bool false, division)) (Expr.bool false)
            gives "true || 1 / 0 == 1" (Binary(Or, Expr.bool true, division)) (Expr.bool true)
            faults "true && 1 / 0 == 1" (Binary(And, Expr.bool true, division))
            faults "false & 1 / 0 == 1" (Binary(BitAnd, Expr.bool false, division))
            gives
                "true ? 3 : 1 / 0"
                (Select(Expr.bool true, Expr.int 3, Binary(Div, Expr.int 1, Expr.int 0)))
                (Expr.int 3)
            faults "a local that nobody reads" (Let("x", Binary(Div, Expr.int 1, Expr.int 0), Expr.int 3))
            reads "an element" (read (Expr.int 2)) (IntLiteral 20)
            reads "by a long" (read (Expr.long 1L)) (IntLiteral 10)
            reads "a length" (TableLength "t") (IntLiteral 3)
            testList
                "outside"
                [
                    for index in [ Expr.int 3; Expr.int -1; Expr.long 4294967296L ] ->
                        test (Text.printExpr index) {
                            Expect.throwsT<ExpressionFault>
                                (fun () -> Evaluate.expression table (read index) |> ignore)
                                "fault"
                        }
                ]
            gives
                "the inner local of two"
                (Let("x", Expr.int 1, Binary(Add, Let("x", Expr.int 2, Local("x", Int)), Local("x", Int))))
                (Expr.int 3)
        ]

let private shapes =
    let typed name expr expected =
        test name { Expect.equal (Expr.typeOf expr) expected name }

    let varies name expr expected =
        test name { Expect.equal (Expr.dependence expr) expected name }

    let distance = Binary(Sub, query, key)

    testList
        "shape"
        [
            typed "a comparison" (Binary(Lt, Score, zero)) Bool
            typed "a shift" (Binary(Shl, Expr.long 1L, key)) Long
            typed "a byte" (TableRead("bytes", ByteElement, key)) Int
            typed "a choice" (Select(Expr.bool true, uint 1u, uint 2u)) UInt
            typed "a local's body" (Let("x", key, Convert(Float, Local("x", Int)))) Float
            property
                "the type of an expression is the type of its value"
                1500
                (inWorlds expression)
                (fun (expr, worlds) ->
                    for world in worlds do
                        match outcome world expr with
                        | Value value -> Expect.equal (Literal.typeOf value) (Expr.typeOf expr) "type"
                        | Fault -> ())
            varies "a distance" distance Dependence.Both
            varies "of the query" (Binary(Add, query, Position QueryLength)) Dependence.Row
            varies "of the key" (TableRead("document", IntElement, key)) Dependence.Column
            varies "of neither" (Binary(Mul, Position Head, TableLength "slopes")) Dependence.Uniform
            varies "of the score" (Binary(Mul, Score, Convert(Float, key))) (Dependence.Score ||| Dependence.Column)
            varies "through a local" (Let("x", key, Binary(Add, Local("x", Int), Local("x", Int)))) Dependence.Column
            varies "not of a local that it does not read" (Let("x", key, query)) Dependence.Row
            test "a local out of scope" {
                Expect.throwsT<ArgumentException> (fun () -> Expr.dependence (Local("x", Int)) |> ignore) "refused"
            }
            property "inlining locals changes no value" 1000 (inWorlds expression) (fun (expr, worlds) ->
                let inlined = Expr.inlineLocals (uniqueLocals expr)

                for world in worlds do
                    match outcome world expr with
                    | Value value -> Expect.equal (outcome world inlined) (Value value) "value"
                    | Fault -> ())
            test "tables in order of appearance" {
                let read table index = TableRead(table, IntElement, index)

                let expr =
                    Binary(Add, read "b" (read "a" key), Binary(Add, read "c" query, read "b" key))

                Expect.equal (Expr.tables expr) [ "b", IntElement; "a", IntElement; "c", IntElement ] "tables"
            }
            test "a conjunction of nothing" { Expect.equal (Expr.conjunction []) (Expr.bool true) "true" }
            test "of three" {
                let part at = Scalar("f" + string<int> at, Bool)

                Expect.equal
                    (Expr.conjunction [ part 1; part 2; part 3 ])
                    (Binary(And, Binary(And, part 1, part 2), part 3))
                    "left first"
            }
            test "nodes" { Expect.equal (Expr.size (Select(Expr.bool true, distance, key))) 6 "size" }
        ]

[<Tests>]
let tests =
    testList "Expr" [ integers; conversions; floats; asTheRuntime; reached; shapes ]
