/// What the parser reads from whole declarations.
module FlashGen.Tests.Generator.DeclarationTests

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
