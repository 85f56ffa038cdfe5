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

/// The seed that was asked for.
let givenSeed =
    valueOf "--seed"
    |> Option.map (fun text ->
        match Int32.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
        | true, seed -> seed
        | _ -> failwith $"--seed is '{text}'; it must be a whole number of 32 bits.")

/// The seed of this run's random calls of kernels: the same in every run unless another is asked for.
let seed = Option.defaultValue 20250 givenSeed

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
