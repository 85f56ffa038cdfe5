/// A device sets its fault word where a reached read or division has no answer, and nowhere else.
module FlashGen.Tests.Portable.FaultTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Kernels.Calls

let private shape queries keys =
    AttentionShape(1, 2, 1, queries, keys, 8)

/// Whether a call faults: float32 and float64 walk through a mod differently, and must agree.
let private faults name (shape: AttentionShape) (arguments: ModArguments) =
    let variant = variant ("Faults." + name)
    use kernels = variant.Load Devices.simulator.Value

    let narrow, wide =
        float32s (Random 1) variant shape, float64s (Random 1) variant shape

    let count = int (shape.OutputElements variant.Layout)

    let inFloat32, _ =
        Devices.run<float32, float32>
            kernels
            shape
            (narrow.Query, narrow.Key, narrow.Value)
            arguments
            (Array.zeroCreate count)
            [||]

    let inFloat64, _ =
        Devices.run<float, float>
            kernels
            shape
            (wide.Query, wide.Key, wide.Value)
            arguments
            (Array.zeroCreate count)
            [||]

    Expect.equal inFloat32 inFloat64 "both types"
    inFloat32

/// What must fault and what must not, by whether a call of a variant of this name faults.
let cases (faults: string -> AttentionShape -> ModArguments -> bool) =
    [
        test "a table too short by one, in a mask over keys" {
            for keys in [ 1; 40; 70 ] do
                let marks count =
                    ModArguments().Add("marks", Array.create count 1)

                Expect.isTrue (faults "MaskByKey" (shape 40 keys) (marks (keys - 1))) $"{keys} keys, one less"
                Expect.isFalse (faults "MaskByKey" (shape 40 keys) (marks keys)) $"{keys} keys"
        }

        test "keys beyond the lengths read nothing" {
            let shape =
                AttentionShape(2, 1, 1, 33, 70, 8, KeyLengths = ReadOnlyMemory [| 40; 33 |])

            let marks count =
                ModArguments().Add("marks", Array.create count 1)

            Expect.isFalse (faults "MaskByKey" shape (marks 40)) "as many as the longest has"
            Expect.isTrue (faults "MaskByKey" shape (marks 39)) "one less"
        }

        test "rows before the first key read nothing, though their position is negative" {
            let shape = AttentionShape(1, 1, 1, 70, 60, 8, Offsets = ReadOnlyMemory [| -30 |])

            let marks count =
                ModArguments().Add("marks", Array.create count 1uy)

            Expect.isFalse (faults "MaskByPosition" shape (marks 40)) "up to the last position"
            Expect.isTrue (faults "MaskByPosition" shape (marks 39)) "one less"
        }

        test "a score change reads for kept pairs only" {
            let pairs count =
                ModArguments().Add("pairs", Array.create count 0.5f)

            Expect.isFalse (faults "ScoreByPair" (shape 50 50) (pairs 2500)) "all pairs"
            Expect.isTrue (faults "ScoreByPair" (shape 50 50) (pairs 2499)) "one less"
            let oneRow = AttentionShape(1, 1, 1, 1, 50, 8, Offsets = ReadOnlyMemory [| 0 |])
            Expect.isFalse (faults "ScoreByPair" oneRow (pairs 4)) "the keys that one row keeps"
            Expect.isTrue (faults "ScoreByPair" oneRow (pairs 3)) "one less"
        }

        test "a guard that is a bound does not hide reads behind it" {
            for queries in [ 1; 40 ] do
                for mark in [ 0; 1 ] do
                    let arguments ending =
                        ModArguments().Add("marks", Array.create 16 mark).Add("end", ending)

                    Expect.isFalse (faults "GuardedByBound" (shape queries 200) (arguments 16)) "up to the table's end"
                    Expect.isTrue (faults "GuardedByBound" (shape queries 200) (arguments 17)) "one more"
                    Expect.isTrue (faults "GuardedByBound" (shape queries 200) (arguments 200)) "all keys"
        }

        test "rows whose reads are reached for some keys alone" {
            for mark in [ 0; 1 ] do
                let arguments from =
                    ModArguments().Add("marks", Array.create 39 mark).Add("from", from)

                Expect.isFalse (faults "GuardedByKey" (shape 40 200) (arguments 64)) "for none"
                Expect.isTrue (faults "GuardedByKey" (shape 40 200) (arguments 63)) "for some"
        }

        test "a bound that reads by query" {
            let ends count =
                ModArguments().Add("ends", Array.create count 30)

            for queries in [ 1; 40; 150 ] do
                Expect.isFalse (faults "BoundByQuery" (shape queries 60) (ends queries)) $"{queries} queries"
                Expect.isTrue (faults "BoundByQuery" (shape queries 60) (ends (queries - 1))) $"{queries}, one less"

            let none = AttentionShape(1, 2, 1, 40, 60, 8, KeyLengths = ReadOnlyMemory [| 0 |])
            Expect.isFalse (faults "BoundByQuery" none (ends 0)) "without keys nothing is read"
        }

        test "a division by zero, where it is reached" {
            let divisors = Array.create 60 2
            divisors[37] <- 0

            let guard key =
                ModArguments().Add("divisors", divisors).Add("guard", key)

            Expect.isTrue (faults "Divided" (shape 40 60) (guard 36)) "reached"
            Expect.isFalse (faults "Divided" (shape 40 60) (guard 37)) "not reached"
        }
    ]

[<Tests>]
let tests = testSequenced (testList "Portable.Faults" (cases faults))
