/// The rules on the class of a variant.
module FlashGen.Tests.Generator.ClassRuleTests

open System
open System.Linq
open Expecto
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp.Syntax
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
            test "FG0038 a constant, and a type around" {
                refused "FG0038" "rename yours" "[Attention(16)] static partial class A { const float [|V|] = 1; }"

                refused
                    "FG0038"
                    "'Span' of Outer"
                    "static partial class Outer { class [|Span|]; [Attention(16)] internal static partial class A; }"
            }
            test "FG0038 what a type around has from others" {
                refused
                    "FG0038"
                    "rename yours"
                    "class Base { protected static int [|Group|] => 3; static int Warp => 4; } partial class Around : Base { [Attention(16)] public static partial class A; }"

                refused
                    "FG0038"
                    "rename yours"
                    "interface IBase { static int [|Group|] => 3; } partial interface IAround : IBase { [Attention(16)] public static partial class A; }"
            }
            test "FG0038 a type of the same namespace" {
                refused
                    "FG0038"
                    "'Math' of Some.Inner"
                    "namespace Some.Inner { class [|Math|]; [Attention(16)] static partial class A; }"
            }
            test "FG0038 a mod and a type with names of kernels' types" {
                refused
                    "FG0038"
                    "rename yours"
                    "[Attention(16)] static partial class A { [MaskMod] static bool [|SimdForward|](in Position at) => at.Key < 3; [ScoreMod] static float [|_|](float score) => score; }"

                refused
                    "FG0038"
                    "'PortableTile' of Some"
                    "namespace Some { class [|PortableTile|]; class SimdOfMine; [Attention(16)] static partial class A; }"
            }
            test "names of namespaces further out are welcome" {
                accepted
                    """namespace Some.Math { class B; }
                       namespace Some.System { class B; }
                       namespace Some.FlashGen { class B; }
                       namespace V { class Reals; }
                       namespace Some { class Span; class Lanes; class Position; }
                       namespace Some.Inner
                       {
                           [Attention(16)] [Causal, Document, Alibi, Dropout] static partial class A
                           {
                               [ScoreMod] static float Change(float score) => global::System.MathF.Exp(score) * 0.5f;
                           }
                       }"""
            }
            test "FG0038 knows every name that generated files use alone" {
                let _, output, _ =
                    (Compile.driver ())
                        .RunGeneratorsAndUpdateCompilation(
                            Compile.source
                                """
                                namespace Some
                                {
                                    [Attention(16, Types = ElementTypes.Float16 | ElementTypes.BFloat16 | ElementTypes.Float32 | ElementTypes.Float64)]
                                    [Causal, SlidingWindow(64), Document, Chunked(128), SoftCap(30f), Alibi, Bias, Sink, Dropout, Scale]
                                    public static partial class A
                                    {
                                        [MaskMod] static bool Keep(in Position at, Table<int> t, int n) => t[at.Key] > n;
                                        [ScoreMod] static float Change(float score, in Position at, Table<float> s) => MathF.Exp(score) + s[at.Key + at.Query];
                                    }
                                }
                                """
                        )

                // What is FlashGen's alone has a name that nobody else's has.
                let isOwn (symbol: ISymbol) =
                    let home = symbol.ContainingNamespace.ToDisplayString()

                    home = "FlashGen.Generated"
                    || home = "FlashGen.Support"
                       && [ "Simd"; "Portable"; "Tensor"; "ITensor"; "ISimd"; "IPortable" ]
                          |> List.exists (fun prefix -> symbol.Name.StartsWith(prefix, StringComparison.Ordinal))

                let used =
                    [
                        for tree in output.SyntaxTrees do
                            if tree.FilePath.Contains "Some.A" then
                                let model = output.GetSemanticModel tree

                                for node in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>() do
                                    let isAlone =
                                        match node.Parent with
                                        | :? MemberAccessExpressionSyntax as access -> access.Expression = node
                                        | :? QualifiedNameSyntax
                                        | :? AliasQualifiedNameSyntax
                                        | :? NameEqualsSyntax
                                        | :? NameColonSyntax -> false
                                        | _ -> true

                                    let isInUsing = node.Ancestors().OfType<UsingDirectiveSyntax>().Any()

                                    if isAlone && not isInUsing then
                                        match model.GetAliasInfo node, model.GetSymbolInfo(node).Symbol with
                                        | null, (:? INamedTypeSymbol as symbol) when
                                            isNull symbol.ContainingType
                                            && symbol.Name <> "A"
                                            && symbol.SpecialType = SpecialType.None
                                            && not (isOwn symbol)
                                            ->
                                            node.Identifier.ValueText
                                        | null, (:? IMethodSymbol as made) when
                                            made.MethodKind = MethodKind.Constructor
                                            && isNull made.ContainingType.ContainingType
                                            && not (isOwn made.ContainingType)
                                            ->
                                            node.Identifier.ValueText
                                        | null, _ -> ()
                                        | alias, _ -> alias.Name
                    ]

                Expect.isNonEmpty used "names"

                Expect.equal
                    (Set.ofList used - Set.ofSeq GeneratedMembers.UsedNames)
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
