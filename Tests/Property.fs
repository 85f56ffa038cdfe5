/// Properties as Expecto tests: one seed for the whole run, named where a property fails, given back by an environment variable.
module FlashGen.Tests.Property

open System
open System.Globalization
open Expecto
open FsCheck
open FsCheck.FSharp

let private seedVariable = "FLASHGEN_SEED"

/// The run's seed: FLASHGEN_SEED if it is set, or that of the command line, else a new one each time.
let seed =
    match Environment.GetEnvironmentVariable seedVariable with
    | null
    | "" ->
        match Settings.givenSeed with
        | Some given -> uint64 given
        | None -> uint64 (Random.Shared.NextInt64())
    | text -> UInt64.Parse(text, CultureInfo.InvariantCulture)

/// A test that `check` raises nothing for `count` random values; one that it raises for is made smaller and reported.
let property name count (arbitrary: Arbitrary<'a>) (check: 'a -> unit) =
    testCase name (fun () ->
        let config =
            Config.QuickThrowOnFailure
                .WithMaxTest(count)
                .WithQuietOnSuccess(true)
                .WithReplay(
                    Some
                        {
                            Rnd = Rnd(seed, 0x9E3779B97F4A7C15UL)
                            Size = None
                        }
                )

        try
            Check.One(config, Prop.forAll arbitrary check)
        with failure ->
            failtestf "%s\n%s=%d replays this." failure.Message seedVariable seed)
