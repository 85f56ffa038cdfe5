module FlashGen.Tests.Dsl.TextTests

open System
open System.Threading
open Expecto
open FsCheck.FSharp
open FlashGen.Dsl
open FlashGen.Tests.Property
open FlashGen.Tests.Dsl.Arbitrary

let private key = Position Key
let private query = Position QueryPosition

// Random specs.

let private name =
    Gen.frequency
        [
            3, Gen.elements [ "Causal"; "My.Variants.Alibi"; "Outer+Inner"; "_x1" ]
            1,
            Gen.elements
                [
                    ""
                    "two words"
                    "a\"b\\c"
                    "line\nbreak"
                    "Größe"
                    "\ud83d\ude00"
                    "(x)"
                    "$x"
                    "tab\t"
                ]
        ]

let private some values =
    Gen.choose (0, 3) |> Gen.bind (fun count -> Gen.listOfLength count values)

let private modOf scalarType =
    gen {
        let! name = name
        let! readyMade = Gen.elements [ true; false ]

        let! body =
            ofType scalarType
            |> Gen.where (fun body -> scalarType <> Bool || not (Expr.exists ((=) Score) body))

        return
            {
                Name = name
                ReadyMade = readyMade
                Body = body
            }
    }

let private target = Gen.elements [ Simd; Portable; Sm80; Sm90 ]

let private dims =
    gen {
        let! headDim = Gen.choose (1, 256)
        let! valueDim = Gen.elements [ headDim; 64; 128 ]

        return
            {
                HeadDim = headDim
                ValueDim = valueDim
            }
    }

let private argument =
    gen {
        let! name = name

        let! argumentType =
            Gen.oneof
                [
                    Gen.map TableArgument (Gen.elements (List.map snd tables))
                    Gen.map ScalarArgument (Gen.elements scalarTypes)
                    Gen.elements [ BiasStridesArgument; DropoutArgument ]
                ]

        return { Name = name; Type = argumentType }
    }

let private blockSize =
    gen {
        let! target = Gen.optionOf target
        let! sizes = Gen.listOfLength 4 (Gen.choose (0, 256))

        return
            {
                Target = target
                BlockM = sizes.[0]
                BlockN = sizes.[1]
                Warps = sizes.[2]
                Stages = sizes.[3]
            }
    }

let private scale =
    Gen.oneof
        [
            Gen.elements [ DefaultScale; RuntimeScale ]
            literal Float
            |> Gen.map (fun literal ->
                match literal with
                | FloatLiteral bits -> ConstantScale bits
                | _ -> DefaultScale)
        ]

let private spec =
    gen {
        let! name = name
        let! dims = some dims
        let! types = Gen.subListOf [ Float16; BFloat16; Float32; Float64 ]
        let! align = Gen.elements [ BottomRight; TopLeft ]
        let! layout = Gen.elements [ BatchHeadSequence; BatchSequenceHead ]
        let! targets = some target
        let! scale = scale
        let! scores = some (modOf Float)
        let! masks = some (modOf Bool)
        let! flags = Gen.listOfLength 2 (Gen.elements [ true; false ])
        let! blockSizes = some blockSize
        let! arguments = some argument

        return
            {
                Name = name
                Dims = dims
                Types = List.ofSeq types
                Align = align
                Layout = layout
                Targets = targets
                Scale = scale
                Scores = scores
                Masks = masks
                Sink = flags.[0]
                Dropout = flags.[1]
                BlockSizes = blockSizes
                Arguments = arguments
            }
    }

let private specs = Arb.fromGen spec

/// Causal ALiBi with a window, as its attributes and one method would give it.
let private example =
    {
        Name = "My.Variants.Alibi"
        Dims = [ { HeadDim = 64; ValueDim = 64 }; { HeadDim = 192; ValueDim = 128 } ]
        Types = [ Float32; Float16 ]
        Align = BottomRight
        Layout = BatchHeadSequence
        Targets = [ Simd; Portable ]
        Scale = ConstantScale 0x3dcccccd
        Scores =
            [
                {
                    Name = "SoftCap"
                    ReadyMade = true
                    Body = (Mask.tryScore (SoftCap(0x42480000, false))).Value
                }
            ]
        Masks =
            [
                {
                    Name = "Causal"
                    ReadyMade = true
                    Body = Mask.causal
                }
                {
                    Name = "Near"
                    ReadyMade = false
                    Body =
                        Let(
                            "distance",
                            Binary(Sub, query, key),
                            Binary(Lt, Local("distance", Int), Scalar("window", Int))
                        )
                }
            ]
        Sink = false
        Dropout = true
        BlockSizes =
            [
                {
                    Target = Some Simd
                    BlockM = 64
                    BlockN = 128
                    Warps = 0
                    Stages = 0
                }
            ]
        Arguments =
            [
                {
                    Name = "dropout"
                    Type = DropoutArgument
                }
                {
                    Name = "window"
                    Type = ScalarArgument Int
                }
            ]
    }

let private exampleText =
    [
        "flashgen-spec 1"
        "name My.Variants.Alibi"
        "dims 64 192:128"
        "types float32 float16"
        "align bottom-right"
        "layout batch-head-sequence"
        "targets simd portable"
        "scale 0.1f"
        "score SoftCap attribute (* 50f (tanh (/ Score 50f)))"
        "mask Causal attribute (<= Key QueryPosition)"
        "mask Near method (let distance (- QueryPosition Key) (< $distance (scalar window int)))"
        "sink no"
        "dropout yes"
        "argument dropout dropout"
        "argument window scalar int"
        "block-size simd 64 128 warps 0 stages 0"
        ""
    ]
    |> String.concat "\n"

let private properties =
    testList
        "property"
        [
            property "an expression parses back" 3000 expression (fun expr ->
                let text = Text.printExpr expr
                Expect.equal (Text.parseExpr text) (Ok expr) text)
            property "a spec parses back" 500 specs (fun spec ->
                let text = Text.printSpec spec
                Expect.equal (Text.parseSpec text) (Ok spec) text
                Expect.isFalse (text.Contains '\r') "line ends"
                Expect.isTrue (text |> Seq.forall (fun c -> c = '\n' || (c >= ' ' && c <= '~'))) "plain ASCII")
            property
                "what is read is well typed"
                1500
                (Arb.fromGen (Gen.zip (ofType Bool) (Gen.choose (0, 100000))))
                (fun (expr, at) ->
                    // A word exchanged for another one: it reads as an expression that prints as it stands, or not at all.
                    let words = (Text.printExpr expr).Split ' '

                    words.[at % words.Length] <-
                        [| "1"; "2f"; "(+"; "Key)"; "true"; "3L)"; "\"x\""; "4u" |].[at / 7 % 8]

                    let text = String.concat " " words

                    match Text.parseExpr text with
                    | Ok read -> Expect.equal (Text.parseExpr (Text.printExpr read)) (Ok read) text
                    | Error message -> Expect.stringStarts message "Line 1, column " text)
            property
                "a damaged spec is refused or read, never thrown"
                1000
                (Arb.fromGen (Gen.zip3 spec (Gen.choose (0, 100000)) (Gen.choose (32, 126))))
                (fun (spec, at, code) ->
                    let text = Text.printSpec spec
                    let at = at % text.Length

                    for damaged in
                        [
                            text.Remove(at, 1)
                            text.Substring(0, at)
                            text.Insert(at, string (char code))
                        ] do
                        match Text.parseSpec damaged with
                        | Ok read -> Expect.equal (Text.parseSpec (Text.printSpec read)) (Ok read) damaged
                        | Error message -> Expect.stringStarts message "Line " damaged)
        ]

let private printing =
    let prints name expr text =
        test name {
            Expect.equal (Text.printExpr expr) text name
            Expect.equal (Text.parseExpr text) (Ok expr) "and back"
        }

    testList
        "prints"
        [
            test "a spec" {
                Expect.equal (Text.printSpec example) exampleText "text"
                Expect.equal (Text.parseSpec exampleText) (Ok example) "spec"
            }
            prints "a sum" (Binary(Add, key, Expr.int -3)) "(+ Key -3)"
            prints "suffixes" (Binary(Shl, Literal(UIntLiteral 5u), Convert(Int, Expr.long 7L))) "(<< 5u (int 7L))"
            prints "no more digits than it takes" (Expr.float 8.500003f) "8.500003f"
            prints "a short float" (Expr.float 0.1f) "0.1f"
            prints "one of nine digits" (Literal(FloatLiteral 0x3dcccccc)) "0.099999994f"
            prints "a small one" (Expr.float Single.Epsilon) "1.4013e-45f"
            prints "a large one" (Expr.float Single.MaxValue) "3.4028235e+38f"
            prints "minus zero" (Expr.float -0.0f) "-0f"
            prints "minus infinity" (Expr.float -infinityf) "-inf"
            prints "NaN" (Expr.float nanf) "nan"
            prints "another NaN" (Literal(FloatLiteral 0x7fc00001)) "nan:7fc00001"
            prints "a read" (TableRead("slopes", FloatElement, Position Head)) "(read slopes float Head)"
            prints
                "a choice"
                (Select(Scalar("flag", Bool), TableLength "slopes", key))
                "(if (scalar flag bool) (length slopes) Key)"
            prints "a local from outside" (Local("x", Float)) "(local x float)"
            prints "a strange name" (Scalar("two \"words\"\n", Int)) "(scalar \"two \\\"words\\\"\\u000a\" int)"
        ]

let private errors =
    let refuses name (text: string) (position: string) (says: string) =
        test name {
            match Text.parseExpr text with
            | Ok expr -> failtestf "%A" expr
            | Error message ->
                Expect.stringStarts message (position + ": ") message
                Expect.stringContains message says message
        }

    let refusesSpec name (from: string) (into: string) (position: string) (says: string) =
        test name {
            Expect.stringContains exampleText from "the line is there"

            match Text.parseSpec (exampleText.Replace(from, into)) with
            | Ok spec -> failtestf "%A" spec
            | Error message ->
                Expect.stringStarts message (position + ": ") message
                Expect.stringContains message says message
        }

    testList
        "refuses"
        [
            refuses "nothing" "" "Line 1, column 1" "missing"
            refuses "two expressions" "Key Query" "Line 1, column 5" "already"
            refuses "an unknown word" "(+ Key\n   Kay)" "Line 2, column 4" "'Kay'"
            refuses "an unknown operation" "(plus Key 1)" "Line 1, column 2" "'plus' is no operation"
            refuses "two types" "(+ Key 1f)" "Line 1, column 2" "int, not float"
            refuses "a type that an operation does not take" "(sqrt Key)" "Line 1, column 2" "float, not int"
            refuses "a negative uint" "(neg 1u)" "Line 1, column 2" "not uint"
            refuses "a long shift count" "(<< Key 1L)" "Line 1, column 2" "A shift count takes int"
            refuses "branches of two types" "(if true Key 1f)" "Line 1, column 2" "int, not float"
            refuses "a float index" "(read slopes float 1f)" "Line 1, column 2" "An index"
            refuses "too few operands" "(+ Key)" "Line 1, column 2" "1 operands"
            refuses "an open group" "(+ Key (- 1 2)" "Line 1, column 1" "not closed"
            refuses "a closed one" "Key)" "Line 1, column 4" "closes nothing"
            refuses "an open name" "(scalar \"x int)" "Line 1, column 9" "not closed"
            refuses "a local out of scope" "(+ (let x Key $x) $x)" "Line 1, column 19" "'x'"
            refuses "an int too large" "(+ Key 2147483648)" "Line 1, column 8" "'2147483648'"
            refuses "a float too large" "1e99f" "Line 1, column 1" "'1e99f'"
            refuses "deep nesting" (String.replicate 5000 "(neg " + "Key") "Line 1, column 2501" "deeper"
            refusesSpec "another version" "flashgen-spec 1" "flashgen-spec 2" "Line 1, column 15" "the only version"
            refusesSpec "a missing line" "align bottom-right\n" "" "Line 5, column 1" "'align ...' is missing"
            refusesSpec "a line twice" "sink no" "sink no\nsink no" "Line 12, column 1" "more than one"
            refusesSpec "an unknown line" "block-size simd" "blocks simd" "Line 16, column 1" "'blocks' does not follow"
            refusesSpec
                "an unknown type"
                "float32 float16"
                "float32 float8"
                "Line 4, column 15"
                "float16, bfloat16, float32, float64"
            refusesSpec
                "a score in a mask"
                "(<= Key QueryPosition)"
                "(< Score 1f)"
                "Line 10, column 23"
                "does not see the score"
            refusesSpec
                "a mask that is a number"
                "(<= Key QueryPosition)"
                "(- Key QueryPosition)"
                "Line 10, column 23"
                "of type bool"
            refusesSpec "a dimension that is none" "64 192:128" "64 192:x" "Line 3, column 9" "head:value"
        ]

let private hashes =
    let hash = Text.hash example

    let same name spec =
        test name { Expect.equal (Text.hash spec) hash name }

    let other name spec =
        test name { Expect.notEqual (Text.hash spec) hash name }

    let masks bodies =
        [
            for body in bodies ->
                {
                    Name = "M"
                    ReadyMade = false
                    Body = body
                }
        ]

    let near local =
        Let(local, Binary(Sub, query, key), Binary(Lt, Local(local, Int), Scalar("window", Int)))

    testList
        "hash"
        [
            test "sixteen hexadecimal digits" {
                Expect.equal hash.Length 16 "length"
                Expect.isTrue (hash |> Seq.forall (fun c -> Char.IsDigit c || (c >= 'a' && c <= 'f'))) hash
            }
            same "not the name" { example with Name = "Other" }
            same "not block sizes" { example with BlockSizes = [] }
            same
                "not the names of mods and locals"
                { example with
                    Masks = masks [ Mask.causal; near "d" ]
                }
            same
                "not how it is written"
                { example with
                    Masks =
                        masks
                            [
                                Binary(Ge, query, key)
                                Binary(Gt, Scalar("window", Int), Binary(Sub, query, key))
                            ]
                }
            test "nor the names of locals that stay" {
                let square local =
                    let itself = Local(local, Int)
                    let body = Binary(Lt, Binary(Mul, itself, itself), Scalar("window", Int))

                    { example with
                        Masks = masks [ Let(local, Binary(Sub, query, key), body) ]
                    }

                Expect.equal (Text.hash (square "a")) (Text.hash (square "b")) "hash"
                Expect.notEqual (Text.hash (square "a")) hash "another mask"
            }
            other
                "the mask"
                { example with
                    Masks = masks [ Mask.causal ]
                }
            other
                "names of arguments"
                { example with
                    Arguments =
                        [
                            {
                                Name = "dropout"
                                Type = DropoutArgument
                            }
                            {
                                Name = "width"
                                Type = ScalarArgument Int
                            }
                        ]
                }
            other "the scale" { example with Scale = DefaultScale }
            other "the types" { example with Types = [ Float32 ] }
            other "the alignment" { example with Align = TopLeft }
            other "a sink" { example with Sink = true }
            property "of the simplified spec it is the same" 300 specs (fun spec ->
                let simplified (part: Mod) =
                    { part with
                        Body = Simplify.expression part.Body
                    }

                Expect.equal
                    (Text.hash
                        { spec with
                            Scores = List.map simplified spec.Scores
                            Masks = List.map simplified spec.Masks
                        })
                    (Text.hash spec)
                    "hash")
        ]

/// Compilers run generators on threads with small stacks.
let private deep =
    test "the deepest text is read and printed on a stack of 1 MB" {
        let depth = 500
        let text = String.replicate depth "(neg " + "Key" + String.replicate depth ")"
        let mutable result = Error "not run"

        let work () =
            result <- Text.parseExpr text |> Result.map (fun expr -> Text.printExpr expr)

        let thread = Thread(work, 1 <<< 20)
        thread.Start()
        thread.Join()
        Expect.equal result (Ok text) "text"
    }

[<Tests>]
let tests = testList "Text" [ properties; printing; errors; hashes; deep ]
