/// What the parser reads from whole declarations.
module FlashGen.Tests.Generator.DeclarationTests

open System
open Expecto
open FlashGen.Dsl

let private at field = Position field

let private same (square: int) = { HeadDim = square; ValueDim = square }

let private design =
    """
/// Mistral's attention: causal, 4096 keys with its own.
[Attention(128, Types = ElementTypes.Float16 | ElementTypes.BFloat16)]
[Causal, SlidingWindow(4095)]
public static partial class Mistral;

[Attention(64, 128)]
public static partial class AlibiOverDocuments
{
    [MaskMod]
    static bool SameDocument(in Position at, Table<int> document) =>
        at.Key <= at.QueryPosition && document[at.QueryPosition] == document[at.Key];

    [ScoreMod]
    static float Alibi(float score, in Position at, Table<float> slope) =>
        score + slope[at.Head] * (at.Key - at.QueryPosition);
}
"""

[<Tests>]
let designExamples =
    testList
        "Generator.Declaration.Design"
        [
            test "a ready-made declaration" {
                let declaration = Compile.declaration (Compile.source design) "Mistral"

                let expected =
                    {
                        Name = "Mistral"
                        Dims = [ same 128 ]
                        Types = [ Float16; BFloat16 ]
                        Align = BottomRight
                        Layout = BatchHeadSequence
                        Targets = [ Simd; Portable; Sm80; Sm90 ]
                        Scale = DefaultScale
                        Scores = []
                        Masks = Spec.readyMadeMods Mask.tryMask [ Causal; SlidingWindow(4095, -1) ]
                        Sink = false
                        Dropout = false
                        BlockSizes = []
                        Arguments = []
                    }

                Expect.equal declaration.Spec expected "spec"
                Expect.equal declaration.Namespace "" "namespace"
                Expect.equal declaration.Accessibility "public" "accessibility"
                Expect.isTrue declaration.Optimized "optimised"
                Expect.isFalse declaration.Rejected "rejected"

                Expect.equal
                    declaration.Types
                    [
                        {
                            Modifiers = "public static partial"
                            Keyword = "class"
                            TypeName = "Mistral"
                        }
                    ]
                    "types"
            }
            test "a declaration in C#" {
                let declaration = Compile.declaration (Compile.source design) "AlibiOverDocuments"

                let document index =
                    TableRead("document", IntElement, at index)

                let mask =
                    Binary(And, Binary(Le, at Key, at QueryPosition), Binary(Eq, document QueryPosition, document Key))

                let score =
                    Binary(
                        Add,
                        Score,
                        Binary(
                            Mul,
                            TableRead("slope", FloatElement, at Head),
                            Convert(Float, Binary(Sub, at Key, at QueryPosition))
                        )
                    )

                Expect.equal declaration.Spec.Dims [ same 64; same 128 ] "dims"
                Expect.equal declaration.Spec.Types [ Float16; Float32 ] "types"

                Expect.equal
                    declaration.Spec.Masks
                    [
                        {
                            Name = "SameDocument"
                            ReadyMade = false
                            Body = mask
                        }
                    ]
                    "masks"

                Expect.equal
                    declaration.Spec.Scores
                    [
                        {
                            Name = "Alibi"
                            ReadyMade = false
                            Body = score
                        }
                    ]
                    "scores"

                let documents = TableArgument IntElement
                let slopes = TableArgument FloatElement

                Expect.equal
                    declaration.Spec.Arguments
                    [ { Name = "document"; Type = documents }; { Name = "slope"; Type = slopes } ]
                    "arguments"

                Expect.equal
                    declaration.Methods
                    [
                        {
                            Method = "SameDocument"
                            IsMask = true
                            Parameters = [ PositionParameter; ArgumentParameter("document", documents) ]
                        }
                        {
                            Method = "Alibi"
                            IsMask = false
                            Parameters = [ ScoreParameter; PositionParameter; ArgumentParameter("slope", slopes) ]
                        }
                    ]
                    "methods"
            }
            test "both go through the generator without a word" {
                let outcome = Compile.run (Compile.source design)
                Expect.isEmpty outcome.Reported "reported"
                Expect.isEmpty outcome.Compiler "compiler"
            }
        ]

let private read text name =
    Compile.declaration (Compile.source text) name

let private spec text = (read text "A").Spec

[<Tests>]
let parts =
    testList
        "Generator.Declaration.Parts"
        [
            test "every attribute, in the order of application" {
                let spec =
                    spec
                        """[Attention(32), Dropout, Sink, Bias, Chunked(64), Alibi, SlidingWindow(3, 5), SoftCap(30), Document, Causal, Scale]
                           public static partial class A
                           {
                               [ScoreMod] static float Second(float score, int b, int a) => score + a + b;
                               [MaskMod] static bool Third(int a, Table<byte> c) => c[a] > 3;
                           }"""

                Expect.equal
                    [ for part in spec.Scores -> part.Name, part.ReadyMade ]
                    [ "SoftCap", true; "Alibi", true; "Bias", true; "Second", false ]
                    "scores"

                Expect.equal
                    [ for part in spec.Masks -> part.Name, part.ReadyMade ]
                    [
                        "Chunked", true
                        "SlidingWindow", true
                        "Document", true
                        "Causal", true
                        "Third", false
                    ]
                    "masks"

                Expect.isTrue (spec.Sink && spec.Dropout) "softmax"
                Expect.equal spec.Scale RuntimeScale "scale"

                Expect.equal
                    [ for argument in spec.Arguments -> argument.Name ]
                    [
                        "scale"
                        "slopes"
                        "bias"
                        "biasStrides"
                        "queryDocument"
                        "keyDocument"
                        "sink"
                        "dropout"
                        "b"
                        "a"
                        "c"
                    ]
                    "arguments, ready-made first, then as they appear"

                Expect.equal
                    [ for argument in spec.Arguments -> argument.Type ]
                    [
                        ScalarArgument Float
                        TableArgument FloatElement
                        TableArgument FloatElement
                        BiasStridesArgument
                        TableArgument IntElement
                        TableArgument IntElement
                        TableArgument FloatElement
                        DropoutArgument
                        ScalarArgument Int
                        ScalarArgument Int
                        TableArgument ByteElement
                    ]
                    "their types"
            }
            test "attributes are library expressions" {
                let spec =
                    spec
                        "[Attention(32), SlidingWindow(right: 5, left: 3), Chunked(64), PrefixLm, SoftCap(30)] public static partial class A;"

                Expect.equal
                    spec.Masks
                    (Spec.readyMadeMods Mask.tryMask [ SlidingWindow(3, 5); Chunked 64; PrefixLm ])
                    "masks"

                let bits = BitConverter.SingleToInt32Bits 30f
                Expect.equal spec.Scores (Spec.readyMadeMods Mask.tryScore [ SoftCap(bits, false) ]) "scores"
            }
            test "an approximate soft cap" {
                for approximate in [ false; true ] do
                    let written = if approximate then "true" else "false"

                    let spec =
                        spec $"[Attention(32), SoftCap(30, Approximate = {written})] public static partial class A;"

                    let bits = BitConverter.SingleToInt32Bits 30f
                    Expect.equal spec.Scores (Spec.readyMadeMods Mask.tryScore [ SoftCap(bits, approximate) ]) written
            }
            test "choices" {
                let spec =
                    spec
                        """[Attention(192, ValueDim = 128, Types = ElementTypes.Float64 | ElementTypes.BFloat16 | ElementTypes.Float16, Align = Alignment.TopLeft,
                               Layout = TensorLayout.BatchSequenceHead, Targets = Targets.Portable | Targets.Simd)]
                           [Attention(64, 192)]
                           [Scale(-0.5f)]
                           [BlockSize(64, 32, Stages = 3)]
                           [BlockSize(16, 48, Target = Targets.Portable, Warps = 1)]
                           public static partial class A;"""

                Expect.equal spec.Dims [ { HeadDim = 192; ValueDim = 128 }; same 64; same 192 ] "dimensions"

                Expect.equal spec.Types [ Float16; BFloat16; Float64 ] "types"
                Expect.equal spec.Align TopLeft "alignment"
                Expect.equal spec.Layout BatchSequenceHead "layout"
                Expect.equal spec.Targets [ Simd; Portable ] "targets"
                let bits = BitConverter.SingleToInt32Bits -0.5f
                Expect.equal spec.Scale (ConstantScale bits) "scale"

                Expect.equal
                    spec.BlockSizes
                    [
                        {
                            Target = None
                            BlockM = 64
                            BlockN = 32
                            Warps = 0
                            Stages = 3
                        }
                        {
                            Target = Some Portable
                            BlockM = 16
                            BlockN = 48
                            Warps = 1
                            Stages = 0
                        }
                    ]
                    "block sizes"
            }
            test "no number means every head dimension" {
                let spec = spec "[Attention] public static partial class A;"
                Expect.isEmpty spec.Dims "dimensions"
                Expect.equal spec.Types [ Float16; Float32 ] "types"
            }
            test "surroundings" {
                let declaration =
                    read
                        """namespace Some.@class.Where
                           {
                               public partial struct Outer
                               {
                                   internal partial record Middle
                                   {
                                       protected internal static partial class @event { [Attention(16)] public static partial class Inner; }
                                   }
                               }
                           }"""
                        "Some.class.Where.Outer+Middle+event+Inner"

                Expect.equal declaration.Spec.Name "Some.class.Where.Outer.Middle.event.Inner" "name"
                Expect.equal declaration.Namespace "Some.@class.Where" "namespace"
                Expect.equal declaration.Accessibility "internal" "accessibility"

                Expect.equal
                    [
                        for part in declaration.Types -> $"{part.Modifiers} {part.Keyword} {part.TypeName}"
                    ]
                    [
                        "public partial struct Outer"
                        "internal partial record Middle"
                        "protected internal static partial class @event"
                        "public static partial class Inner"
                    ]
                    "types"
            }
            test "locals, helpers and patterns as an expression" {
                let spec =
                    spec
                        """[Attention(16)] public static partial class A
                           {
                               const int Window = 2 * Half;
                               const int Half = 8;
                               [MaskMod] static bool Keep(in Position at, Table<int> t, int distance)
                               {
                                   var near = Distance(at.QueryPosition + 1, at.Key) is >= 0 and < Window;
                                   if (at.Key == 0) return true;
                                   return near && t[at.Batch * 2L] > distance;
                               }
                               static int Distance(int a, int b) => a - b;
                           }"""

                let difference =
                    // An argument that is a leaf needs no local.
                    Let("a", Binary(Add, at QueryPosition, Expr.int 1), Binary(Sub, Local("a", Int), at Key))

                let near =
                    Let(
                        "value",
                        difference,
                        Binary(
                            And,
                            Binary(Ge, Local("value", Int), Expr.int 0),
                            Binary(Lt, Local("value", Int), Expr.int 16)
                        )
                    )

                let read =
                    TableRead("t", IntElement, Binary(Mul, Convert(Long, at Batch), Expr.long 2L))

                let expected =
                    Let(
                        "near",
                        near,
                        Select(
                            Binary(Eq, at Key, Expr.int 0),
                            Expr.bool true,
                            Binary(And, Local("near", Bool), Binary(Gt, read, Scalar("distance", Int)))
                        )
                    )

                Expect.equal (List.exactlyOne spec.Masks).Body expected "body"
            }
        ]
