/// The rules on the C# of mods.
module FlashGen.Tests.Generator.BodyRuleTests

open Expecto
open FlashGen.Tests.Generator
open FlashGen.Tests.Generator.Refusal

[<Tests>]
let constructs =
    let statement title instead body =
        test $"FG0024 {title}" {
            refusedBody
                "FG0024"
                instead
                $"enum Narrow : short {{ Zero, One }} static int Seven => 7; static readonly int Eight = 8; static int nine; [System.Runtime.InteropServices.DllImport(\"native\")] static extern int Native(int n);\n[MaskMod] static bool Keep(in Position at, Table<int> t, int n)\n{{\n{body}\n}}"
        }

    let expression title instead body =
        statement title instead $"return {body};"

    testList
        "Generator.Rules.Construct"
        [
            statement "for" "write the closed form" "[|for|] (var i = 0; i < 3; i++) { }\nreturn true;"
            statement "while" "read precomputed values" "[|while|] (n > 3) { }\nreturn true;"
            statement "foreach" "write the closed form" "[|foreach|] (var c in \"abc\") { }\nreturn true;"
            statement "assignment" "declare a new local" "var x = n;\n[|x = 3|];\nreturn x > 3;"
            statement "compound assignment" "declare a new local" "var x = n;\n[|x += 3|];\nreturn x > 3;"
            statement "increment" "declare a new local" "var x = n;\n[|x++|];\nreturn x > 3;"
            statement "assignment inside" "declare a new local" "var x = n;\nreturn ([|x = 3|]) > n;"
            statement "assignment to a parameter" "declare a new local" "[|n = 3|];\nreturn n > at.Key;"
            statement
                "local without a value"
                "where it is declared"
                "int [|x|];\nif (n > 3) return true;\nreturn false;"
            statement "ref local" "without ref" "ref var [|x = ref nine|];\nreturn true;"
            statement
                "switch statement"
                "switch expression"
                "[|switch|] (n) { case 3: return true; default: return false; }"
            statement "throw" "cannot throw" "if (n > 3) [|throw|] new Exception();\nreturn true;"
            statement
                "local function"
                "static method of this project"
                "bool [|Inner|](int x) => x > 3;\nreturn Inner(n);"
            statement
                "local function behind the return"
                "static method of this project"
                "return Inner(n);\nstatic bool [|Inner|](int x) => x > 3;"
            statement
                "local function behind all returns"
                "static method of this project"
                "if (n > 3) return Inner(n); else { return Inner(-n); }\nstatic bool [|Inner|](int x) => x > 3;"
            statement "call for its effect" "leave it out" "[|Console.WriteLine()|];\nreturn true;"
            statement "try" "leave it out" "[|try|] { return true; } finally { }"
            statement "goto" "write if" "[|goto|] end;\n[|end|]: return true;"
            expression "static readonly" "make it const" "n > [|Eight|]"
            expression "static field" "make it const" "n > [|nine|]"
            expression "static property" "make it const, or a static method" "n > [|Seven|]"
            expression "lambda" "static method" "[|((Func<int, bool>)(x => x > 3))(n)|]"
            expression "array" "take a Table<T>" "[|new[] { 1, 2 }[0]|] > n"
            expression "call on a value" "static method of this project" "[|new Random(3).Next()|] > n"
            expression "method of a number" "write it with operators" "[|n.CompareTo(3)|] > 0"
            expression "string" "bool, int, uint, long and float" "[|\"abc\" + n|] == [|\"abd\"|]"
            expression "throw expression" "cannot throw" "n switch { 3 => true, _ => [|throw new Exception()|] }"
            expression "checked" "integers of a mod wrap" "checked([|n + at.Key|]) > 3"
            expression "ulong" "use uint or long" "[|(ulong)n|] > [|3ul|]"
            expression "short" "use int" "[|(short)n|] > 3"
            expression "decimal" "0.5f" "[|(decimal)n|] > [|3m|]"
            expression "float to byte" "convert to int" "[|(byte)(n * 0.5f)|] > 3"
            expression "open switch" "add an arm '_ => ...'" "n switch { 3 => true, 4 => false [|}|]"
            expression "property pattern" "use its fields" "[|at|] is { Key: > 3 }"
            expression "declaration in a pattern" "constants, comparisons" "n is [|var x|] && x > 3"
            expression "whole position" "use its fields" "[|at|] == [|at|]"
            expression "copied position" "parameters of a static method" "([|at with { Key = 3 }|]).Key > 3"
            expression "name of a table" "fields of a Position" "[|t.Name|].Length > 3"
            expression "generic method" "write one for the type" "[|Array.IndexOf<int>(null!, 3)|] > 3"
            expression "helper without a body" "write one" "[|Native(n)|] > 3"
            expression "tuple" "element by element" "[|(n, 3) == (3, n)|]"
            expression "nullable" "bool, int, uint, long and float" "[|(int?)n|] is null"
            expression "enumeration of shorts" "one of int, uint, long or byte" "[|(Narrow)n|] == [|Narrow.One|]"
            expression "property of the machine" "make it const" "[|Environment.ProcessorCount|] > n"
            expression "fused multiply-add" "write a * b + c" "[|MathF.FusedMultiplyAdd(n, 2f, 3f)|] > 3f"
            expression
                "clamp with bounds that vary"
                "Math.Min(Math.Max(x, low), high)"
                "[|Math.Clamp(at.Key, n, 9)|] > 3"
            expression "clamp with bounds the wrong way round" "in ascending order" "[|Math.Clamp(at.Key, 9, 3)|] > 3"
            expression "sign of a float" "x > 0 ? 1" "[|MathF.Sign(n * 0.5f)|] > 0"
            expression "population count" "test one bit" "[|System.Numerics.BitOperations.PopCount((uint)n)|] > 3"
            test "FG0024 arithmetic in a checked project" {
                refusedWith
                    (Compile.options.WithOverflowChecks true)
                    "FG0024"
                    "turn CheckForOverflowUnderflow off"
                    "[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at, int n) => [|n + at.Key|] > (int)[|-n|] && unchecked(n * 3) > 4; }"
            }
            test "FG0024 every mistake at once" {
                refusedBody
                    "FG0024"
                    ""
                    "static int one;\n[MaskMod] static bool Keep(in Position at) { [|for|] (;;) { } return [|one|] > 3; }\n[ScoreMod] static float Change(float score) => score + [|one|];"
            }
            test "FG0024 a helper's mistake is told once, in the helper" {
                refusedBody
                    "FG0024"
                    "'one'"
                    "static int one; static int Helper(int x) => x + [|one|];\n[MaskMod] static bool Keep(in Position at) => Helper(3) > Helper(4);\n[ScoreMod] static float Change(float score) => Helper(5);"
            }
        ]

[<Tests>]
let doubles =
    testList
        "Generator.Rules.Double"
        [
            test "FG0025 a literal" { refusedScore "FG0025" "write 0.5f" "" "(float)(score * [|0.5|])" }
            test "FG0025 a literal with a suffix" { refusedScore "FG0025" "write 2f" "" "(float)(score * [|2d|])" }
            test "FG0025 a function" { refusedScore "FG0025" "write MathF.Sqrt" "" "(float)[|Math.Sqrt(score)|]" }
            test "FG0025 every token" {
                refusedScore "FG0025" "write " "" "(float)([|Math.Exp([|0.5|] * score)|] + score * [|Math.PI|])"
            }
            test "FG0025 a cast" { refusedScore "FG0025" "write (float)" "" "(float)([|(double)score|] * score)" }
            test "FG0025 a field" {
                refusedBody
                    "FG0025"
                    "make it float"
                    "const double Half = 0.5;\n[ScoreMod] static float Change(float score) => (float)(score * [|Half|]);"
            }
            test "FG0025 a local" {
                refusedBody
                    "FG0025"
                    "write 0.5f"
                    "[ScoreMod] static float Change(float score) { var half = [|0.5|]; return score; }"
            }
            test "FG0025 a helper" {
                refusedBody
                    "FG0025"
                    "let it return float"
                    "static double Half(float x) => x / 2;\n[ScoreMod] static float Change(float score) => (float)[|Half(score)|];"
            }
            test "constants that C# folds into floats are welcome" {
                accepted
                    "[Attention(16)] static partial class A { [ScoreMod] static float Change(float score) => score * (float)(Math.PI * 0.5); }"
            }
        ]

[<Tests>]
let masks =
    testList
        "Generator.Rules.Mask"
        [
            for call in
                [
                    "MathF.Exp(x)"
                    "MathF.Sin(x)"
                    "MathF.Pow(x, 2f)"
                    "MathF.Tanh(x)"
                    "float.Log2(x)"
                    "MathF.Atan2(x, x)"
                ] do
                test $"FG0026 {call}" { refusedMask "FG0026" "Table<float>" ", float x" $"[|{call}|] > 3f" }
            test "FG0026 float remainder" { refusedMask "FG0026" "MathF.Floor" ", float x" "[|x % 3f|] > 1f" }
            test "FG0026 through a helper" {
                refusedBody
                    "FG0026"
                    "Table<float>"
                    "static float Decay(int distance) => [|MathF.Exp(-distance)|];\n[MaskMod] static bool Keep(in Position at) => Decay(at.Key) > 0.5f;\n[ScoreMod] static float Change(float score, in Position at) => score * Decay(at.Key);"
            }
        ]

[<Tests>]
let helpers =
    testList
        "Generator.Rules.Helper"
        [
            test "FG0027 recursion" {
                refusedBody
                    "FG0027"
                    "write the closed form"
                    "static int Factorial(int n) => n < 2 ? 1 : n * [|Factorial(n - 1)|];\n[MaskMod] static bool Keep(in Position at) => Factorial(at.Key) > 100;"
            }
            test "FG0027 recursion through another" {
                refusedBody
                    "FG0027"
                    "'Even' calls itself through 'Odd'"
                    "static bool Even(int n) => n == 0 || Odd(n - 1); static bool Odd(int n) => n != 0 && [|Even(n - 1)|];\n[MaskMod] static bool Keep(in Position at) => Even(at.Key);"
            }
            test "FG0027 a mod that calls itself" {
                refusedBody
                    "FG0027"
                    "'Keep'"
                    "[MaskMod] static bool Keep(in Position at) => at.Key < 3 || [|Keep(at)|];"
            }
            test "FG0028 the framework's own" {
                refusedMask "FG0028" "copy it into a static method" "" "[|DateTime.DaysInMonth(2000, at.Key)|] > 30"
            }
            test "FG0028 a helper in another project" {
                let library =
                    Compile.compilation
                        [
                            "Library.cs", "public static class Library { public static int Half(int x) => x / 2; }"
                        ]

                let text =
                    "using FlashGen;\n[Attention(16)] static partial class A { [MaskMod] static bool Keep(in Position at) => Library.Half(at.Key) > 3; }"

                // In an editor another project is a reference with its sources, not a file.
                let outcome =
                    (Compile.compilation [ "Declared.cs", text ]).AddReferences(library.ToMetadataReference())
                    |> Compile.run

                let diagnostic = List.exactlyOne outcome.Reported
                Expect.equal diagnostic.Id "FG0028" "id"
                Expect.stringContains (diagnostic.GetMessage()) "'Library.Half' is not in this project" "message"
                Expect.equal (text.Substring(diagnostic.Location.SourceSpan.Start, 20)) "Library.Half(at.Key)" "place"
                Expect.equal outcome.Compiler [] "no follow-up errors"
            }
            test "FG0029 helpers that multiply" {
                let levels =
                    [
                        for level in 1..20 -> $"static int F{level}(int x) => F{level - 1}(x) + F{level - 1}(x + 1);"
                    ]

                refusedBody
                    "FG0029"
                    "read precomputed values from a Table"
                    ("static int F0(int x) => x;\n"
                     + String.concat "\n" levels
                     + "\n[MaskMod] static bool [|Keep|](in Position at) => F20(at.Key) > 3;")
            }
            test "what is refused does not make a mod too large as well" {
                let ifs =
                    String.concat "\n" [ for level in 1..14 -> $"if (at.Key > {level}) bias += {level};" ]

                let text =
                    $"using FlashGen;\n[Attention(16)] static partial class A {{ [MaskMod] static bool Keep(in Position at) {{ int bias = 0;\n{ifs}\nreturn bias > 3; }} }}"

                let outcome = Compile.run (Compile.compilation [ "Declared.cs", text ])
                Expect.equal (outcome.Reported |> List.map _.Id |> List.distinct) [ "FG0024" ] "assignments alone"
                Expect.equal outcome.Reported.Length 14 "each of them"
            }
            test "FG0029 deep nesting" {
                let sum = String.replicate 400 "at.Key + "
                refusedBody "FG0029" "nests more than" $"[MaskMod] static bool [|Keep|](in Position at) => {sum} 1 > 3;"
            }
        ]
