/// Whatever users call arguments, locals and mods, generated code keeps apart from its own names.
module FlashGen.Tests.Generator.NameTests

open System
open System.Text.RegularExpressions
open Microsoft.CodeAnalysis.CSharp
open Expecto
open FlashGen.Generators.Parse
open FlashGen.Tests.Generator

/// A variant of which every part of the generator writes something.
let private sample =
    """
[Attention(64, Types = ElementTypes.Float16 | ElementTypes.Float64)]
[SlidingWindow(100, 3), Document, Alibi, Bias, Sink, Dropout, Scale]
public static partial class Sample
{
    [MaskMod]
    private static bool Keep(in Position at, Table<int> first, Table<int> second, int third, bool fourth) =>
        first[at.Key] <= second[at.Query] && (at.Key < third || fourth);

    [ScoreMod]
    private static float Change(float score, in Position at, float factor, Table<float> weights) =>
        MathF.Tanh(score * factor) * weights[at.Head] + MathF.Exp(weights[at.Key]);
}
"""

/// Every identifier of the sample's generated files that may name something of a user's.
let private identifiers =
    lazy
        (let outcome = Compile.runAll (Compile.source sample)

         [
             for _, text in outcome.Sources do
                 // What stands in comments and in texts of PTX is no name.
                 let code = Regex.Replace(text, "//.*|\"\"\"[^\"]*\"\"\"|\"[^\"\n]*\"", "")
                 for found in Regex.Matches(code, @"\b[A-Za-z_]\w*\b") -> found.Value
         ]
         |> List.distinct
         |> List.filter (fun name -> SyntaxFacts.GetKeywordKind name = SyntaxKind.None)
         |> List.sortWith (fun a b -> String.CompareOrdinal(a, b)))

let private compiles classes =
    let outcome = Compile.runAll (Compile.source (String.concat "\n" classes))
    Expect.equal [ for diagnostic in outcome.Reported -> string diagnostic ] [] "reported"
    Expect.equal [ for error in List.truncate 20 outcome.Compiler -> string error ] [] "the compiler"

let private classes count body (names: string list) =
    names
    |> List.chunkBySize count
    |> List.mapi (fun index names ->
        $"[Attention(16, Types = ElementTypes.Float16)] public static partial class C{index}\n{{\n{body names}\n}}")

/// All but the names of Forward's own parameters, which FG0022 is about.
let private argumentNames () =
    identifiers.Force()
    |> List.filter (fun name -> not (Seq.contains name GeneratedMembers.ForwardParameters))

[<Tests>]
let names =
    testList
        "Generator.Names"
        [
            test "arguments" {
                let body names =
                    let parameters = String.concat ", " [ for name in names -> $"int {name}" ]
                    let sum = String.concat " + " names
                    $"[MaskMod] static bool Keep(in Position at_, {parameters}) => at_.Key < {sum};"

                compiles (classes 60 body (argumentNames ()))
            }
            test "tables" {
                let body names =
                    let parameters = String.concat ", " [ for name in names -> $"Table<int> {name}" ]

                    let test =
                        String.concat
                            " && "
                            [
                                for name in names -> $"({name}[at_.Key] <= {name}[at_.Query] || {name}.Length > 9)"
                            ]

                    $"[MaskMod] static bool Keep(in Position at_, {parameters}) => {test};"

                compiles (classes 24 body (List.filter (fun (name: string) -> Char.IsLower name[0]) (argumentNames ())))
            }
            test "locals" {
                let body names =
                    let names = List.distinct names

                    let steps =
                        names
                        |> List.pairwise
                        |> List.map (fun (before, name) -> $"float {name} = {before} * {before} + at_.Key * factor_;")
                        |> String.concat " "

                    let first, last = List.head names, List.last names

                    $"[ScoreMod] static float Change(float score_, in Position at_, float factor_) {{ float {first} = score_ * factor_; {steps} return {last} / {last} + {last}; }}"

                compiles (classes 60 body (identifiers.Force()))
            }
            test "mods" {
                // Others are what FG0007 and FG0038 are about.
                let taken = Set.ofSeq GeneratedMembers.Names + Set.ofSeq GeneratedMembers.UsedNames

                let isOurs (name: string) =
                    List.exists (fun (start: string) -> name.StartsWith start) [ "Portable"; "Simd"; "Tensor" ]

                let body names =
                    names
                    |> List.filter (fun name -> not (taken.Contains name || isOurs name))
                    |> List.map (fun name -> $"[MaskMod] static bool {name}(in Position at_) => at_.Key < 3;")
                    |> String.concat "\n"

                compiles (classes 60 body (identifiers.Force()))
            }
        ]
