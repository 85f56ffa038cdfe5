/// What the command line says to the tests themselves: `--seed N` replays a run, `--thorough` takes its time,
/// `--rewrite-snapshots` accepts what is emitted now.
module FlashGen.Tests.Settings

open System
open System.Globalization

// Read here rather than in main: lists of tests are made before it runs.
let private given = Environment.GetCommandLineArgs()

let private valueOf name =
    match Array.tryFindIndex ((=) name) given with
    | Some index when index + 1 < given.Length -> Some given[index + 1]
    | Some _ -> failwith $"{name} needs a value."
    | None -> None

let thorough = Array.contains "--thorough" given

let rewriteSnapshots = Array.contains "--rewrite-snapshots" given

let seed =
    match valueOf "--seed" with
    | None -> 20250
    | Some text ->
        match Int32.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
        | true, seed -> seed
        | _ -> failwith $"--seed is '{text}'; it must be a whole number of 32 bits."

/// Where a child writes what its kernels computed: this run is then not of the tests, but of the kernels at one width.
let kernelsInto = valueOf "--kernels-into"

/// The arguments that are left for Expecto.
let rest (arguments: string[]) =
    let rec go arguments =
        match arguments with
        | ("--seed" | "--kernels-into") :: _ :: others -> go others
        | ("--thorough" | "--rewrite-snapshots") :: others -> go others
        | other :: others -> other :: go others
        | [] -> []

    Array.ofList (go (List.ofArray arguments))
