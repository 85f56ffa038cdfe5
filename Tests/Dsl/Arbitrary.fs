/// Random well-typed expressions of the whole language, and worlds to evaluate them in.
module FlashGen.Tests.Dsl.Arbitrary

open System
open FsCheck
open FsCheck.FSharp
open FlashGen.Dsl

let scalarTypes = [ Bool; Int; UInt; Long; Float ]

let fields =
    [
        Batch
        Head
        KeyHead
        Query
        QueryPosition
        Key
        QueryLength
        KeyLength
        KeyExtent
        QueryHeads
    ]

/// The run-time scalars and tables that random expressions use.
let scalars =
    [ "flag", Bool; "window", Int; "bits", UInt; "far", Long; "gain", Float ]

let tables =
    [
        "present", BoolElement
        "bytes", ByteElement
        "document", IntElement
        "hashes", UIntElement
        "offsets", LongElement
        "slopes", FloatElement
    ]

let private interestingFloats =
    [
        0.0f
        -0.0f
        1.0f
        -1.0f
        0.5f
        2.0f
        -3.0f
        0.1f
        1e10f
        -3e9f
        16777217.0f
        Single.Epsilon
        -1e-39f
        Single.MaxValue
        Single.MinValue
        infinityf
        -infinityf
        nanf
    ]

/// Numbers near the edges of their type, small ones, and any.
let literal scalarType =
    match scalarType with
    | Bool -> Gen.map BoolLiteral (Gen.elements [ true; false ])
    | Int ->
        Gen.frequency
            [
                2, Gen.choose (-1, 1)
                3, Gen.choose (-9, 9)
                2, Gen.elements [ Int32.MinValue; Int32.MinValue + 1; Int32.MaxValue; 31; 32; 33; 64; -64 ]
                1, Gen.choose (Int32.MinValue, Int32.MaxValue)
            ]
        |> Gen.map IntLiteral
    | UInt ->
        Gen.frequency
            [
                2, Gen.map uint32 (Gen.choose (0, 1))
                3, Gen.map uint32 (Gen.choose (0, 9))
                2, Gen.elements [ UInt32.MaxValue; UInt32.MaxValue - 1u; 0x80000000u; 0x7fffffffu ]
                1, Gen.map uint32 (Gen.choose (Int32.MinValue, Int32.MaxValue))
            ]
        |> Gen.map UIntLiteral
    | Long ->
        Gen.frequency
            [
                2, Gen.map int64 (Gen.choose (-1, 1))
                3, Gen.map int64 (Gen.choose (-9, 9))
                2, Gen.elements [ Int64.MinValue; Int64.MinValue + 1L; Int64.MaxValue; 1L <<< 32; -(1L <<< 31) ]
                1,
                Gen.map2
                    (fun high low -> (int64 high <<< 32) ^^^ int64 low)
                    (Gen.choose (Int32.MinValue, Int32.MaxValue))
                    (Gen.choose (Int32.MinValue, Int32.MaxValue))
            ]
        |> Gen.map LongLiteral
    | Float ->
        Gen.frequency
            [
                4, Gen.elements interestingFloats
                2, Gen.map (fun n -> float32 n / 4.0f) (Gen.choose (-40, 40))
                1, Gen.map BitConverter.Int32BitsToSingle (Gen.choose (Int32.MinValue, Int32.MaxValue))
            ]
        |> Gen.map Literal.ofFloat

let private integerTypes = [ Int; UInt; Long ]
let private numberTypes = [ Int; UInt; Long; Float ]

let private unaryOps scalarType =
    match scalarType with
    | Bool -> [ Not ]
    | Int
    | Long -> [ Negate; Complement; Abs ]
    | UInt -> [ Complement; Abs ]
    | Float ->
        [
            Negate
            Abs
            Sqrt
            Floor
            Ceiling
            Round
            Truncate
            Exp
            Exp2
            Log
            Log2
            Log10
            Sin
            Cos
            Tan
            Asin
            Acos
            Atan
            Sinh
            Cosh
            Tanh
            TanhApproximate
            Cbrt
        ]

/// Operations of two operands of the type that give the type.
let private closedOps scalarType =
    match scalarType with
    | Bool -> [ And; Or; And; Or; BitAnd; BitOr; BitXor; Eq; Ne ]
    | Float -> [ Add; Sub; Mul; Div; Rem; Min; Max; Pow; Atan2; Add; Sub; Mul; Div ]
    | _ -> [ Add; Sub; Mul; Div; Rem; Min; Max; BitAnd; BitOr; BitXor; Add; Sub ]

/// Expressions of one type, of about `size` nodes, over the locals in scope; names of locals may repeat and hide each other.
let rec private sized scope size scalarType : Gen<Expr> =
    // Delayed: every choice names generators, and only the one chosen is built.
    Gen.constant () |> Gen.bind (fun () -> choices scope size scalarType)

and private choices scope size scalarType =
    let leaf =
        Gen.frequency
            [
                3, Gen.map Literal (literal scalarType)
                let locals = scope |> List.filter (fun (_, t) -> t = scalarType)

                if not locals.IsEmpty then
                    4, Gen.map Local (Gen.elements locals)

                1, Gen.map Scalar (Gen.elements (scalars |> List.filter (fun (_, t) -> t = scalarType)))

                match scalarType with
                | Int ->
                    3, Gen.map Position (Gen.elements fields)
                    1, Gen.map (fst >> TableLength) (Gen.elements tables)
                | Float -> 2, Gen.constant Score
                | _ -> ()
            ]

    if size <= 1 then
        leaf
    else
        let half = sized scope (size / 2)

        Gen.frequency
            [
                2, leaf
                4,
                Gen.map2
                    (fun op operand -> Unary(op, operand))
                    (Gen.elements (unaryOps scalarType))
                    (sized scope (size - 1) scalarType)
                8,
                Gen.map3
                    (fun op left right -> Binary(op, left, right))
                    (Gen.elements (closedOps scalarType))
                    (half scalarType)
                    (half scalarType)
                // Rules look for equal operands, and for literals beside a variable.
                1,
                Gen.map2 (fun op both -> Binary(op, both, both)) (Gen.elements (closedOps scalarType)) (half scalarType)
                3,
                Gen.map3
                    (fun op left right -> Binary(op, left, Literal right))
                    (Gen.elements (closedOps scalarType))
                    (half scalarType)
                    (literal scalarType)
                2,
                Gen.map3
                    (fun op left right -> Binary(op, Literal left, right))
                    (Gen.elements (closedOps scalarType))
                    (literal scalarType)
                    (half scalarType)
                2,
                Gen.map3
                    (fun c a b -> Select(c, a, b))
                    (sized scope (size / 3) Bool)
                    (sized scope (size / 3) scalarType)
                    (sized scope (size / 3) scalarType)
                3,
                gen {
                    let! name = Gen.elements [ "a"; "b"; "c"; "d" ]
                    let! bound = Gen.elements scalarTypes
                    let! value = half bound

                    let! body =
                        sized
                            ((name, bound) :: List.filter (fun (other, _) -> other <> name) scope)
                            (size / 2)
                            scalarType

                    return Let(name, value, body)
                }

                let matching =
                    tables
                    |> List.filter (fun (_, element) -> Expr.elementType element = scalarType)

                1,
                gen {
                    let! table, element = Gen.elements matching
                    let! index = Gen.elements [ Int; Int; Long ]
                    let! index = sized scope (size - 1) index
                    return TableRead(table, element, index)
                }

                if scalarType = Bool then
                    8,
                    gen {
                        let! operands = Gen.elements numberTypes
                        let! op = Gen.elements [ Eq; Ne; Lt; Le; Gt; Ge ]
                        let! left = half operands

                        let! right =
                            Gen.frequency
                                [
                                    5, half operands
                                    3, Gen.map Literal (literal operands)
                                    1, Gen.constant left
                                ]

                        return Binary(op, left, right)
                    }
                else
                    2,
                    gen {
                        let! source = Gen.elements numberTypes
                        let! operand = sized scope (size - 1) source
                        return Convert(scalarType, operand)
                    }

                    1,
                    gen {
                        let! source, middle = Gen.two (Gen.elements numberTypes)
                        let! operand = sized scope (size - 1) source
                        return Convert(scalarType, Convert(middle, operand))
                    }

                if List.contains scalarType integerTypes then
                    2,
                    Gen.map3
                        (fun op left count -> Binary(op, left, count))
                        (Gen.elements [ Shl; Shr; UShr ])
                        (half scalarType)
                        (half Int)
            ]

/// Every local its own name, as a mod's parser gives them.
let uniqueLocals expr =
    let mutable count = 0

    let rec go names expr =
        match expr with
        | Local(name, scalarType) -> Local(Map.find name names, scalarType)
        | Let(name, value, body) ->
            let value = go names value
            count <- count + 1
            let unique = "x" + string<int> count
            Let(unique, value, go (Map.add name unique names) body)
        | _ -> Expr.map (go names) expr

    go Map.empty expr

let private isClosed expr =
    let rec go bound expr =
        match expr with
        | Local(name, _) -> Set.contains name bound
        | Let(name, value, body) -> go bound value && go (Set.add name bound) body
        | _ -> List.forall (go bound) (Expr.children expr)

    go Set.empty expr

/// The same node with one child made smaller.
let rec private smaller expr : Expr seq =
    let scalarType = Expr.typeOf expr
    let children = Expr.children expr

    let simplest =
        match scalarType with
        | Bool -> Expr.bool true
        | Float -> Expr.float 1.0f
        | _ -> Literal(Evaluate.convert scalarType (IntLiteral 1))

    let replaced index child =
        let mutable at = -1

        expr
        |> Expr.map (fun old ->
            at <- at + 1
            if at = index then child else old)

    seq {
        if not children.IsEmpty then
            yield simplest
            yield! children |> List.filter (fun child -> Expr.typeOf child = scalarType)

            for index, child in List.indexed children do
                yield! smaller child |> Seq.map (replaced index)
    }

let private arbitraryOf generator =
    Arb.fromGenShrink (generator, (fun expr -> smaller expr |> Seq.filter isClosed))

/// Small ones are where a rule stands alone.
let private nodes = Gen.frequency [ 2, Gen.choose (1, 9); 1, Gen.choose (10, 60) ]

/// A closed expression of one of the types; now and then with names of locals that repeat.
let ofType scalarType =
    nodes
    |> Gen.bind (fun size -> sized [] size scalarType)
    |> Gen.bind (fun expr -> Gen.frequency [ 4, Gen.constant (uniqueLocals expr); 1, Gen.constant expr ])

let expression = Gen.elements scalarTypes |> Gen.bind ofType |> arbitraryOf
