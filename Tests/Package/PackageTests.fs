/// The packed packages, used from a project outside the repository, in the Debug configuration that a newcomer builds.
module FlashGen.Tests.Package.PackageTests

open System
open System.Diagnostics
open System.IO
open System.IO.Compression
open System.Runtime.InteropServices
open System.Text.RegularExpressions
open System.Xml.Linq
open Expecto

let private root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))

/// What the running tests stand on: a tool's launcher may not find a .NET that is in no usual place.
let private dotnetRoot =
    Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."))

/// Runs a program: its exit code, and all that it said, errors last.
let private run program folder (arguments: string list) =
    let start =
        ProcessStartInfo(
            program,
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    List.iter start.ArgumentList.Add arguments

    for name, value in
        [
            "DOTNET_CLI_TELEMETRY_OPTOUT", "1"
            "DOTNET_NOLOGO", "1"
            "DOTNET_ROOT", dotnetRoot
            "MSBUILDDISABLENODEREUSE", "1"
            "UseSharedCompilation", "false"
            "DOTNET_CLI_USE_MSBUILD_SERVER", "0"
        ] do
        start.Environment[name] <- value

    use run = Process.Start start
    let errors = run.StandardError.ReadToEndAsync()
    let output = run.StandardOutput.ReadToEnd()
    run.WaitForExit()
    run.ExitCode, output + errors.Result

/// Runs a program and gives its output; a failure shows all of it.
let private succeeds program folder arguments =
    let code, all = run program folder arguments

    if code <> 0 then
        let said = String.concat " " arguments
        failtest $"{program} {said} ends with {code}:\n{all}"

    all

let private dotnet = succeeds "dotnet"

/// Where this machine keeps its packages: the scratch project finds ours in a folder of its own, and all others here.
let private machinePackages =
    match Environment.GetEnvironmentVariable "NUGET_PACKAGES" with
    | null
    | "" -> Path.Combine(Environment.GetFolderPath Environment.SpecialFolder.UserProfile, ".nuget", "packages")
    | folder -> folder

/// A version that no earlier run left in a cache.
let private version = $"0.1.0-test.{Environment.ProcessId}.{DateTime.UtcNow.Ticks}"

let private references =
    let locked = lazy File.ReadAllText(Path.Combine(root, "paket.lock"))

    fun (name: string) -> Regex.Match(locked.Value, $@"(?m)^    {Regex.Escape name} \(([^)]+)\)").Groups[1].Value

/// A project that references these packages of ours, and these of others as the lock pins them.
let private project (packages: string) ours others =
    let items =
        [
            for name, version in
                [
                    for name in ours -> name, version
                    for name in others -> name, references name
                ] do
                $"<PackageReference Include=\"{name}\" Version=\"[{version}]\" />"
        ]

    $"""<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <NuGetAudit>false</NuGetAudit>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <RestorePackagesPath>{packages}</RestorePackagesPath>
    <RestoreFallbackFolders>{machinePackages}</RestoreFallbackFolders>
  </PropertyGroup>
  <ItemGroup>
    {String.concat "\n    " items}
  </ItemGroup>
</Project>
"""

let private program =
    """using System.Globalization;
using FlashGen;
using FlashGen.Kernels;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var shape = new AttentionShape(batch: 1, queryHeads: 2, keyHeads: 2, queryLength: 70, keyLength: 90, headDim: 32);
float[] Fill(long count) => [.. Enumerable.Range(0, (int)count).Select(i => MathF.Sin(i * 0.37f))];
float[] query = Fill(2 * 70 * 32), key = Fill(2 * 90 * 32), value = Fill(2 * 90 * 32), output = new float[2 * 70 * 32];
var logSumExp = new float[2 * 70];
Near.Forward(query, key, value, output, shape, window: 20, logSumExp);
var arguments = new ModArguments { { "window", 20 } };
ErrorReport report = Reference.Verify<float, float>(Near.Variant, query, key, value, output, logSumExp, shape, arguments);
Console.WriteLine($"passed {report.Passed}, optimised {Near.Variant.Optimized}");

// The gallery. Queries of zeros weigh all keys that they see alike: an output is the mean of these keys' values.
var four = new AttentionShape(batch: 1, queryHeads: 1, keyHeads: 1, queryLength: 4, keyLength: 4, headDim: 4);
double[] zeros = new double[16], count = [.. Enumerable.Range(1, 16).Select(i => (double)i)], means = new double[16];
void Show(string of) => Console.WriteLine($"{of}: {string.Join(' ', means.Select(x => x.ToString("0.0000")))}");
Causal.Forward(zeros, count, count, means, four);
Show("Causal");
Attention.ScaledDotProduct(zeros, count, count, means, four, isCausal: true, scale: 0.5);
Show("ScaledDotProduct");
bool[] kept = [.. Enumerable.Range(0, 16).Select(pair => pair % 4 != 0)];
Attention.ScaledDotProduct(zeros, count, count, means, four, mask: AttentionMask.Keep(kept, four));
Show("ScaledDotProduct, masked");

[Attention(32, Types = ElementTypes.Float32)]
[Causal]
public static partial class Near
{
    [MaskMod]
    static bool Keep(in Position at, int window) => at.QueryPosition - at.Key < window;
}
"""

/// A folder that is gone when the tests end.
let private folder name =
    let folder = Directory.CreateTempSubdirectory $"flashgen-{name}-"
    AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> folder.Delete true)
    folder.FullName

/// The packages, packed from what this run was built from.
let private packed =
    lazy
        (let folder = folder "packages"

         dotnet
             root
             [
                 "pack"
                 "-c"
                 "Release"
                 "--no-build"
                 "--nologo"
                 $"-p:PackageVersion={version}"
                 "-o"
                 folder
                 "FlashGen.sln"
             ]
         |> ignore

         folder)

/// A folder with a project of these packages and files, built in Debug.
let private scratch ours others (files: (string * string) list) =
    let folder = folder "scratch"
    let path name = Path.Combine(folder, name)

    for name, text in files do
        File.WriteAllText(path name, text)

    File.WriteAllText(path "Scratch.csproj", project (path "packages") ours others)
    dotnet folder [ "restore"; "--nologo"; "--source"; packed.Value ] |> ignore

    dotnet folder [ "build"; "--no-restore"; "--nologo"; "-c"; "Debug" ] |> ignore

    folder

/// The project that calls its own variant and the gallery.
let private caller =
    lazy (scratch [ "FlashGen"; "FlashGen.Kernels" ] [] [ "Program.cs", program ])

/// Its assembly.
let private assembly =
    lazy Path.Combine(caller.Value, "bin", "Debug", "net10.0", "Scratch.dll")

/// The tool, installed from its package, in a folder where it does not find the repository.
let private launcher =
    let installed =
        lazy
            (let folder = folder "tool"

             dotnet
                 folder
                 [
                     "tool"
                     "install"
                     "FlashGen.Tool"
                     "--version"
                     version
                     "--source"
                     packed.Value
                     "--tool-path"
                     folder
                 ]
             |> ignore

             folder)

    fun () ->
        let name =
            if OperatingSystem.IsWindows() then
                "flashgen.exe"
            else
                "flashgen"

        Path.Combine(installed.Value, name)

let private flashgen arguments =
    run (launcher ()) (Path.GetDirectoryName(launcher ())) arguments

let private open' (id: string) =
    ZipFile.OpenRead(Path.Combine(packed.Value, $"{id}.{version}.nupkg"))

/// The files of a package, but for what every package has of its format.
let private contents id =
    use archive = open' id

    [
        for entry in archive.Entries do
            let name = entry.FullName

            if
                not (
                    name.StartsWith "_rels/"
                    || name.StartsWith "package/"
                    || name = "[Content_Types].xml"
                    || name = $"{id}.nuspec"
                )
            then
                name
    ]
    |> List.sort

/// What a package says of itself.
let private metadata id =
    use archive = open' id
    use stream = archive.GetEntry($"{id}.nuspec").Open()
    XDocument.Load(stream).Root.Elements() |> Seq.exactlyOne

[<Tests>]
let package =
    testSequenced (
        testList
            "Package"
            [
                test "variants declared outside the repository and the gallery run, optimised though the build is Debug" {
                    let output = dotnet caller.Value [ "run"; "--no-build"; "-c"; "Debug" ]

                    for line in
                        [
                            "passed True, optimised True"
                            "Causal: 1.0000 2.0000 3.0000 4.0000 3.0000 4.0000 5.0000 6.0000 5.0000 6.0000 7.0000 8.0000 7.0000 8.0000 9.0000 10.0000"
                            "ScaledDotProduct: 1.0000 2.0000 3.0000 4.0000 3.0000 4.0000 5.0000 6.0000 5.0000 6.0000 7.0000 8.0000 7.0000 8.0000 9.0000 10.0000"
                            "ScaledDotProduct, masked: "
                            + String.concat " " (List.replicate 4 "9.0000 10.0000 11.0000 12.0000")
                        ] do
                        Expect.contains (Array.toList (output.ReplaceLineEndings("\n").Split '\n')) line "the output"
                }

                test "nothing of the compiler's is in a user's output" {
                    Expect.equal
                        (Directory.GetFiles(Path.GetDirectoryName assembly.Value, "*.dll", SearchOption.AllDirectories)
                         |> Seq.map Path.GetFileName
                         |> Seq.sort
                         |> List.ofSeq)
                        [ "FlashGen.Kernels.dll"; "FlashGen.dll"; "ILGPU.dll"; "Scratch.dll" ]
                        "the assemblies"
                }

                test "the Quickstart's own source builds against the packages" {
                    let sample = Path.Combine(root, "Samples", "Quickstart")

                    let files =
                        [
                            for file in Directory.GetFiles(sample, "*.cs") ->
                                Path.GetFileName file, File.ReadAllText file
                        ]

                    let packages =
                        File.ReadAllLines(Path.Combine(sample, "paket.references"))
                        |> Array.map (fun line -> line.Trim())
                        |> Array.filter (fun line -> line <> "")

                    scratch [ "FlashGen" ] (List.ofArray packages) files |> ignore
                }

                test "the installed tool lists, shows and verifies the variants of an assembly" {
                    let says parts arguments =
                        let code, text = flashgen (arguments @ [ "--assembly"; assembly.Value ])
                        Expect.equal code 0 $"%A{arguments} succeeds: {text}"

                        for part in parts do
                            Expect.stringContains text part $"%A{arguments}"

                    says [ "Near"; "window (int)"; "1 variants of Scratch.dll" ] [ "list" ]

                    says
                        [ "argument window scalar int"; "kept 21 of 64 pairs" ]
                        [ "show"; "Near"; "--queries"; "8"; "--arg"; "window=3" ]

                    says [ "1 of 1 kernels within tolerance" ] [ "verify"; "Near" ]
                }

                test "the installed tool has the gallery, and refuses a wrong name in one line" {
                    let code, text = flashgen [ "list" ]
                    Expect.equal code 0 text
                    Expect.stringContains text "FlashGen.Kernels.Causal" "the gallery"

                    for words in [ []; [ "--assembly"; assembly.Value ] ] do
                        for command in [ "show"; "verify" ] do
                            let code, text = flashgen ([ command; "Nearr" ] @ words)
                            Expect.equal code 1 $"{command} is refused: {text}"
                            Expect.stringStarts text "flashgen: " "a message"
                            Expect.stringContains text "has no variant 'Nearr'" "what is wrong"
                            Expect.equal (text.Trim().Split('\n').Length) 1 "and no stack trace"
                }

                test "a project tunes its own variants, and its next build takes the result" {
                    let own =
                        scratch
                            [ "FlashGen" ]
                            []
                            [
                                "Program.cs",
                                "using FlashGen;\n[Attention(32, Types = ElementTypes.Float32), Causal]\npublic static partial class Own\n{\n    static void Main() { }\n}\n"
                            ]

                    let build = [ "build"; "--no-restore"; "--nologo"; "-c"; "Debug" ]

                    let show () =
                        let assembly = Path.Combine(own, "bin", "Debug", "net10.0", "Scratch.dll")
                        let code, text = flashgen [ "show"; "Own"; "--assembly"; assembly ]
                        Expect.equal code 0 text
                        text

                    Expect.isFalse (show().Contains "tuned") "not yet"

                    let code, text =
                        run "dotnet" own (build @ [ "-t:FlashGenTune"; "-p:FlashGenTool=no-such-tool" ])

                    Expect.equal code 1 text

                    Expect.stringContains
                        text
                        "error : FlashGenTune calls 'no-such-tool', which does not start. Install it"
                        text

                    dotnet
                        own
                        (build
                         @ [
                             "-t:FlashGenTune"
                             $"-p:FlashGenTool={launcher ()}"
                             "-p:FlashGenTuneArguments=--candidates 2 --keep-texts"
                         ])
                    |> ignore

                    let plans = File.ReadAllText(Path.Combine(own, "flashgen.plans"))
                    Expect.stringStarts plans "flashgen.plans 1\n" "the file"
                    Expect.stringContains plans "\nOwn " "its variant"
                    dotnet own build |> ignore
                    Expect.stringContains (show ()) "tuned: measured on" "the build has taken it"

                    // What cannot be read is a warning on its line, which these projects make an error.
                    File.AppendAllText(Path.Combine(own, "flashgen.plans"), "nonsense\n")
                    let code, text = run "dotnet" own build
                    Expect.equal code 1 text
                    Expect.isTrue (Regex.IsMatch(text, @"flashgen\.plans\(\d+,1\): error FG0036: .* an entry is")) text
                }

                test "the packages hold what they must, and no more" {
                    Expect.equal
                        (contents "FlashGen")
                        [
                            "README.md"
                            "analyzers/dotnet/cs/FSharp.Core.dll"
                            "analyzers/dotnet/cs/FlashGen.Dsl.dll"
                            "analyzers/dotnet/cs/FlashGen.Generators.dll"
                            "buildTransitive/FlashGen.props"
                            "buildTransitive/FlashGen.targets"
                            "lib/net10.0/FlashGen.dll"
                            "lib/net10.0/FlashGen.xml"
                        ]
                        "FlashGen: the generator beside the library"

                    Expect.equal
                        (contents "FlashGen.Kernels")
                        [
                            "README.md"
                            "lib/net10.0/FlashGen.Kernels.dll"
                            "lib/net10.0/FlashGen.Kernels.xml"
                        ]
                        "the gallery"

                    let tool = contents "FlashGen.Tool"
                    Expect.contains tool "README.md" "the tool's page"
                    Expect.contains tool "tools/net10.0/any/FlashGen.Dsl.dll" "what draws coverage"

                    for name in
                        [
                            "FlashGen.Generators.dll"
                            "FSharp.Core.dll"
                            "Microsoft.CodeAnalysis.CSharp.dll"
                        ] do
                        Expect.contains tool ("tools/net10.0/any/" + name) "what tunes"

                    Expect.isEmpty
                        (tool |> List.filter (fun name -> name.StartsWith "analyzers/"))
                        "no analyzer in the tool"
                }

                test "the packages say the same of themselves" {
                    let said id =
                        [
                            for element in (metadata id).Elements() do
                                match element.Name.LocalName with
                                | "id"
                                | "description"
                                | "dependencies"
                                | "packageTypes" -> ()
                                | name -> name, element.Value
                        ]

                    let flashGen = said "FlashGen"
                    Expect.contains flashGen ("version", version) "the version"
                    Expect.contains flashGen ("readme", "README.md") "the page"

                    for id in [ "FlashGen.Kernels"; "FlashGen.Tool" ] do
                        Expect.equal (said id) flashGen id

                    let dependencies id =
                        [
                            for element in (metadata id).Descendants() do
                                if element.Name.LocalName = "dependency" then
                                    element.Attribute(XName.Get "id").Value,
                                    element.Attribute(XName.Get "version").Value
                        ]

                    Expect.equal (dependencies "FlashGen.Kernels") [ "FlashGen", version ] "the gallery needs FlashGen"
                    Expect.equal (List.map fst (dependencies "FlashGen")) [ "ILGPU" ] "which needs ILGPU"
                    Expect.isEmpty (dependencies "FlashGen.Tool") "a tool carries what it needs"
                }
            ]
    )
