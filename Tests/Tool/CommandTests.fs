module FlashGen.Tests.Tool.CommandTests

open System
open System.IO
open System.Xml.Linq
open Expecto
open FlashGen
open FlashGen.Kernels
open FlashGen.Tests.Tool.Files

let private dllOf (inside: Type) = inside.Assembly.Location

[<Tests>]
let tests =
    testList
        "Tool.Commands"
        [
            testCase "list names every variant of the gallery, and those of another assembly"
            <| fun () ->
                let gallery = succeeds [ "list" ]

                for variant in AttentionVariant.In typeof<Causal>.Assembly do
                    Expect.stringContains gallery variant.Name "listed"

                Expect.equal
                    (succeeds [ "list"; "--assembly"; dllOf typeof<Causal> ] |> String.length > 200)
                    true
                    "by file"

            testCase "show prints declaration, plans and coverage"
            <| fun () ->
                let text =
                    succeeds [ "show"; "causal"; "--queries"; "128"; "--keys"; "256"; "--block"; "64x64" ]

                for part in
                    [
                        "FlashGen.Kernels.Causal"
                        "bottom-right"
                        "float32"
                        "m=256 n=128"
                        "short, to 1024 keys"
                        "████▒▒· "
                        "██████▒▒"
                        "full 5   ▒▒ partial 2   ·  empty 1"
                        "kept 24640 of 32768 pairs"
                    ] do
                    Expect.stringContains text part "shown"

                let topLeft =
                    succeeds
                        [
                            "show"
                            "Causal"
                            "--queries"
                            "128"
                            "--keys"
                            "256"
                            "--block"
                            "64x64"
                            "--align"
                            "top-left"
                        ]

                Expect.stringContains topLeft "empty 5" "alignment moves it"

            testCase "show draws every variant of the gallery or says what it needs"
            <| fun () ->
                for variant in AttentionVariant.In typeof<Causal>.Assembly do
                    let text = succeeds [ "show"; variant.Name; "--queries"; "96" ]
                    Expect.isTrue (text.Contains "kept " || text.Contains "by --arg") variant.Name

            testCase "show takes run-time arguments"
            <| fun () ->
                let text =
                    succeeds [ "show"; "PrefixLm"; "--queries"; "4"; "--block"; "1x1"; "--arg"; "prefix=2" ]

                Expect.stringContains text "kept 11 of 16 pairs" "causal and two keys of prefix"

                refused [ "prefix has 3 elements" ] [ "show"; "PrefixLm"; "--queries"; "4"; "--arg"; "prefix=2,3,4" ]

            testCase "show writes a picture that is well formed"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "c.svg")

                    succeeds [ "show"; "Causal"; "--queries"; "256"; "--block"; "64x64"; "--svg"; path ]
                    |> ignore

                    let picture = XDocument.Load path

                    let rectangles =
                        picture.Descendants(XName.Get("rect", "http://www.w3.org/2000/svg"))

                    Expect.equal
                        (Seq.length rectangles)
                        (2 + 4 + 3)
                        "page, field, four partial tiles, three runs of full ones"

                    refused
                        [ "--svg"; "no folder" ]
                        [ "show"; "Causal"; "--svg"; Path.Combine(folder, "none", "c.svg") ])

            testCase "show refuses sizes and tiles that are none"
            <| fun () ->
                refused [ "--queries is 0" ] [ "show"; "Causal"; "--queries"; "0" ]
                refused [ "--block 64" ] [ "show"; "Causal"; "--block"; "64" ]
                refused [ "--head is 3; allowed are 0 to 0, for --heads is 1" ] [ "show"; "Causal"; "--head"; "3" ]
                refused [ "--batch-entry is 2"; "0 to 1" ] [ "show"; "Causal"; "--batch"; "2"; "--batch-entry"; "2" ]
                refused [ "--head is x; it must be a whole number" ] [ "show"; "Causal"; "--head"; "x" ]

            testCase "a variant is found by the end of its name, or others are suggested"
            <| fun () ->
                Expect.stringStarts
                    (succeeds [ "show"; "Kernels.Full"; "--queries"; "8" ])
                    "FlashGen.Kernels.Full"
                    "found"

                refused [ "'Cusal'"; "Did you mean Causal" ] [ "show"; "Cusal" ]
                refused [ "'xyzzyx'"; "flashgen list" ] [ "show"; "xyzzyx" ]

            testCase "verify passes for the gallery's causal variant, the same each time"
            <| fun () ->
                let once = succeeds [ "verify"; "Causal"; "PrefixLm"; "--seed"; "3" ]
                Expect.stringContains once "8 of 8 kernels within tolerance" "four types each"
                Expect.stringContains once "seed 3" "the seed"
                Expect.equal (succeeds [ "verify"; "Causal"; "PrefixLm"; "--seed"; "3" ]) once "repeatable"
                Expect.notEqual (succeeds [ "verify"; "Causal"; "PrefixLm"; "--seed"; "4" ]) once "another seed differs"

            testCase "an assembly that is none, has no variants, or is missing"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "text.dll")
                    File.WriteAllText(path, "not a program")
                    refused [ path; "not a .NET assembly" ] [ "list"; "--assembly"; path ]
                    refused [ "no such file" ] [ "list"; "--assembly"; path + ".none" ]

                    refused
                        [ "does not use FlashGen" ]
                        [ "list"; "--assembly"; dllOf typeof<Expecto.ExpectoException> ]

                    refused [ "declares no variants" ] [ "list"; "--assembly"; dllOf typeof<FlashGen.Tool.Program> ])

            testCase "an assembly alone in its folder: FlashGen is the tool's own"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "Mine.dll")
                    File.Copy(dllOf typeof<Causal>, path)
                    Expect.stringContains (succeeds [ "list"; "--assembly"; path ]) "variants of Mine.dll" "listed"
                    let verified = succeeds [ "verify"; "Full"; "--assembly"; path ]
                    Expect.stringContains verified "4 of 4 kernels within tolerance" "verified")

            testCase "an assembly of another FlashGen"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "Other.dll")
                    Assemblies.writeReferring path "FlashGen" (System.Version(9, 8, 7, 6))
                    refused [ path; "9.8.7.6"; "same version" ] [ "list"; "--assembly"; path ])

            testCase "verify fails a variant that leaves its output unwritten"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "Idle.dll")
                    Assemblies.writeIdle path
                    let outcome = flashgen [ "verify"; "--assembly"; path ]
                    Expect.equal outcome.Code 1 "the exit code"
                    Expect.stringContains outcome.Out "FAILED" "the table"

                    Expect.stringContains
                        outcome.Out
                        "Idle, float32, batch 1, heads 2 over 1"
                        "the first case that fails"

                    Expect.stringContains outcome.Out "beyond tolerance" "and by how much"
                    Expect.stringContains outcome.Out "0 of 1 kernels within tolerance" "the sum")

            testCase "verify counts the rows whose scores are too large to judge"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "Enormous.dll")

                    Assemblies.write
                        path
                        """
                        [Attention(16, Types = ElementTypes.Float32)]
                        public static partial class Enormous
                        {
                            [ScoreMod]
                            static float Raise(float score, in Position at) => score * 2e38f;
                        }
                        """

                    let verified = succeeds [ "verify"; "--assembly"; path ]
                    Expect.isMatch verified @"Enormous, float32: [1-9]\d* rows not judged" "the line"
                    Expect.stringContains verified "1 of 1 kernels within tolerance" "the others are")

            testCase "a variant may have many arguments"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "Many.dll")

                    let scalars = [ for i in 1..30 -> $"int s{i}" ]
                    let tables = [ for i in 1..10 -> $"Table<float> t{i}" ]
                    let sum = String.concat " + " [ for i in 1..30 -> $"s{i}" ]
                    let read = String.concat " + " [ for i in 1..10 -> $"t{i}[at.Key]" ]
                    let parameters = String.concat ", " (scalars @ tables)

                    Assemblies.write
                        path
                        ($"[Attention(16, Types = ElementTypes.Float16 | ElementTypes.Float32)]\n"
                         + $"public static partial class Many {{ [ScoreMod] static float Raise(float score, in Position at, {parameters}) => score + 0.001f * ({sum}) + {read}; }}")

                    Expect.stringContains
                        (succeeds [ "verify"; "--assembly"; path ])
                        "2 of 2 kernels within tolerance"
                        "on the CPU"

                    Expect.stringContains
                        (succeeds [ "verify"; "--assembly"; path; "--device"; "cpu" ])
                        "2 of 2 kernels within tolerance"
                        "on the simulator")

            testCase "verify makes scalars up that keep something, and says where none do"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "Kept.dll")

                    Assemblies.write
                        path
                        """
                        [Attention(16, Types = ElementTypes.Float32)]
                        public static partial class Parity
                        {
                            [MaskMod]
                            static bool Keep(in Position at, int parity) => at.Key % 2 == parity;
                        }

                        [Attention(16, Types = ElementTypes.Float32)]
                        public static partial class Nothing
                        {
                            [MaskMod]
                            static bool Keep(in Position at) => at.Key < -1;
                        }
                        """

                    let verified = succeeds [ "verify"; "--assembly"; path ]
                    Expect.stringContains verified "Nothing, float32: no case kept a pair" "the line"
                    Expect.isFalse (verified.Contains "Parity, float32: no case") "a parity of 0 or 1 was found")

            testCase "a device runs, or is said to be missing"
            <| fun () ->
                for device in [ "cuda"; "opencl" ] do
                    let outcome = flashgen [ "verify"; "Causal"; "--device"; device ]

                    if outcome.Code = 0 then
                        Expect.stringContains outcome.Out "4 of 4 kernels within tolerance" "verified"
                    else
                        Expect.stringContains outcome.Error $"--device {device}: ILGPU finds no such device" "missing"

            testCase "a target is for CUDA devices, and one of theirs"
            <| fun () ->
                refused [ "--target"; "--device cuda" ] [ "verify"; "Causal"; "--target"; "sm80" ]
                refused [ "simd" ] [ "verify"; "Causal"; "--device"; "cuda"; "--target"; "simd" ]

                let outcome =
                    flashgen [ "verify"; "Causal"; "--device"; "cuda"; "--target"; "sm80" ]

                if outcome.Code = 0 then
                    Expect.stringContains outcome.Out "kernels skipped, of Causal: " "float32 and float64"
                else
                    Expect.stringContains outcome.Error "ILGPU finds no such device" "missing"

            testCase "what is no command or lacks an option is refused"
            <| fun () ->
                refused [ "fly"; "`flashgen --help`" ] [ "fly" ]
                refused [ "--key" ] [ "run"; "Causal"; "--query"; "q.npy" ]
        ]
