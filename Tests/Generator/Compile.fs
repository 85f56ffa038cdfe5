/// C# in, what the compiler and the generator make of it out: everything in memory.
module FlashGen.Tests.Generator.Compile

open System
open System.Collections.Immutable
open System.IO
open System.Threading
open Microsoft.CodeAnalysis
open Microsoft.CodeAnalysis.CSharp
open FlashGen.Dsl
open FlashGen.Generators
open FlashGen.Generators.Parse

let private references: MetadataReference list =
    let trusted = string (AppContext.GetData "TRUSTED_PLATFORM_ASSEMBLIES")

    [
        for path in trusted.Split Path.PathSeparator do
            let name = Path.GetFileNameWithoutExtension path

            if
                name.StartsWith("System.", StringComparison.Ordinal)
                || List.contains name [ "netstandard"; "mscorlib"; "FlashGen"; "ILGPU" ]
            then
                MetadataReference.CreateFromFile path :> MetadataReference
    ]

let parseOptions = CSharpParseOptions LanguageVersion.Latest

let private fileIn (parseOptions: CSharpParseOptions) path (text: string) =
    CSharpSyntaxTree.ParseText(text, parseOptions, path)

let file path text = fileIn parseOptions path text

let options =
    CSharpCompilationOptions(
        OutputKind.DynamicallyLinkedLibrary,
        optimizationLevel = OptimizationLevel.Release,
        allowUnsafe = true,
        nullableContextOptions = NullableContextOptions.Enable
    )

let compilationOf options (files: (string * string) list) =
    CSharpCompilation.Create("Declared", [ for path, text in files -> file path text ], references, options)

/// A compilation of files, each a path and its text.
let compilation files = compilationOf options files

/// One file in a library, with what every declaration needs on top.
let source text =
    compilation [ "Declared.cs", "using System;\nusing FlashGen;\n" + text ]

let private ofSeverity severity (diagnostics: Diagnostic seq) =
    [
        for diagnostic in diagnostics do
            if diagnostic.Severity = severity then
                diagnostic
    ]

let errors diagnostics =
    ofSeverity DiagnosticSeverity.Error diagnostics

let private driverWithout outputs (parseOptions: CSharpParseOptions) : GeneratorDriver =
    CSharpGeneratorDriver.Create(
        [ FlashGenGenerator().AsSourceGenerator() ],
        parseOptions = parseOptions,
        driverOptions = GeneratorDriverOptions(outputs, true)
    )

/// The generator as a build runs it, with the record of its steps.
let driver () =
    driverWithout IncrementalGeneratorOutputKind.None parseOptions

/// What the generator reports, and what the compiler says of the whole.
type Outcome =
    {
        Reported: Diagnostic list
        /// Errors; warnings apart.
        Compiler: Diagnostic list
        Warnings: Diagnostic list
        Sources: (string * string) list
    }

let private runWith (driver: GeneratorDriver) (compilation: CSharpCompilation) =
    let driver, output, _ = driver.RunGeneratorsAndUpdateCompilation compilation

    let result = driver.GetRunResult()
    let said = output.GetDiagnostics()

    {
        Reported = List.ofSeq result.Diagnostics
        Compiler = errors said
        Warnings = ofSeverity DiagnosticSeverity.Warning said
        Sources =
            [
                for generated in result.Results do
                    for source in generated.GeneratedSources -> source.HintName, source.SourceText.ToString()
            ]
    }

/// What an editor sees: all but the kernels, which take most of the time.
let run compilation =
    runWith (driverWithout IncrementalGeneratorOutputKind.Implementation parseOptions) compilation

/// What a build sees.
let runAll compilation = runWith (driver ()) compilation

/// A compilation with what the generator adds in a build.
let generated (compilation: CSharpCompilation) =
    let _, output, _ = (driver ()).RunGeneratorsAndUpdateCompilation compilation
    output

/// What a build sees in an older C#.
let runAllIn version text =
    let parseOptions = CSharpParseOptions version

    CSharpCompilation.Create("Declared", [ fileIn parseOptions "Declared.cs" text ], references, options)
    |> runWith (driverWithout IncrementalGeneratorOutputKind.None parseOptions)

let typeOf (compilation: Compilation) name =
    match compilation.GetTypeByMetadataName name with
    | null -> failwith $"The source declares no class {name}."
    | found -> found

/// What the parser reads from a class.
let parse (compilation: CSharpCompilation) name =
    DeclarationParser.Parse(typeOf compilation name, compilation, CancellationToken.None)

/// The declaration of a class that nothing is said against.
let declaration (compilation: CSharpCompilation) name : Declaration =
    let result = parse compilation name

    match List.ofSeq result.Diagnostics with
    | [] when not result.Declaration.Rejected -> result.Declaration
    | [] -> failwith $"The compiler refuses {name}: {errors (compilation.GetDiagnostics())}"
    | reported -> failwith $"{name} is refused: {reported}"

/// The compiled assembly.
let load (compilation: CSharpCompilation) =
    use image = new MemoryStream()
    let result = compilation.Emit image

    if not result.Success then
        let lines = [ for error in errors result.Diagnostics -> string error ]
        failwith ("The source does not compile:\n" + String.Join("\n", lines))

    Reflection.Assembly.Load(image.ToArray())
