/// Values of everything that random expressions can name, and what evaluating them there gives.
module FlashGen.Tests.Dsl.Worlds

open System
open FsCheck
open FsCheck.FSharp
open FlashGen.Dsl
open FlashGen.Tests.Dsl.Arbitrary

type World =
    {
        Fields: Map<Field, int>
        Score: Literal
        Scalars: Map<string, Literal>
        Tables: Map<string, Literal list>
    }

let private mapOf keys value =
    keys
    |> List.map (fun key -> Gen.map (fun found -> key, found) (value key))
    |> Gen.sequenceToList
    |> Gen.map Map.ofList

let private field field =
    match Interval.fieldRange field with
    | IntegerRange(low, high) ->
        Gen.frequency
            [
                5, Gen.choose (max -9 (int low), 9)
                1, Gen.elements [ int low; int high ]
                1, Gen.choose (int low, int high)
            ]
    | range -> failwithf "A field is an int, not %A." range

let private element element =
    match element with
    | ByteElement -> Gen.map IntLiteral (Gen.choose (0, 255))
    | _ -> literal (Expr.elementType element)

/// Positions that a call can have; scalars and tables of any value.
let world =
    gen {
        let! positions = mapOf fields field
        let! score = literal Float

        let! scalarValues =
            mapOf (List.map fst scalars) (fun name -> literal (Map.find name (Map.ofList scalars)))

        let! tableValues =
            mapOf (List.map fst tables) (fun name ->
                let element = element (Map.find name (Map.ofList tables))
                Gen.choose (0, 8) |> Gen.bind (fun length -> Gen.listOfLength length element))

        return
            {
                Fields = positions
                Score = score
                Scalars = scalarValues
                Tables = tableValues
            }
    }

let environment world =
    {
        Field = fun field -> world.Fields.[field]
        Score =
            (match world.Score with
             | FloatLiteral bits -> Literal.toFloat bits
             | _ -> nanf)
        Scalar = fun name -> world.Scalars.[name]
        Length = fun table -> world.Tables.[table].Length
        Read = fun table index -> world.Tables.[table].[int index]
    }

/// What evaluation gives: a value, all NaN being one, or a fault.
type Outcome =
    | Value of Literal
    | Fault

let outcome world expr =
    try
        match Evaluate.expression (environment world) expr with
        | FloatLiteral bits when Single.IsNaN(Literal.toFloat bits) -> Value(Literal.ofFloat nanf)
        | value -> Value value
    with ExpressionFault _ ->
        Fault

/// An expression and some worlds.
let inWorlds arbitrary =
    let worlds = Gen.listOfLength 8 world

    Arb.fromGenShrink (
        Gen.zip (Arb.toGen arbitrary) worlds,
        fun (expr, worlds) ->
            seq {
                if List.length worlds > 1 then
                    for world in worlds do
                        expr, [ world ]

                for smaller in Arb.toShrink arbitrary expr do
                    smaller, worlds
            }
    )
