/// A refused class keeps its surface: calls of it are no further errors.
module FlashGen.Tests.Generator.CallerTests

open Expecto
open FlashGen.Tests.Generator

/// Calls of everything that the generator adds to class A.
let private caller (path: string) (arguments: string) =
    $"""
static class Caller
{{
    static void Call(float[] x, in FlashGen.AttentionShape shape, ILGPU.Runtime.Accelerator accelerator)
    {{
        {path}.Forward(x, x, x, x, in shape{arguments});
        {path}.Forward(x, x, x, x, in shape{arguments}, logSumExp: x, options: null);
        FlashGen.AttentionVariant variant = {path}.Variant;
        using var kernels = {path}.Load(accelerator);
    }}
}}
"""

/// A declaration with one mistake, and its calls: one rule is reported, and the compiler has nothing to add.
let private refused path arguments id declaration =
    test $"{id} {declaration}" {
        let outcome = Compile.run (Compile.source (declaration + caller path arguments))

        Expect.equal [ for diagnostic in outcome.Reported -> diagnostic.Id ] [ id ] "reported"
        Expect.equal outcome.Compiler [] "no follow-up errors"
    }

let private refusedA = refused "A" ""

[<Tests>]
let callers =
    let body mods =
        "[Attention(16)] public static partial class A { " + mods + " }"

    testList
        "Generator.Callers"
        [
            // The class.
            refusedA "FG0001" "[Attention(16)] public static class A;"
            refused "Some.A" "" "FG0001" "namespace Some { [Attention(16)] public static class A; }"
            refusedA "FG0002" "[Attention(16)] public partial class A;"
            refused "A<int>" "" "FG0003" "[Attention(16)] public static partial class A<T>;"
            refused "Outer.A" "" "FG0005" "public static class Outer { [Attention(16)] public static partial class A; }"
            refusedA "FG0007" "[Attention(16)] public static partial class A { static void Probe() { } }"
            refusedA "FG0007" "[Attention(16)] public static partial class A { static int Kernels => 3; }"
            // The attributes.
            refusedA "FG0008" "[Attention(0)] public static partial class A;"
            refusedA "FG0009" "[Attention(16, 16)] public static partial class A;"
            refusedA "FG0011" "[Attention(16), SlidingWindow(-2)] public static partial class A;"
            refusedA "FG0016" "[Attention(16, Types = ElementTypes.None)] public static partial class A;"
            refused
                "A"
                ", 1f"
                "FG0014"
                "[Attention(16), Scale(float.NaN)] public static partial class A { [ScoreMod] static float Change(float score, float factor) => score * factor; }"
            // The mods.
            refused
                "A"
                ", x"
                "FG0024"
                (body "[ScoreMod] static float Change(float score, Table<float> t) { for (;;) { } }")
            refused "A" ", 3" "FG0026" (body "[MaskMod] static bool Keep(in Position at, int n) => MathF.Exp(n) > 3f;")
            refused "A" ", 3" "FG0022" (body "[MaskMod] static bool Keep(in Position at, int key) => key > 3;")
            refused
                "A"
                ", 3"
                "FG0021"
                (body
                    "[MaskMod] static bool Keep(in Position at, int n) => n > 3; [ScoreMod] static float Change(float score, float n) => score;")
            refused
                "A"
                ", x"
                "FG0019"
                (body
                    "[MaskMod] static int Keep(in Position at) => 3; [ScoreMod] static float Change(float score, Table<float> t) => t[3];")
            // The compiler's own error is the only one.
            test "an error of C#" {
                let outcome =
                    Compile.run (
                        Compile.source (
                            body "[MaskMod] static bool Keep(in Position at) => at.Kye > 3;" + caller "A" ""
                        )
                    )

                Expect.equal outcome.Reported [] "reported"
                Expect.equal [ for error in outcome.Compiler -> error.Id ] [ "CS1061" ] "the compiler"
            }
        ]
