/// The journal of measurements: all that was written is there again, whatever happened to the last line.
module FlashGen.Tests.Tool.JournalTests

open System
open System.IO
open Expecto
open FlashGen
open FlashGen.Tool.Tune
open FlashGen.Tests.Tool.Files

let private record milliseconds outcome =
    TuneRecord(
        Variant = "My.Causal",
        SpecHash = "0123456789abcdef",
        Version = "0.1.0",
        Device = "a \"CPU\"",
        DeviceClass = "avx512",
        Target = Target.Simd,
        Type = ElementType.Float32,
        HeadDim = 64,
        ValueDim = 64,
        ShapeClass = "long",
        Plan = "simd float32 d=64",
        Outcome = outcome,
        Milliseconds = milliseconds,
        DefaultMilliseconds = 1.5,
        Reason = "two\nlines",
        Flops = 1e9,
        Bytes = 1e6
    )

[<Tests>]
let tests =
    testList
        "Tool.Journal"
        [
            test "what one run wrote the next one reads, a torn last line apart" {
                inFolder (fun folder ->
                    let path = TuneJournal.PathOf(Path.Combine(folder, "flashgen.plans"))
                    let first = [ record 1.25 TuneOutcome.Ok; record 0.0 TuneOutcome.TimedOut ]

                    using (TuneJournal.Open path) (fun journal -> List.iter journal.Add first)
                    Expect.equal (File.ReadAllLines path).Length 2 "a line each"

                    // The process was killed in the middle of a line.
                    let line = TuneJournal.Line(record 9.0 TuneOutcome.Wrong)
                    File.AppendAllText(path, line.Substring(0, line.Length / 2))

                    use journal = TuneJournal.Open path
                    Expect.equal (List.ofSeq journal.Records) first "read again"
                    journal.Add(record 2.5 TuneOutcome.Ok)

                    Expect.equal
                        (List.ofSeq (TuneJournal.Parse(File.ReadAllText path)))
                        (first @ [ record 2.5 TuneOutcome.Ok ])
                        "and added to")
            }
            test "lines of no record are passed over" {
                for text in [ ""; "\n\n"; "{"; "null"; "[1]"; "{\"variant\":\"A\"}"; "text" ] do
                    Expect.isEmpty (TuneJournal.Parse text) text
            }
        ]
