/// Reached reads outside a table, and divisions by zero, throw and say where; unreached ones are no fault.
module FlashGen.Tests.Kernels.FaultTests

open System
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels.Calls

let private shape queries keys =
    AttentionShape(2, 2, 1, queries, keys, 8)

/// Both element sizes: their kernels walk through a mod differently.
let private both name (shape: AttentionShape) (arguments: ModArguments) =
    let variant = variant ("Faults." + name)
    let random = Random Settings.seed

    [
        (fun () ->
            run32 variant shape (float32s random variant shape) arguments AttentionOptions.Default
            |> ignore)
        (fun () ->
            run64 variant shape (float64s random variant shape) arguments AttentionOptions.Default
            |> ignore)
    ]

let private faults name shape arguments table index length isPlace =
    for run in both name shape arguments do
        try
            run ()
            failtest $"{name}: nothing was thrown"
        with :? TableReadException as fault ->
            Expect.equal (fault.Table, fault.Index, fault.Length) (table, index, length) "table, index, length"
            Expect.isTrue fault.At.HasValue "the place is known"
            Expect.isTrue (isPlace fault.At.Value) $"place {fault.At}"

            for part in [ $"'{table}'"; string<int64> index; string<int64> length; "query"; "key" ] do
                Expect.stringContains fault.Message part "message"

let private passes name shape arguments =
    for run in both name shape arguments do
        run ()

[<Tests>]
let reads =
    testList
        "Kernels.Faults.Reads"
        [
            test "a table too short by one, in a mask over keys" {
                for keys in [ 1; 40; 130; 300 ] do
                    faults
                        "MaskByKey"
                        (shape 50 keys)
                        (ModArguments().Add("marks", Array.create (keys - 1) 1))
                        "marks"
                        (int64 keys - 1L)
                        (int64 keys - 1L)
                        (fun (at: Position) -> at.Key = keys - 1)

                    passes "MaskByKey" (shape 50 keys) (ModArguments().Add("marks", Array.create keys 1))
            }

            test "a guard that is a bound does not hide reads behind it, whatever the table's last element is" {
                for queries in [ 1; 4; 50 ] do
                    for mark in [ 0; 1 ] do
                        let arguments ending =
                            ModArguments().Add("marks", Array.create 16 mark).Add("end", ending)

                        passes "GuardedByBound" (shape queries 200) (arguments 16)

                        for ending in [ 17; 40; 200 ] do
                            faults
                                "GuardedByBound"
                                (shape queries 200)
                                (arguments ending)
                                "marks"
                                16L
                                16L
                                (fun (at: Position) -> at.Key = 16)
            }

            test "rows whose reads are reached for some keys alone" {
                for queries in [ 2; 4; 50 ] do
                    for mark in [ 0; 1 ] do
                        let arguments from =
                            ModArguments().Add("marks", Array.create (queries - 1) mark).Add("from", from)

                        passes "GuardedByKey" (shape queries 200) (arguments 64)

                        faults
                            "GuardedByKey"
                            (shape queries 200)
                            (arguments 63)
                            "marks"
                            (int64 queries - 1L)
                            (int64 queries - 1L)
                            (fun (at: Position) -> at.Query = queries - 1)
            }

            test "of a table far too short, the first index outside is named" {
                for length in [ 1; 7; 40; 299 ] do
                    faults
                        "MaskByKey"
                        (shape 50 300)
                        (ModArguments().Add("marks", Array.create length 1))
                        "marks"
                        (int64 length)
                        (int64 length)
                        (fun at -> (at.Batch, at.Head, at.Query, at.Key) = (0, 0, 0, length))

                // Causal: the first key outside is seen by the last queries only. Behind it, positions are those of the keys.
                for length in [ 1; 20; 69 ] do
                    faults
                        "MaskByPosition"
                        (AttentionShape(1, 2, 1, 100, 60, 8, Offsets = ReadOnlyMemory [| -30 |]))
                        (ModArguments().Add("marks", Array.create length 1uy))
                        "marks"
                        (int64 length)
                        (int64 length)
                        (fun at -> at.QueryPosition = length && at.Key = 0)

                // Row by row, three keys on either side of the diagonal: faults begin in the last rows' windows.
                faults
                    "ScoreByPair"
                    (shape 200 200)
                    (ModArguments().Add("pairs", Array.create (199 * 200) 0.5f))
                    "pairs"
                    (199L * 200L + 196L)
                    (199L * 200L)
                    (fun at -> at.Query = 199 && at.Key = 196)
            }

            test "an empty table" {
                faults "MaskByKey" (shape 3 5) (ModArguments().Add("marks", Array.empty<int>)) "marks" 0L 0L (fun at ->
                    at.Key = 0)

                passes "MaskByKey" (shape 3 0) (ModArguments().Add("marks", Array.empty<int>))
            }

            test "keys beyond the lengths read nothing" {
                let shape =
                    AttentionShape(2, 2, 1, 50, 90, 8, KeyLengths = ReadOnlyMemory [| 40; 33 |])

                passes "MaskByKey" shape (ModArguments().Add("marks", Array.create 40 1))

                faults "MaskByKey" shape (ModArguments().Add("marks", Array.create 39 1)) "marks" 39L 39L (fun at ->
                    at.Batch = 0 && at.Key = 39)
            }

            test "rows before the first key read nothing, though their position is negative" {
                let shape = AttentionShape(1, 2, 1, 100, 60, 8, Offsets = ReadOnlyMemory [| -30 |])

                passes "MaskByPosition" shape (ModArguments().Add("marks", Array.create 70 1uy))

                faults
                    "MaskByPosition"
                    shape
                    (ModArguments().Add("marks", Array.create 69 1uy))
                    "marks"
                    69L
                    69L
                    (fun at -> at.Query = 99)
            }

            test "a score change reads for kept pairs only" {
                let pairs count =
                    ModArguments().Add("pairs", Array.create count 0.5f)

                passes "ScoreByPair" (shape 200 200) (pairs (200 * 200))

                faults
                    "ScoreByPair"
                    (shape 200 200)
                    (pairs (200 * 200 - 1))
                    "pairs"
                    (200L * 200L - 1L)
                    (200L * 200L - 1L)
                    (fun at -> at.Query = 199 && at.Key = 199)

                // Of the first row only keys 0 to 3 are kept: four entries are all that one row of queries needs.
                let oneRow = AttentionShape(1, 1, 1, 1, 200, 8, Offsets = ReadOnlyMemory [| 0 |])

                passes "ScoreByPair" oneRow (pairs 4)
                faults "ScoreByPair" oneRow (pairs 3) "pairs" 3L 3L (fun at -> at.Key = 3)
            }

            test "a read that a score leads outside is an error too" {
                let variant = variant "Faults.ScoreByScore"
                let shape = shape 20 30
                let tensors = float32s (Random 1) variant shape

                let steps count =
                    ModArguments().Add("steps", Array.create count 0.25f)

                run32 variant shape tensors (steps 1000) AttentionOptions.Default |> ignore

                let thrown =
                    try
                        run32 variant shape tensors (steps 1) AttentionOptions.Default |> ignore
                        null
                    with fault ->
                        fault

                match thrown with
                | :? TableReadException
                | :? InvalidOperationException -> Expect.stringContains thrown.Message "table" "message"
                | other -> failtest $"{other} instead of a fault"
            }

            test "guarded reads are no faults, in all the cases of the property" {
                let variant = variant "GuardedReads"

                for number in 0..7 do
                    let case = Cases.make Settings.seed variant number

                    for element in Outcomes.declared variant do
                        Expect.equal (element.Run(case, AttentionOptions.Default)).Failure "" $"{case}"
            }
        ]

[<Tests>]
let divisions =
    testList
        "Kernels.Faults.Divisions"
        [
            test "a reached division by zero throws and says where" {
                let divisors = Array.create 60 2
                divisors[37] <- 0

                for run in both "Divided" (shape 70 60) (ModArguments().Add("divisors", divisors).Add("guard", 36)) do
                    try
                        run ()
                        failtest "nothing was thrown"
                    with :? DivideByZeroException as fault ->
                        for part in [ "batch"; "head"; "query"; "key 37" ] do
                            Expect.stringContains fault.Message part "message"
            }

            test "one that is not reached does not" {
                let divisors = Array.create 60 2
                divisors[37] <- 0
                passes "Divided" (shape 70 60) (ModArguments().Add("divisors", divisors).Add("guard", 37))
            }
        ]
