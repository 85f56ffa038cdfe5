module FlashGen.Tests.Dsl.IntervalTests

open System
open Expecto
open FsCheck.FSharp
open FlashGen.Dsl
open FlashGen.Tests.Property
open FlashGen.Tests.Dsl.Arbitrary
open FlashGen.Tests.Dsl.Worlds

/// The smallest box that holds some worlds; its integers `slack` wider.
let private boxOf slack (worlds: World list) =
    let hull literals =
        literals |> Seq.map Range.ofLiteral |> Seq.reduce Range.join

    let widened scalarType range =
        match range, Range.ofType scalarType with
        | IntegerRange(low, high), IntegerRange(least, most) ->
            IntegerRange(
                (if low < least + slack then least else low - slack),
                (if high > most - slack then most else high + slack)
            )
        | _ -> range

    let types = Map.ofList scalars

    let hulls keys scalarType values =
        Map.ofList
            [
                for key in keys -> key, widened (scalarType key) (hull (List.map (values key) worlds))
            ]

    let lengths =
        Map.ofList
            [
                for name, _ in tables -> name, hull [ for world in worlds -> IntLiteral world.Tables.[name].Length ]
            ]

    let elements =
        Map.ofList
            [
                for name, _ in tables do
                    match
                        [
                            for world in worlds do
                                yield! world.Tables.[name]
                        ]
                    with
                    | [] -> ()
                    | values -> name, hull values
            ]

    {
        Fields = hulls fields (fun _ -> Int) (fun field world -> IntLiteral world.Fields.[field])
        Score = hull [ for world in worlds -> world.Score ]
        Scalars =
            hulls (List.map fst scalars) (fun name -> Map.find name types) (fun name world -> world.Scalars.[name])
        Tables = elements
        Lengths = lengths
        Locals = Map.empty
    }

let private holds box expr world =
    match outcome world expr with
    | Value value ->
        let range = Interval.expression box expr

        if not (Range.contains value range) then
            failtestf "%A is %A, outside %A" expr value range
    | Fault ->
        if Interval.cannotFaultIn box expr then
            failtestf "%A faults" expr

/// Integers and bools of one world, without reads: nothing is unknown, so nothing may be.
let private isPlain expr =
    not (
        expr
        |> Expr.exists (fun node ->
            match node with
            | TableRead _ -> true
            | _ -> Expr.typeOf node = Float)
    )

/// Numbers chosen by conditions on the very leaves that they are made of: what a condition bounds matters here.
let private guarded =
    let leaf =
        Gen.elements
            [
                Position Key
                Position QueryPosition
                Scalar("window", Int)
                TableLength "document"
            ]

    let small = Gen.map Expr.int (Gen.choose (-9, 9))

    let rec condition depth =
        let comparison =
            gen {
                let! op = Gen.elements [ Eq; Ne; Lt; Le; Gt; Ge ]
                let! left, right = Gen.two (Gen.frequency [ 3, leaf; 2, small ])
                return Binary(op, left, right)
            }

        if depth = 0 then
            comparison
        else
            Gen.oneof
                [
                    comparison
                    Gen.constant (Scalar("flag", Bool))
                    gen {
                        let! op = Gen.elements [ And; Or ]
                        let! left, right = Gen.two (condition (depth - 1))
                        return Binary(op, left, right)
                    }
                    Gen.map (fun inner -> Unary(Not, inner)) (condition (depth - 1))
                ]

    let rec number depth =
        if depth = 0 then
            leaf
        else
            gen {
                let! condition = condition 2
                let! ifTrue, ifFalse = Gen.two (number (depth - 1))
                let! divisor = leaf
                let! op = Gen.elements [ Add; Sub; Div ]
                return Select(condition, Binary(op, ifTrue, divisor), ifFalse)
            }

    Arb.fromGen (number 2)

let private properties =
    testList
        "property"
        [
            property
                "no value lies outside, of a box that some worlds span"
                3000
                (inWorlds expression)
                (fun (expr, worlds) ->
                    let box = boxOf 0L worlds
                    List.iter (holds box expr) worlds)
            property "nor of smaller ones" 1500 (inWorlds expression) (fun (expr, worlds) ->
                for some in List.windowed (min 3 worlds.Length) worlds do
                    let box = boxOf 3L some
                    List.iter (holds box expr) some)
            property "nor where conditions bound the leaves" 3000 (inWorlds guarded) (fun (expr, worlds) ->
                for some in List.windowed (min 2 worlds.Length) worlds do
                    let box = boxOf 0L some
                    List.iter (holds box expr) some)
            property "nor of all calls" 1000 (inWorlds expression) (fun (expr, worlds) ->
                List.iter (holds Interval.positions expr) worlds)
            property "where all is known, integers are" 2000 (inWorlds expression) (fun (expr, worlds) ->
                if isPlain expr then
                    for world in worlds do
                        match outcome world expr with
                        | Value value ->
                            Expect.equal
                                (Interval.expression (boxOf 0L [ world ]) expr)
                                (Range.ofLiteral value)
                                "exact"
                        | Fault -> ())
        ]

let private key = Position Key
let private query = Position QueryPosition
let private window = Scalar("window", Int)
let private far = Scalar("far", Long)
let private bits = Scalar("bits", UInt)
let private gain = Scalar("gain", Float)
let private minus left right = Binary(Sub, left, right)

/// A tile: queries 100 to 163, keys 64 to 127.
let private tile =
    { Interval.positions with
        Fields = Map [ QueryPosition, IntegerRange(100L, 163L); Key, IntegerRange(64L, 127L) ]
    }

let private gives name box expr expected =
    test name { Expect.equal (Interval.expression box expr) expected name }

let private yes = BoolRange(true, false)
let private no = BoolRange(false, true)
let private maybe = BoolRange(true, true)
let private whole = IntegerRange(int64 Int32.MinValue, int64 Int32.MaxValue)

let private integers =
    let between low high = IntegerRange(low, high)

    let windowIn low high =
        { tile with
            Scalars = Map [ "window", between low high ]
        }

    testList
        "integers"
        [
            gives "a distance" tile (minus query key) (between -27L 99L)
            gives "its magnitude" tile (Unary(Abs, minus query key)) (between 0L 99L)
            gives "an affine form" tile (Binary(Add, Binary(Mul, key, Expr.int -2), query)) (between -154L 35L)
            gives
                "distances never wrap in any call"
                Interval.positions
                (minus query key)
                (between (-(1L <<< 31) + 1L) ((1L <<< 31) - 2L))
            gives "a sum that may wrap is unknown" Interval.positions (Binary(Add, query, key)) whole
            gives
                "in 64 bits it does not"
                Interval.positions
                (Binary(Add, Convert(Long, query), Convert(Long, key)))
                (between (-(1L <<< 30)) ((1L <<< 31) + (1L <<< 30) - 3L))
            gives
                "nor do table rows"
                Interval.positions
                (Binary(
                    Add,
                    Binary(Mul, Convert(Long, Position Batch), Convert(Long, Position KeyExtent)),
                    Convert(Long, key)
                ))
                (between 0L (((1L <<< 30) - 1L) * ((1L <<< 30) - 1L) + (1L <<< 30) - 1L))
            gives "the negative of the smallest" (windowIn (int64 Int32.MinValue) 0L) (Unary(Negate, window)) whole
            gives "longs wrap too" Interval.positions (Binary(Add, far, Expr.long 1L)) (Range.ofType Long)
            gives "a quotient" tile (Binary(Div, key, Expr.int 32)) (between 2L 3L)
            gives "of negatives, truncated" (windowIn -7L -5L) (Binary(Div, window, Expr.int 2)) (between -3L -2L)
            gives "by a divisor on both sides of 0" (windowIn -2L 4L) (Binary(Div, key, window)) (between -127L 127L)
            gives "a remainder in one period" tile (Binary(Rem, key, Expr.int 128)) (between 64L 127L)
            gives "in more" tile (Binary(Rem, key, Expr.int 48)) (between 0L 47L)
            gives "of either sign" (windowIn -3L 90L) (Binary(Rem, window, Expr.int 48)) (between -3L 47L)
            gives "low bits in one period" tile (Binary(BitAnd, key, Expr.int 63)) (between 0L 63L)
            gives "rounding down" tile (Binary(BitAnd, query, Expr.int -32)) (between 96L 160L)
            gives
                "a uint too"
                { tile with
                    Scalars = Map [ "bits", between 100L 163L ]
                }
                (Binary(BitAnd, bits, Literal(UIntLiteral 0xffffffe0u)))
                (between 96L 160L)
            gives "bits of any number" Interval.positions (Binary(BitAnd, window, Expr.int 255)) (between 0L 255L)
            gives "either of two" tile (Binary(BitOr, key, query)) (between 100L 255L)
            gives "shifts" tile (Binary(Shr, key, Expr.int 5)) (between 2L 3L)
            gives "shifts to the left" tile (Binary(Shl, key, Expr.int 3)) (between 512L 1016L)
            gives "that wrap" tile (Binary(Shl, key, Expr.int 28)) whole
            gives "zeros from the left" (windowIn -5L 5L) (Binary(UShr, window, Expr.int 28)) (between 0L 15L)
            gives "a bound" tile (Binary(Min, key, query)) (between 64L 127L)
            gives "to a float" tile (Convert(Float, key)) (FloatRange(64.0f, 127.0f, false))
            gives
                "from a negative to a uint"
                (windowIn -5L -1L)
                (Convert(UInt, window))
                (between 4294967291L 4294967295L)
            gives "a byte" Interval.positions (TableRead("bytes", ByteElement, key)) (between 0L 255L)
        ]

let private bools =
    let right distance = minus key (Expr.int distance)

    testList
        "bools"
        [
            gives "causal, a partial tile" tile Mask.causal maybe
            gives "a full one" tile (Binary(Le, right 27, query)) yes
            gives "one element short of it" tile (Binary(Le, right 26, query)) maybe
            gives "an empty one" tile (Binary(Lt, query, right 28)) no
            gives "equality of ranges apart" tile (Binary(Eq, key, Expr.int 200)) no
            gives "of one value" tile (Binary(Eq, Expr.int 4, Expr.int 4)) yes
            gives "a part that fails decides" tile (Binary(And, Scalar("flag", Bool), Binary(Lt, key, Expr.int 64))) no
            gives "one that holds does not" tile (Binary(And, Scalar("flag", Bool), Binary(Ge, key, Expr.int 64))) maybe
            gives "or" tile (Binary(Or, Scalar("flag", Bool), Binary(Ge, key, Expr.int 64))) yes
            gives
                "the left side bounds the right"
                tile
                (Binary(And, Binary(Le, key, Expr.int 80), Binary(Lt, Expr.int 80, key)))
                no
            gives
                "and the right of or"
                tile
                (Binary(Or, Binary(Le, key, Expr.int 80), Binary(Gt, key, Expr.int 80)))
                yes
            gives
                "a condition bounds its branch"
                tile
                (Select(Binary(Lt, key, Expr.int 70), key, Expr.int 66))
                (IntegerRange(64L, 69L))
            gives
                "where one of two fails, neither is bound"
                tile
                (Select(Binary(And, Binary(Lt, key, Expr.int 70), Scalar("flag", Bool)), Expr.int 64, key))
                (IntegerRange(64L, 127L))
            gives
                "on the right side too"
                tile
                (Select(Binary(Gt, Expr.int 70, key), key, Expr.int 64))
                (IntegerRange(64L, 69L))
            gives
                "through a negation"
                tile
                (Select(Unary(Not, Binary(Lt, key, Expr.int 70)), key, Expr.int 127))
                (IntegerRange(70L, 127L))
            gives
                "a local bounds nothing outside its scope"
                { tile with
                    Locals = Map [ "x", IntegerRange(0L, 9L) ]
                }
                (Binary(
                    And,
                    Let("x", key, Binary(Gt, Local("x", Int), Expr.int 100)),
                    Binary(Gt, Local("x", Int), Expr.int 9)
                ))
                no
        ]

let private floats =
    let number low high = FloatRange(low, high, false)
    let orNaN low high = FloatRange(low, high, true)

    let scoreIn range =
        { Interval.positions with
            Score = range
        }

    let plus left right = Binary(Add, left, right)

    testList
        "floats"
        [
            gives "sums" (scoreIn (number -1.0f 2.0f)) (plus Score Score) (number -2.0f 4.0f)
            gives "infinities of one sign" (scoreIn (number 1.0f infinityf)) (plus Score Score) (number 2.0f infinityf)
            gives "of both" (scoreIn (number -infinityf infinityf)) (plus Score Score) (orNaN -infinityf infinityf)
            gives "overflow" (scoreIn (number 3e38f 3e38f)) (plus Score Score) (number infinityf infinityf)
            gives
                "0 times infinity"
                (scoreIn (number 0.0f 1.0f))
                (Binary(Mul, Score, Expr.float infinityf))
                (orNaN 0.0f infinityf)
            gives
                "division by what may be 0"
                (scoreIn (number 0.0f 1.0f))
                (Binary(Div, Expr.float 1.0f, Score))
                (number -infinityf infinityf)
            gives
                "by what is not"
                (scoreIn (number 2.0f 4.0f))
                (Binary(Div, Expr.float 1.0f, Score))
                (number 0.25f 0.5f)
            gives "a root" (scoreIn (number 4.0f 9.0f)) (Unary(Sqrt, Score)) (number 2.0f 3.0f)
            gives "of negatives too" (scoreIn (number -1.0f 9.0f)) (Unary(Sqrt, Score)) (orNaN 0.0f 3.0f)
            gives "of negatives only" (scoreIn (number -2.0f -1.0f)) (Unary(Sqrt, Score)) Range.nanOnly
            gives "a bounded function" (scoreIn Range.anyFloat) (Unary(Tanh, Score)) (orNaN -1.0f 1.0f)
            gives "NaN is not less" (scoreIn Range.nanOnly) (Binary(Lt, Score, gain)) no
            gives "and differs" (scoreIn Range.nanOnly) (Binary(Ne, Score, Score)) yes
            gives "zeros are equal" (scoreIn (number 0.0f 0.0f)) (Binary(Eq, Score, Expr.float -0.0f)) yes
            gives
                "to int, saturating"
                (scoreIn (orNaN 1e20f infinityf))
                (Convert(Int, Score))
                (IntegerRange(0L, int64 Int32.MaxValue))
        ]

let private faults =
    let cannot name expr =
        test name { Expect.isTrue (Interval.cannotFault expr) name }

    let may name expr =
        test name { Expect.isFalse (Interval.cannotFault expr) name }

    let by divisor = Binary(Div, key, divisor)

    testList
        "faults"
        [
            cannot "division by a literal" (by (Expr.int 7))
            may "by a scalar" (by window)
            cannot "by one that is not 0" (Select(Binary(Gt, window, Expr.int 0), by window, Expr.int 0))
            may "by one that is not negative" (Select(Binary(Ge, window, Expr.int 0), by window, Expr.int 0))
            cannot "by a length and one" (by (Binary(Add, Position KeyLength, Expr.int 1)))
            cannot "guarded by &&" (Binary(And, Binary(Lt, window, Expr.int 0), Binary(Eq, by window, Expr.int 3)))
            cannot "float division by 0" (Binary(Div, Score, Expr.float 0.0f))
            may "a read" (TableRead("document", IntElement, Expr.int 0))
            cannot
                "a read that is not reached"
                (Binary(
                    And,
                    Binary(Lt, key, Expr.int 0),
                    Binary(Eq, TableRead("document", IntElement, key), Expr.int 0)
                ))
        ]

[<Tests>]
let tests = testList "Interval" [ properties; integers; bools; floats; faults ]
