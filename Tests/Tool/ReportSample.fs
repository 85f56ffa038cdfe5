/// What a made-up tuning measured, and its page.
module FlashGen.Tests.Tool.ReportSample

open System
open System.IO
open Expecto
open FlashGen
open FlashGen.Dsl
open FlashGen.Tool.Tune
open FlashGen.Tool.Tune.Report
open FlashGen.Tests.Tool.Files

let hash = "0123456789abcdef"

let work shapeClass =
    match shapeClass with
    | "decode" -> 8.6e7, 4.3e7
    | "short" -> 1.1e9, 6.3e6
    | _ -> 8.6e9, 2.5e7

let record variant target shapeClass isDefault outcome milliseconds byDefault reason plan =
    let flops, bytes = work shapeClass

    TuneRecord(
        Variant = variant,
        SpecHash = hash,
        Version = "0.1.0",
        Device = "a \"device\" <&>",
        DeviceClass = (if target = Target.Simd then "avx512" else "sm_90"),
        Target = target,
        Type =
            (if target = Target.Simd then
                 FlashGen.ElementType.Float32
             else
                 FlashGen.ElementType.Float16),
        HeadDim = 128,
        ValueDim = 128,
        ShapeClass = shapeClass,
        Shape = "batch 1, heads 2 over 1",
        Plan = plan,
        IsDefault = isDefault,
        Outcome = outcome,
        Milliseconds = milliseconds,
        DefaultMilliseconds = byDefault,
        Rounds = 12,
        Reason = reason,
        Flops = flops,
        Bytes = bytes
    )

let simd shapeClass m n rows keys =
    let panels = m / (rows * 16)
    $"simd float32 d=128 dv=128 %s{shapeClass} m=%d{m} n=%d{n} bits=512 rows=%d{rows} panels=%d{panels} keys=%d{keys} values=8"

let tensor m n stages =
    $"sm90 float16 d=128 dv=128 long m=%d{m} n=%d{n} warps=%d{m / 16} stages=%d{stages}"

let causal = "My.Namespace.Causal"

/// No C# class has this name, which is the point.
let odd = "My.Odd<T> & \"quoted\" 'name'"

/// Times of a made-up machine that likes a tile of 256 x 128.
let timeOf m n rows keys =
    let off size best = abs (Math.Log2(float size / best))

    10.0
    * (1.0
       + 0.09 * off m 256.0
       + 0.14 * off n 128.0
       + 0.05 * float (abs (rows - 2))
       + 0.02 * float (abs (keys - 8)))

let simdRecords variant shapeClass scale =
    let byDefault = scale * timeOf 128 64 2 8

    [
        for m in [ 64; 128; 256; 512 ] do
            for n in [ 32; 64; 128; 192; 256 ] do
                let plan = simd shapeClass m n 2 8
                let time = scale * timeOf m n 2 8

                if (m, n) = (512, 256) then
                    record
                        variant
                        Target.Simd
                        shapeClass
                        false
                        TuneOutcome.Refused
                        0.0
                        0.0
                        "512 x 256 needs 1200 KB of scratch a thread; simd has 1024 KB."
                        plan
                elif (m, n) <> (64, 256) then
                    record variant Target.Simd shapeClass ((m, n) = (128, 64)) TuneOutcome.Ok time byDefault "" plan
        // Another schedule of a tile that is there, slower.
        record
            variant
            Target.Simd
            shapeClass
            false
            TuneOutcome.Ok
            (scale * timeOf 256 128 4 6)
            byDefault
            ""
            (simd shapeClass 256 128 4 6)
    ]

let failures =
    [
        TuneOutcome.Wrong, "Row 3 is off by 0.5; at most 0.001 is <allowed> & usual.", tensor 64 64 2
        TuneOutcome.Failed, "error CS1002: ; expected\n   in line 7\u0001\ud800", tensor 64 96 2
        TuneOutcome.TimedOut, "There was no end after 60 s.", tensor 64 128 2
        TuneOutcome.OutOfMemory, "The device has no memory left.", tensor 64 160 2
    ]

let records =
    [
        for shapeClass, scale in [ "long", 1.0; "short", 0.12; "decode", 0.8 ] do
            yield! simdRecords causal shapeClass scale

        yield! simdRecords odd "long" 2.0

        for m in [ 64; 128 ] do
            for n in [ 64; 96; 128; 160 ] do
                for stages in [ 1; 2 ] do
                    let plan = tensor m n stages

                    if failures |> List.forall (fun (_, _, failed) -> failed <> plan) then
                        let time = 0.02 * timeOf (2 * m) n 2 (7 + stages)
                        record odd Target.Sm90 "long" ((m, n, stages) = (128, 96, 2)) TuneOutcome.Ok time 0.2 "" plan

        for outcome, reason, plan in failures do
            record odd Target.Sm90 "long" false outcome 0.0 0.0 reason plan
        // Nothing of this kernel ran.
        record causal Target.Sm90 "long" true TuneOutcome.Failed 0.0 0.0 "No kernel can be loaded." (tensor 128 128 2)
    ]

let planOf text =
    Expect.wantOk (PlanText.parse text) "a plan"

let entry variant deviceClass plan milliseconds byDefault =
    {
        Variant = variant
        SpecHash = hash
        Tuned =
            {
                DeviceClass = deviceClass
                Plan = planOf plan
                Milliseconds = milliseconds
                DefaultMilliseconds = byDefault
            }
    }

let chosen =
    [
        entry causal "avx512" (simd "long" 256 128 2 8) 10.0 12.3
        entry causal "avx512" (simd "decode" 256 192 2 8) 8.4 9.84
        entry odd "sm_90" (tensor 128 128 2) 0.2 0.21
    ]

let machine =
    TuneMachine(
        "a \"device\" <&>",
        "avx512",
        "0.1.0",
        MachineRoofs(5.0e10, 1.1e12, 5.5e11, 9.9e13, "made up for a test")
    )

let pageOf records chosen machine =
    let mutable text = ""

    inFolder (fun folder ->
        let path = Path.Combine(folder, "report.html")
        TuneReport.Write(path, records, chosen, machine)
        text <- File.ReadAllText path
        Expect.equal (Directory.GetFiles folder) [| path |] "nothing else is written")

    text
