/// The packed packages, used from a project outside the repository, in the Debug configuration that a newcomer builds.
module FlashGen.Tests.Package.PackageTests

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Expecto

let private root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))

/// Runs dotnet and gives its output; a failure shows all of it.
let private dotnet folder (arguments: string list) =
    let start =
        ProcessStartInfo(
            "dotnet",
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    List.iter start.ArgumentList.Add arguments

    for name, value in
        [
            "DOTNET_CLI_TELEMETRY_OPTOUT", "1"
            "DOTNET_NOLOGO", "1"
            "MSBUILDDISABLENODEREUSE", "1"
            "UseSharedCompilation", "false"
            "DOTNET_CLI_USE_MSBUILD_SERVER", "0"
        ] do
        start.Environment[name] <- value

    use run = Process.Start start
    let errors = run.StandardError.ReadToEndAsync()
    let output = run.StandardOutput.ReadToEnd()
    run.WaitForExit()
    let all = output + errors.Result

    if run.ExitCode <> 0 then
        let said = String.concat " " arguments
        failtest $"dotnet {said} ends with {run.ExitCode}:\n{all}"

    all

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

let private project (packages: string) names =
    let items =
        [
            $"<PackageReference Include=\"FlashGen\" Version=\"[{version}]\" />"
            for name in names do
                $"<PackageReference Include=\"{name}\" Version=\"[{references name}]\" />"
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
    """using FlashGen;

var shape = new AttentionShape(batch: 1, queryHeads: 2, keyHeads: 2, queryLength: 70, keyLength: 90, headDim: 32);
float[] Fill(long count) => [.. Enumerable.Range(0, (int)count).Select(i => MathF.Sin(i * 0.37f))];
float[] query = Fill(2 * 70 * 32), key = Fill(2 * 90 * 32), value = Fill(2 * 90 * 32), output = new float[2 * 70 * 32];
var logSumExp = new float[2 * 70];
Near.Forward(query, key, value, output, shape, window: 20, logSumExp);
var arguments = new ModArguments { { "window", 20 } };
ErrorReport report = Reference.Verify<float, float>(Near.Variant, query, key, value, output, logSumExp, shape, arguments);
Console.WriteLine($"passed {report.Passed}, optimised {Near.Variant.Optimized}");

[Attention(32, Types = ElementTypes.Float32)]
[Causal]
public static partial class Near
{
    [MaskMod]
    static bool Keep(in Position at, int window) => at.QueryPosition - at.Key < window;
}
"""

/// The packages, packed from what this run was built from.
let private packed =
    lazy
        (let folder = Directory.CreateTempSubdirectory "flashgen-packages-"

         AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> folder.Delete true)

         for part in [ "Runtime"; "Kernels.Generated" ] do
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
                     folder.FullName
                     part
                 ]
             |> ignore

         folder.FullName)

/// A folder with a project that references the package, built in Debug; what `use'` says of it.
let private inScratch packages (files: (string * string) list) use' =
    let folder = Directory.CreateTempSubdirectory "flashgen-scratch-"

    try
        let path name = Path.Combine(folder.FullName, name)

        for name, text in files do
            File.WriteAllText(path name, text)

        File.WriteAllText(path "Scratch.csproj", project (path "packages") packages)

        dotnet folder.FullName [ "restore"; "--nologo"; "--source"; packed.Value ]
        |> ignore

        dotnet folder.FullName [ "build"; "--no-restore"; "--nologo"; "-c"; "Debug" ]
        |> ignore

        use' folder.FullName
    finally
        folder.Delete true

[<Tests>]
let package =
    testSequenced (
        testList
            "Package"
            [
                test "a variant declared outside the repository runs, optimised though the build is Debug" {
                    inScratch [] [ "Program.cs", program ] (fun folder ->
                        let output = dotnet folder [ "run"; "--no-build"; "-c"; "Debug" ]
                        Expect.stringContains output "passed True, optimised True" "the program's output"

                        Expect.isEmpty
                            (Directory.GetFiles(
                                Path.Combine(folder, "bin"),
                                "FSharp.Core.dll",
                                SearchOption.AllDirectories
                            ))
                            "FSharp.Core stays in the compiler")
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

                    inScratch (List.ofArray packages) files ignore
                }

                test "the gallery's package is made, and depends on FlashGen" {
                    let file =
                        Directory.GetFiles(packed.Value, "FlashGen.Kernels.*.nupkg") |> Array.exactlyOne

                    use archive = Compression.ZipFile.OpenRead file

                    let entry =
                        archive.Entries
                        |> Seq.find (fun entry -> entry.Name = "FlashGen.Kernels.nuspec")

                    use reader = new StreamReader(entry.Open())
                    Expect.stringContains (reader.ReadToEnd()) "<dependency id=\"FlashGen\"" "the dependency"
                }
            ]
    )
