module FlashGen.Tests.Dsl.ExprTests

open Expecto
open FlashGen.Dsl

[<Tests>]
let scalarTypes =
    testList
        "Expr.ScalarType"
        [
            test "every name parses back" {
                for scalar in ScalarType.all do
                    Expect.equal (ScalarType.tryParse (ScalarType.name scalar)) (Some scalar) (ScalarType.name scalar)
            }
            test "names are distinct" {
                let names = ScalarType.all |> List.map ScalarType.name
                Expect.equal (List.distinct names) names "no two types share a name"
            }
            test "another word is no type" { Expect.isNone (ScalarType.tryParse "double") "double" }
        ]
