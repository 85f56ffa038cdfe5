/// The tuning file: what it says is read back, and what is wrong in it is told with its line.
module FlashGen.Tests.Dsl.PlanFileTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open FlashGen.Dsl
open FlashGen.Tests.Property

let private simd bits elementType dims shapeClass (rows, panels, keys, values) blockN =
    let schedule =
        {
            VectorBits = bits
            RowVectors = rows
            Panels = panels
            KeyUnroll = keys
            ValueUnroll = values
        }

    {
        Target = Simd
        Type = elementType
        Dims = dims
        ShapeClass = shapeClass
        BlockM = panels * rows * TilePlan.lanes elementType bits
        BlockN = blockN
        Schedule = SimdSchedule schedule
    }

/// Plans that kernels can be emitted for.
let private plans =
    gen {
        let! elementType = Gen.elements [ Float16; BFloat16; Float32; Float64 ]
        let! headDim = Gen.choose (1, 256)
        let! valueDim = Gen.elements [ 32; 64; 96; 128; 192; 256 ]
        let! shapeClass = Gen.elements [ Short; ShapeClass.Long; Decode ]

        let dims =
            {
                HeadDim = headDim
                ValueDim = valueDim
            }

        let! bits = Gen.elements [ 512; 256; 128 ]
        let! rows = Gen.elements [ 1; 2; 3 ]
        let! panels = Gen.choose (1, 16)
        let! keys = Gen.choose (2, 8)
        let! values = Gen.choose (2, 8)
        let! blockN = Gen.choose (1, 512)
        let! threads = Gen.elements [ 16; 32; 64; 128; 256 ]
        let! threadRows = Gen.elements [ 4; 8 ]
        let! keysOf32 = Gen.choose (1, 4)
        let! slice = Gen.elements [ 16, 32; 32, 32; 32, 64; 64, 64 ]
        let! warps = Gen.elements [ 4; 8; 12 ]
        let! stages = Gen.elements [ 1; 2 ]

        let portable =
            {
                Target = Portable
                Type = elementType
                Dims = dims
                ShapeClass = shapeClass
                BlockM = threads / 8 * threadRows
                BlockN = 32 * keysOf32
                Schedule =
                    PortableSchedule
                        {
                            Threads = threads
                            ThreadRows = threadRows
                            ThreadColumns = 4 * keysOf32
                            HeadSlice = fst slice
                            ValueSlice = snd slice
                        }
            }

        let tensor =
            {
                Target = Sm90
                Type = elementType
                Dims = dims
                ShapeClass = shapeClass
                BlockM = 16 * warps
                BlockN = 16 * keysOf32
                Schedule = TensorSchedule { Warps = warps; Stages = stages }
            }

        return!
            Gen.elements
                [
                    simd bits elementType dims shapeClass (rows, panels, keys, values) blockN
                    portable
                    tensor
                ]
    }
    |> Gen.filter (fun plan -> Result.isOk (PlanFile.check plan))

let private deviceClass (plan: TilePlan) =
    match plan.Schedule with
    | SimdSchedule schedule -> PlanFile.simdClass schedule.VectorBits
    | PortableSchedule _ -> "opencl-gfx90a"
    | TensorSchedule _ -> "sm_90"

let private entries =
    gen {
        let! variant = Gen.elements [ "A"; "My.Causal"; "My.Outer+Inner"; "Größe" ]
        let! digits = Gen.listOfLength 16 (Gen.elements (List.ofSeq "0123456789abcdef"))
        let! plan = plans
        let! time = Gen.choose (1, 100000000)
        let! defaultTime = Gen.choose (1, 100000000)

        return
            {
                Variant = variant
                SpecHash = String(Array.ofList digits)
                Tuned =
                    {
                        DeviceClass = deviceClass plan
                        Plan = plan
                        Milliseconds = Math.Round(float time / 10000.0, 4)
                        DefaultMilliseconds = Math.Round(float defaultTime / 10000.0, 4)
                    }
            }
    }

let private files =
    Gen.listOf entries |> Gen.map (List.distinctBy PlanFile.key) |> Arb.fromGen

let private entry =
    {
        Variant = "My.Causal"
        SpecHash = "0123456789abcdef"
        Tuned =
            {
                DeviceClass = "avx512"
                Plan = simd 512 Float32 { HeadDim = 64; ValueDim = 64 } ShapeClass.Long (2, 8, 8, 8) 128
                Milliseconds = 1.25
                DefaultMilliseconds = 1.5
            }
    }

let private good =
    "My.Causal 0123456789abcdef avx512 time=1.2500 default=1.5000 simd float32 d=64 dv=64 long m=256 n=128 bits=512 rows=2 panels=8 keys=8 values=8"

/// The line that is wrong is told with the reason, and the good one is read all the same.
let private fault name (line: string) (reason: string) =
    test name {
        let file =
            PlanFile.parse ("flashgen.plans 1\n# comment\n\n" + line + "\n" + good + "\n")

        Expect.equal (file.Entries |> List.map snd) [ entry ] "the good line"

        match file.Faults with
        | [ fault ] ->
            Expect.equal fault.Line 4 "line"
            Expect.stringContains fault.Reason reason "reason"
        | faults -> failtest $"%A{faults}"
    }

[<Tests>]
let tests =
    testList
        "PlanFile"
        [
            property "what is printed is read back, in one order" 300 files (fun entries ->
                let text = PlanFile.print entries
                let file = PlanFile.parse text
                Expect.isEmpty file.Faults "faults"

                Expect.equal
                    (List.sortBy PlanFile.key (List.map snd file.Entries))
                    (List.sortBy PlanFile.key entries)
                    "entries"

                Expect.equal (PlanFile.print (List.rev entries)) text "the order of entries does not matter"
                Expect.equal (PlanFile.print (List.map snd file.Entries)) text "and it is stable")
            property "lines that are cut anywhere are faults or entries, and never throw" 300 files (fun entries ->
                let text = PlanFile.print entries

                for length in 0 .. max 1 (text.Length / 40) .. text.Length do
                    let file = PlanFile.parse (text.Substring(0, length))
                    Expect.isLessThanOrEqual file.Entries.Length entries.Length "entries")
            test "a line says the plan and both times" {
                Expect.equal
                    (PlanFile.print [ entry ])
                    ("flashgen.plans 1\n# Written by flashgen tune; times are in milliseconds.\n"
                     + good
                     + "\n")
                    "text"
            }
            test "Windows' line ends and a byte order mark are read" {
                let file = PlanFile.parse ("\uFEFFflashgen.plans 1\r\n" + good + "\r\n")

                Expect.equal
                    file
                    { PlanFile.empty with
                        Entries = [ 2, entry ]
                    }
                    "file"
            }
            test "comments stay with their entries, and those of entries that are gone at the end" {
                let other = { entry with Variant = "My.Another" }

                let text =
                    PlanFile
                        .print([ entry; other ])
                        .Replace("My.Causal", "# ours\n#  and more\nMy.Causal")
                        .Replace("My.Another", "# theirs\nMy.Another")
                    + "# last\n"

                let file = PlanFile.parse text
                let entries = List.map snd file.Entries
                Expect.equal (PlanFile.printWith file.Comments entries) text "as it was"
                Expect.stringContains text "# theirs\nMy.Another" "the other entry comes first"

                Expect.stringEnds
                    (PlanFile.printWith file.Comments [ other ])
                    "# ours\n#  and more\n# last\n"
                    "without the first"
            }
            test "another version has no entries and says so" {
                for text, reason in
                    [
                        "flashgen.plans 2\n" + good, "version '2'; this FlashGen reads version 1"
                        good, "the first line is not 'flashgen.plans 1'"
                        "", "the first line is not 'flashgen.plans 1'"
                    ] do
                    let file = PlanFile.parse text
                    Expect.isEmpty file.Entries "entries"
                    Expect.equal [ for fault in file.Faults -> fault.Line ] [ 1 ] "line"
                    Expect.stringContains file.Faults.Head.Reason reason "reason"
            }
            test "the second entry for a kernel is a fault" {
                let file =
                    PlanFile.parse ("flashgen.plans 1\n" + good + "\n" + good.Replace("n=128", "n=64"))

                Expect.equal file.Entries [ 2, entry ] "the first"
                Expect.equal [ for fault in file.Faults -> fault.Line ] [ 3 ] "the second"
                Expect.stringContains file.Faults.Head.Reason "line 2" "reason"
            }
            fault "too few words" "My.Causal 0123456789abcdef avx512" "an entry is"
            fault "no hash" (good.Replace("0123456789abcdef", "0123")) "'0123' is no hash"
            fault "a time that is none" (good.Replace("time=1.2500", "time=-1")) "'time=-1' is no time"
            fault "no time" (good.Replace("time=1.2500", "1.25")) "'1.25' should be time=MILLISECONDS"
            fault "a plan that is none" (good.Replace("rows=2", "rows=two")) "'rows=two'"
            fault "a plan with something missing" (good.Replace(" keys=8", "")) "'keys' is missing"
            fault "a plan with something more" (good + " more=1") "the plan in canonical text is"
            fault "an unknown target" (good.Replace("simd", "abacus")) "abacus"
            fault "rows that are not the panels'" (good.Replace("m=256", "m=255")) "m is panels times rows"
            fault "a class of other vectors" (good.Replace("avx512", "avx2")) "is for avx512, not for 'avx2'"
            fault "a plan beyond the registers" (good.Replace("keys=8", "keys=16")) "registers; simd has 32"
            fault
                "a plan beyond the memory"
                ("My.Causal 0123456789abcdef sm_90 time=1.0000 default=1.0000 "
                 + "sm90 float16 d=256 dv=256 long m=128 n=96 warps=8 stages=2")
                "KB of shared memory; sm90 has 227 KB"
            fault "a number beyond any" (good.Replace("rows=2", "rows=1073741824")) "rows are at most 8"
        ]
