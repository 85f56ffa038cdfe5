/// The rules on the signatures of mods.
module FlashGen.Tests.Generator.SignatureRuleTests

open Expecto
open FlashGen.Tests.Generator.Refusal

[<Tests>]
let signatures =
    testList
        "Generator.Rules.Signature"
        [
            test "FG0019 a mask that returns int" {
                refusedBody
                    "FG0019"
                    "'static bool Keep(in Position at, ...)'"
                    "[MaskMod] static [|int|] Keep(in Position at) => 1;"
            }
            test "FG0019 a score change that returns bool" {
                refusedBody
                    "FG0019"
                    "'static float Change(float score, in Position at, ...)'"
                    "[ScoreMod] static [|bool|] Change(float score) => true;"
            }
            test "FG0019 a score change without a score" {
                refusedBody "FG0019" "takes no score" "[ScoreMod] static float [|Change|](in Position at) => 1f;"
            }
            test "FG0019 both kinds" {
                refusedBody
                    "FG0019"
                    "[MaskMod] and [ScoreMod]"
                    "[MaskMod, ScoreMod] static float [|Change|](float score) => score;"
            }
            test "FG0019 generic" {
                refusedBody "FG0019" "type parameters" "[MaskMod] static bool [|Keep|]<T>(in Position at) => true;"
            }
            test "FG0019 without a body" {
                refusedBody
                    "FG0019"
                    "has no body"
                    "[System.Runtime.InteropServices.DllImport(\"native\")] [MaskMod] static extern bool [|Keep|](in Position at);"
            }
            test "FG0019 a property" {
                refusedBody "FG0019" "part of a property" "static bool Keep { [MaskMod] [|get|] => true; }"
            }
            test "FG0019 two positions" {
                refusedBody
                    "FG0019"
                    "two parameters"
                    "[MaskMod] static bool Keep(in Position at, in Position [|other|]) => true;"
            }
            test "FG0019 by reference" {
                refusedBody
                    "FG0019"
                    "by reference"
                    "[MaskMod] static bool Keep(in Position at, ref int [|n|]) => n > 3;"
            }
            test "FG0019 a default value" {
                refusedBody
                    "FG0019"
                    "default value"
                    "[MaskMod] static bool Keep(in Position at, int [|n|] = 3) => n > 3;"
            }
            for parameter in
                [
                    "double"
                    "int[]"
                    "byte"
                    "ulong"
                    "string"
                    "ReadOnlySpan<int>"
                    "DayOfWeek"
                ] do
                test $"FG0019 a parameter of type {parameter}" {
                    refusedBody
                        "FG0019"
                        "no Table<T>, bool, int, uint, long or float"
                        $"[MaskMod] static bool Keep(in Position at, [|{parameter}|] n) => true;"
                }
            test "FG0020 overloaded" {
                refusedBody
                    "FG0020"
                    "rename one"
                    "[MaskMod] static bool [|Keep|](in Position at) => true;\nstatic bool Keep(int n) => n > 3;"
            }
            test "FG0021 one name with two types" {
                refusedBody
                    "FG0021"
                    "'n' is float here and int in 'Keep'"
                    "[MaskMod] static bool Keep(in Position at, int n) => at.Key > n;\n[ScoreMod] static float Change(float score, float [|n|]) => score + n;"
            }
            test "FG0021 a ready-made argument with another type" {
                refused
                    "FG0021"
                    "the ready-made attributes"
                    "[Attention(16), Alibi] static partial class A { [MaskMod] static bool Keep(in Position at, Table<int> [|slopes|]) => slopes[at.Head] > 0; }"
            }
            test "a ready-made argument with its own type is one argument" {
                accepted
                    "[Attention(16), Alibi] static partial class A { [MaskMod] static bool Keep(in Position at, Table<float> slopes) => slopes[at.Head] > 0; }"
            }
            for name in
                [
                    "query"
                    "key"
                    "value"
                    "output"
                    "shape"
                    "logSumExp"
                    "options"
                    "stream"
                    "workspace"
                    "fault"
                ] do
                test $"FG0022 an argument called {name}" {
                    refusedBody
                        "FG0022"
                        "rename yours"
                        $"[MaskMod] static bool Keep(in Position at, int [|{name}|]) => at.Key > {name};"
                }
            for element in [ "double"; "short"; "ulong"; "Half"; "DayOfWeek" ] do
                test $"FG0023 a table of {element}" {
                    refusedBody
                        "FG0023"
                        "bool, byte, int, uint, long or float"
                        $"[MaskMod] static bool Keep(in Position at, [|Table<{element}>|] t) => true;"
                }
            test "FG0023 says how a table of an enumeration is passed" {
                refusedBody
                    "FG0023"
                    "a table of its numbers and cast what you read"
                    "[MaskMod] static bool Keep(in Position at, [|Table<DayOfWeek>|] t) => true;"
            }
        ]
