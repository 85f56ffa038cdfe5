/// Declarations as text, through the generator and the compiler, to variants that run: all in memory.
module FlashGen.Tests.Kernels.InMemory

open Microsoft.CodeAnalysis.CSharp
open FlashGen
open FlashGen.Tests.Generator

/// A declaration compiled with what the generator wrote for it: user's files and generated ones, by path.
let generate (source: string) =
    let compilation = Compile.source source
    let outcome = Compile.runAll compilation

    match outcome.Reported, outcome.Compiler with
    | [], [] -> compilation, outcome.Sources
    | reported, wrong -> failwith $"The generator or the compiler refuses:\n{reported}\n{wrong}\n{source}"

/// The variants of a compilation and its generated files, loaded.
let load (compilation: CSharpCompilation, generated: (string * string) list) =
    compilation
        .WithAssemblyName($"InMemory{System.Guid.NewGuid():N}")
        .AddSyntaxTrees([| for path, text in generated -> Compile.file path text |])
    |> Compile.load
    |> AttentionVariant.In
    |> List.ofSeq
