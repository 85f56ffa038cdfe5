module FlashGen.Tests.Dsl.CoverageTests

open Expecto
open FsCheck
open FsCheck.FSharp
open FlashGen.Dsl

/// A small attention problem: everything that a tile's kind depends on.
type private Problem =
    {
        Mask: Expr
        QueryLength: int
        KeyLength: int
        Offset: int
        BlockM: int
        BlockN: int
        Tables: Map<string, int list>
        Window: int
    }

let private at = Position
let private number = Expr.int

// ---- Random masks -------------------------------------------------------------------------------------------------

let private small = Gen.choose (-12, 40)

/// Row-only integers: what a bound may be made of.
let private rowValue =
    Gen.oneof
        [
            Gen.constant (at QueryPosition)
            Gen.constant (at Query)
            Gen.map number small
            Gen.constant (Scalar("window", Int))
            Gen.map (fun c -> Binary(Add, at QueryPosition, number c)) small
            Gen.map (fun c -> Binary(Sub, at Query, number c)) small
            Gen.map (fun c -> Binary(Mul, at Query, number c)) (Gen.choose (-3, 3))
            Gen.constant (Binary(Sub, at QueryLength, at Query))
            Gen.constant (Binary(Sub, at KeyLength, number 1))
        ]

let private comparison = Gen.elements [ Lt; Le; Gt; Ge; Eq ]

/// Conjunctions of these are affine: their coverage must be exact.
let private affineAtom =
    Gen.oneof
        [
            Gen.map2 (fun op value -> Binary(op, at Key, value)) comparison rowValue
            Gen.map2 (fun op value -> Binary(op, value, at Key)) comparison rowValue
            Gen.map2 (fun op c -> Binary(op, Binary(Sub, at QueryPosition, at Key), number c)) comparison small
            Gen.map2 (fun op c -> Binary(op, Binary(Sub, at Key, at Query), number c)) comparison small
            // In longs: three times a key may leave int, and then means something else.
            Gen.map2
                (fun op c ->
                    Binary(
                        op,
                        Binary(Mul, Convert(Long, at Key), Expr.long 3L),
                        Convert(Long, Binary(Add, at Query, number c))
                    ))
                comparison
                small
            Gen.map2 (fun op c -> Binary(op, at QueryPosition, number c)) comparison small
            Gen.map (fun n -> Option.get (Mask.tryMask (Chunked n))) (Gen.choose (1, 20))
            Gen.map2
                (fun l r -> Option.get (Mask.tryMask (SlidingWindow(l, r))))
                (Gen.choose (-1, 30))
                (Gen.choose (0, 30))
            Gen.map
                (fun c -> Binary(Le, Unary(Abs, Binary(Sub, at QueryPosition, at Key)), number c))
                (Gen.choose (0, 20))
            Gen.constant Mask.causal
            Gen.map2
                (fun n op -> Binary(op, Binary(Div, at Key, number n), Binary(Div, at Query, number n)))
                (Gen.choose (1, 9))
                comparison
        ]

let private table name index = TableRead(name, IntElement, index)

let private clamped index =
    Binary(Max, number 0, Binary(Min, index, Binary(Sub, TableLength "rows", number 1)))

/// Anything else that a mask may say.
let private anyAtom =
    Gen.frequency
        [
            4, affineAtom
            2, Gen.constant (Option.get (Mask.tryMask PrefixLm))
            2, Gen.constant (Option.get (Mask.tryMask Document))
            1, Gen.constant (Binary(Le, at Key, table "rows" (clamped (at QueryPosition))))
            1,
            Gen.map
                (fun n -> Binary(Eq, Binary(Rem, Binary(Sub, at QueryPosition, at Key), number n), number 0))
                (Gen.choose (1, 5))
            1,
            Gen.map
                (fun w ->
                    Binary(
                        Le,
                        Unary(Abs, Binary(Sub, Binary(Rem, at Query, number w), Binary(Rem, at Key, number w))),
                        number 2
                    ))
                (Gen.choose (1, 9))
            1, Gen.constant (Binary(Ne, Binary(BitAnd, at Key, number 1), Binary(BitAnd, at Query, number 1)))
            1, Gen.constant (Binary(Lt, Convert(Float, at Key), Binary(Mul, Convert(Float, at Query), Expr.float 0.7f)))
        ]

let rec private maskOf atom size =
    if size <= 1 then
        atom
    else
        let half = maskOf atom (size / 2)

        Gen.frequency
            [
                3, atom
                3, Gen.map2 (fun a b -> Binary(And, a, b)) half half
                2, Gen.map2 (fun a b -> Binary(Or, a, b)) half half
                1, Gen.map (fun a -> Unary(Not, a)) half
                1, Gen.map3 (fun c a b -> Select(c, a, b)) half half half
                1,
                Gen.map2
                    (fun value body ->
                        Let("local", value, Binary(And, Binary(Ge, Local("local", Int), number 3), body)))
                    rowValue
                    half
            ]

let private conjunctionOf atom =
    gen {
        let! count = Gen.choose (1, 3)
        let! atoms = Gen.listOfLength count atom
        return Expr.conjunction atoms
    }

let private problemOf mask =
    gen {
        let! mask = mask
        let! queryLength = Gen.choose (1, 45)
        let! keyLength = Gen.choose (0, 60)

        let! offset =
            Gen.oneof [ Gen.constant 0; Gen.constant (keyLength - queryLength); Gen.choose (-30, 30) ]

        let! blockM = Gen.choose (1, 17)
        let! blockN = Gen.choose (1, 23)
        let! window = small
        let! rows = Gen.listOfLength 64 (Gen.choose (-5, 60))
        let! documents = Gen.map List.sort (Gen.listOfLength 128 (Gen.choose (0, 5)))
        let! prefix = Gen.choose (0, 70)

        return
            {
                Mask = mask
                QueryLength = queryLength
                KeyLength = keyLength
                Offset = offset
                BlockM = blockM
                BlockN = blockN
                Window = window
                Tables =
                    Map.ofList
                        [
                            "rows", rows
                            "queryDocument", documents
                            "keyDocument", documents
                            "prefix", [ prefix ]
                        ]
            }
    }

// ---- The oracle: element by element --------------------------------------------------------------------------------

let private environment problem =
    { Environment.empty with
        Field =
            fun field ->
                match field with
                | QueryLength -> problem.QueryLength
                | KeyLength
                | KeyExtent -> problem.KeyLength
                | QueryHeads -> 1
                | _ -> 0
        Scalar = fun _ -> IntLiteral problem.Window
        Length = fun name -> problem.Tables[name].Length
        Read = fun name index -> IntLiteral(List.item (int index) problem.Tables[name])
    }

let private kept problem query key =
    Evaluate.isTrue
        { environment problem with
            Field =
                fun field ->
                    match field with
                    | Query -> query
                    | QueryPosition -> query + problem.Offset
                    | Key -> key
                    | _ -> (environment problem).Field field
        }
        problem.Mask

let private tilesOf problem =
    [
        for m in 0 .. (problem.QueryLength - 1) / problem.BlockM do
            for n in 0 .. (problem.KeyLength - 1) / problem.BlockN do
                let rows =
                    m * problem.BlockM, min ((m + 1) * problem.BlockM) problem.QueryLength - 1

                let keys = n * problem.BlockN, min ((n + 1) * problem.BlockN) problem.KeyLength - 1

                if snd keys >= fst keys then
                    rows, keys
    ]

let private truth problem ((firstRow, lastRow), (firstKey, lastKey)) =
    let values =
        [
            for query in firstRow..lastRow do
                for key in firstKey..lastKey -> kept problem query key
        ]

    if List.forall id values then Full
    elif List.exists id values then Partial
    else Empty

let private kinds coverage problem =
    tilesOf problem
    |> List.map (fun (rows, keys) ->
        (rows, keys), Coverage.tile coverage (environment problem) problem.Offset rows keys, truth problem (rows, keys))

let private sound problem =
    let coverage = Coverage.ofMask problem.Mask

    for place, kind, truth in kinds coverage problem do
        if kind <> Partial && kind <> truth then
            failtestf
                "Tile %A is said to be %A, and is %A.\nCoverage: %A\nProblem: %A"
                place
                kind
                truth
                coverage
                problem

let private exact problem =
    let coverage = Coverage.ofMask problem.Mask

    if not (Coverage.isExact coverage) then
        failtestf "The bounds do not say all of %A.\nCoverage: %A" problem.Mask coverage

    for place, kind, truth in kinds coverage problem do
        if kind <> truth then
            failtestf
                "Tile %A is said to be %A, and is %A.\nCoverage: %A\nProblem: %A"
                place
                kind
                truth
                coverage
                problem

let private property name gen check =
    test name { Check.One(Config.QuickThrowOnFailure.WithMaxTest 600, Prop.forAll (Arb.fromGen gen) check) }

let private hundred mask =
    {
        Mask = mask
        QueryLength = 100
        KeyLength = 100
        Offset = 0
        BlockM = 16
        BlockN = 16
        Window = 0
        Tables = Map.empty
    }

[<Tests>]
let tests =
    testList
        "Coverage"
        [
            property "tiles called empty keep nothing, tiles called full keep all" (problemOf (maskOf anyAtom 8)) sound
            property "of conjunctions of affine atoms the kinds are exact" (problemOf (conjunctionOf affineAtom)) exact

            test "causal is exact, with as many full and partial tiles as the triangle has" {
                let problem = hundred Mask.causal

                let found =
                    kinds (Coverage.ofMask problem.Mask) problem
                    |> List.map (fun (_, kind, _) -> kind)

                let count kind =
                    found |> List.filter ((=) kind) |> List.length

                Expect.equal (count Full, count Partial, count Empty) (21, 7, 21) "full, partial, empty"
            }

            test "a window larger than the sequence keeps everything" {
                let problem =
                    hundred (Option.get (Mask.tryMask (SlidingWindow(System.Int32.MaxValue, System.Int32.MaxValue))))

                exact problem
                Expect.all (kinds (Coverage.ofMask problem.Mask) problem) (fun (_, kind, _) -> kind = Full) "all full"
            }

            test "documents leave tiles of two documents empty" {
                let documents = [ for i in 0..127 -> i / 32 ]

                let problem =
                    { hundred (Option.get (Mask.tryMask Document)) with
                        Tables = Map.ofList [ "queryDocument", documents; "keyDocument", documents ]
                    }

                Expect.all
                    (kinds (Coverage.ofMask problem.Mask) problem)
                    (fun (_, kind, truth) -> kind = truth)
                    "tiles of 16 in documents of 32 are never partial"
            }
        ]
