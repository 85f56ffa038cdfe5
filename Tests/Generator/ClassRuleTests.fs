/// The rules on the class of a variant.
module FlashGen.Tests.Generator.ClassRuleTests

open System
open Expecto
open Microsoft.CodeAnalysis
open FlashGen.Generators.Parse
open FlashGen.Tests.Generator
open FlashGen.Tests.Generator.Refusal

[<Tests>]
let classes =
    testList
        "Generator.Rules.Class"
        [
            test "FG0001 not partial" {
                refused "FG0001" "'static partial class A'" "[Attention(16)] public static class [|A|];"
            }
            test "FG0002 not static" {
                refused "FG0002" "'static partial class A'" "[Attention(16)] public partial class [|A|];"
            }
            test "FG0003 generic" {
                refused "FG0003" "without type parameters" "[Attention(16)] public static partial class [|A|]<T>;"
            }
            test "FG0003 inside a generic class" {
                refused
                    "FG0003"
                    "'Outer' is generic"
                    "public static partial class [|Outer|]<T> { [Attention(16)] public static partial class A; }"
            }
            test "FG0004 file-local" {
                refused "FG0004" "make it internal" "[Attention(16)] file static partial class [|A|];"
            }
            test "FG0005 inside a class that is not partial" {
                refused
                    "FG0005"
                    "make 'Outer' partial"
                    "public static class [|Outer|] { [Attention(16)] public static partial class A; }"
            }
            test "FG0006 private" {
                refused
                    "FG0006"
                    "make it internal or public"
                    "public static partial class Outer { [Attention(16)] private static partial class [|A|]; }"
            }
            test "FG0006 inside a protected class" {
                refused
                    "FG0006"
                    "'Inner' is protected"
                    "public partial class Outer { protected static partial class [|Inner|] { [Attention(16)] public static partial class A; } }"
            }
            test "FG0007 a property called Variant" {
                refused
                    "FG0007"
                    "rename yours"
                    "[Attention(16)] static partial class A { public static int [|Variant|] => 3; }"
            }
            test "FG0007 a class called Kernels" {
                refused "FG0007" "rename yours" "[Attention(16)] static partial class A { public class [|Kernels|]; }"
            }
            test "FG0007 the same Load" {
                refused
                    "FG0007"
                    "'Load'"
                    "[Attention(16)] static partial class A { public static void [|Load|](ILGPU.Runtime.Accelerator accelerator) { } }"
            }
            test "FG0007 the same Forward, arguments included" {
                refused
                    "FG0007"
                    "'Forward'"
                    """[Attention(16, Types = ElementTypes.Float32), Bias] static partial class A
                       {
                           public static void [|Forward|](
                               ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> d, in AttentionShape e,
                               ReadOnlySpan<float> f, BiasStrides g, Span<float> h, AttentionOptions? i) { }
                       }"""
            }
            test "FG0007 a class that is called as a member" {
                refused "FG0007" "rename yours" "[Attention(16)] static partial class [|Forward|];"
            }
            test "FG0007 knows every generated member" {
                let outcome =
                    (Compile.driver ())
                        .RunGeneratorsAndUpdateCompilation(
                            Compile.source
                                """
                                [Attention(16, Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
                                [Causal, SlidingWindow(64), Document, Chunked(128), SoftCap(30f), Alibi, Bias, Sink, Dropout, Scale]
                                public static partial class A
                                {
                                    [MaskMod] static bool Keep(in Position at, Table<int> t, int n) => t[at.Key] > n;
                                    [ScoreMod] static float Change(float score, in Position at, Table<float> s) => score + s[at.Key + at.Query];
                                }
                                """
                        )
                    |> fun (_, output, _) -> Compile.typeOf output "A"

                let generated =
                    [
                        for part in outcome.GetMembers() do
                            let isField =
                                part.Kind = SymbolKind.Field
                                || part.Name.StartsWith("get_", StringComparison.Ordinal)

                            if
                                not part.IsImplicitlyDeclared
                                && not isField
                                && not (List.contains part.Name [ "Keep"; "Change" ])
                            then
                                part.Name
                    ]

                Expect.isNonEmpty generated "members"

                Expect.equal
                    (Set.ofList generated - Set.ofSeq GeneratedMembers.Names)
                    Set.empty
                    "names unknown to the rule"
            }
            test "overloads of one's own are welcome" {
                accepted
                    """[Attention(16)] static partial class A
                       {
                           public static void Forward(float[] all) { }
                           public static void Load(string path) { }
                       }"""
            }
            test "internal, nested and in a namespace are welcome" {
                accepted
                    """namespace Some.@namespace
                       {
                           internal partial struct Outer
                           {
                               internal partial record Middle
                               {
                                   public partial interface Inner { [Attention(16)] protected internal static partial class @class; }
                               }
                           }
                       }"""
            }
        ]
