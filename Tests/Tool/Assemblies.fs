/// Assemblies written for a test.
module FlashGen.Tests.Tool.Assemblies

open System
open System.IO
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open FlashGen.Tests.Generator

let private core = MetadataReference.CreateFromFile typeof<obj>.Assembly.Location

let private emit name (version: Version) (source: string) (references: MetadataReference list) =
    let text =
        $"[assembly: System.Reflection.AssemblyVersion(\"{version}\")]\n" + source

    let compilation =
        CSharpCompilation.Create(
            name,
            [ CSharpSyntaxTree.ParseText text ],
            core :> MetadataReference :: references,
            CSharpCompilationOptions OutputKind.DynamicallyLinkedLibrary
        )

    use image = new MemoryStream()
    let result = compilation.Emit image

    if not result.Success then
        failwith $"%A{List.ofSeq result.Diagnostics}"

    image.ToArray()

/// Writes an assembly that refers to another of this name and version.
let writeReferring (path: string) name version =
    let referred =
        MetadataReference.CreateFromImage(
            emit name version "public static class There { public static int X() => 1; }" []
        )

    let source = "public static class Here { public static int Y() => There.X(); }"

    File.WriteAllBytes(path, emit (Path.GetFileNameWithoutExtension path) (Version(1, 0)) source [ referred ])

/// Writes an assembly with one variant, Idle, whose calls compute nothing; its canonical text and plans are what is given, and so is the body of its calls.
let writeIdleOf (path: string) (spec: string) (plans: string) (body: string) =
    let source =
        """
[assembly: FlashGen.AttentionVariantIndex(typeof(Idle))]

[FlashGen.Attention(Types = FlashGen.ElementTypes.Float32)]
public static class Idle
{
    public static FlashGen.AttentionVariant Variant { get; } =
        new()
        {
            Name = "Idle",
            Declaration = typeof(Idle),
            Spec = SPEC,
            SpecHash = "",
            Dims = [],
            Types = FlashGen.ElementTypes.Float32,
            Align = FlashGen.Alignment.BottomRight,
            Layout = FlashGen.TensorLayout.BatchHeadSequence,
            Optimized = true,
            Arguments = [],
            Plans = [PLANS],
            Refusals = [],
            Masks = [],
            Scores = [],
            Entry = new Calls(),
        };

    private sealed class Calls : FlashGen.Support.VariantEntry
    {
        public override void Forward(
            ReadOnlySpan<float> query,
            ReadOnlySpan<float> key,
            ReadOnlySpan<float> value,
            Span<float> output,
            in FlashGen.AttentionShape shape,
            FlashGen.ModArguments arguments,
            Span<float> logSumExp,
            FlashGen.AttentionOptions options
        )
        {
            BODY
        }

        public override FlashGen.AttentionKernels Load(ILGPU.Runtime.Accelerator accelerator) =>
            throw new NotSupportedException();
    }
}
"""
            .Replace("SPEC", Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatLiteral(spec, true))
            .Replace("PLANS", plans)
            .Replace("BODY", body)

    use file = File.Create path
    let result = (Compile.source source).Emit file

    if not result.Success then
        failwith $"%A{List.ofSeq result.Diagnostics}"

/// Writes an assembly with one variant, Idle, of which nothing is known.
let writeIdle path = writeIdleOf path "" "" ""

/// Writes an assembly with what the generator makes of C#.
let write (path: string) (source: string) =
    use file = File.Create path

    let result = (Compile.generated (Compile.source source)).Emit file

    if not result.Success then
        failwith $"%A{List.ofSeq result.Diagnostics}"
