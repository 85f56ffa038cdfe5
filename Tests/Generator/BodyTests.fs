/// The C# of a mod, read as an expression and evaluated, against the same C# compiled and run: bit for bit.
module FlashGen.Tests.Generator.BodyTests

open Expecto
open FlashGen.Tests
open FlashGen.Tests.Generator.BodyCases
open FlashGen.Tests.Generator.BodyComparison

let private className index = $"Case%d{index}"

/// One class for each body.
let private compilationOf bodies =
    let classes =
        bodies
        |> List.mapi (fun index body ->
            $"[Attention(16)] public static partial class {className index}\n{{\n{body}\n}}\n")

    Compile.compilation
        [
            "Cases.cs",
            "using System;\nusing System.Runtime.CompilerServices;\nusing FlashGen;\nusing Elsewhere;\n"
            + String.concat "\n" classes
            "Helpers.cs", helpers
        ]

let private compiledCases =
    lazy
        (let compilation = compilationOf [ for case in cases -> case.Body ]
         compilation, Compile.load compilation)

[<Tests>]
let bodies =
    testList
        "Generator.Body"
        [
            for index, case in List.indexed cases ->
                test case.Title {
                    let compilation, assembly = compiledCases.Force()
                    let values = compare' compilation assembly (className index) 400 case.Ulps
                    Expect.isGreaterThan values.Count 1 "the positions tell nothing apart"
                }
        ]

[<Tests>]
let randomBodies =
    test "Generator.Body.random C#" {
        let count = if Settings.thorough then 1000 else 60
        let programs = BodyPrograms.programs Settings.seed count
        let compilation = compilationOf programs
        let assembly = Compile.load compilation

        let telling =
            programs
            |> List.mapi (fun index program ->
                try
                    (compare' compilation assembly (className index) 40 0L).Count > 1
                with failure ->
                    failtest $"{failure.Message}\n{program}\n--seed {Settings.seed} replays this.")
            |> List.filter id

        Expect.isGreaterThan telling.Length (count / 2) "most programs tell positions apart"
    }
