module FlashGen.Tests.Tool.RunTests

open System
open System.Diagnostics
open System.IO
open Expecto
open FlashGen
open FlashGen.Kernels
open FlashGen.Tool
open FlashGen.Tool.Run
open FlashGen.Tests.Tool.Files

/// Two batch entries, four query heads over two, five queries, seven keys.
let private shape = AttentionShape(2, 4, 2, 5, 7, 8, 6)
let private queryShape = [ 2; 4; 5; 8 ]
let private keyShape = [ 2; 2; 7; 8 ]
let private valueShape = [ 2; 2; 7; 6 ]
let private outputShape = [ 2; 4; 5; 6 ]
let private size = List.fold (*) 1
let private q = numbers 1 (size queryShape)
let private k = numbers 2 (size keyShape)
let private v = numbers 3 (size valueShape)

type private Files(folder: string) =
    member _.At name = Path.Combine(folder, name)
    member this.Query = this.At "q.npy"
    member this.Key = this.At "k.npy"
    member this.Value = this.At "v.npy"
    member this.Output = this.At "o.npy"
    member this.LogSumExp = this.At "l.npy"

    member this.Save(convert: float32 -> 'T) =
        save this.Query queryShape (Array.map convert q)
        save this.Key keyShape (Array.map convert k)
        save this.Value valueShape (Array.map convert v)

    member this.Words variant =
        [
            "run"
            variant
            "--query"
            this.Query
            "--key"
            this.Key
            "--value"
            this.Value
            "--output"
            this.Output
        ]

let private withFiles (test: Files -> unit) = inFolder (Files >> test)

let private single (variant: AttentionVariant) (shape: AttentionShape) (arguments: ModArguments) =
    let output = Array.zeroCreate<float32>(2 * 4 * 5 * 6)
    let logSumExp = Array.zeroCreate<float32>(2 * 4 * 5)
    variant.Forward(q, k, v, output, &shape, arguments, logSumExp)
    output, logSumExp

/// What the command writes is what the library computes, bit by bit.
let private agrees (files: Files) variant words expected =
    succeeds (files.Words variant @ words) |> ignore
    let writtenShape, written = load<float32> files.Output
    Expect.equal writtenShape outputShape "the output's shape"
    Expect.equal written expected "the output"

let private bfloat16 (x: float32) = BFloat16.op_Explicit x
let private widen (x: BFloat16) : float32 = BFloat16.op_Implicit x

let private happy =
    [
        testCase "float32, with log-sum-exp"
        <| fun () ->
            withFiles (fun files ->
                files.Save id
                let output, logSumExp = single Causal.Variant shape null
                agrees files "Causal" [ "--log-sum-exp"; files.LogSumExp ] output
                Expect.equal (load<float32> files.LogSumExp) ([ 2; 4; 5 ], logSumExp) "log-sum-exp"
                Expect.equal (Directory.GetFiles(Path.GetDirectoryName files.Output).Length) 5 "no file is left over")

        testCase "float16"
        <| fun () ->
            withFiles (fun files ->
                let half (x: float32) = Half.op_Explicit x: Half
                files.Save half
                let output = Array.zeroCreate<Half>(size outputShape)
                let here = shape
                Causal.Forward(Array.map half q, Array.map half k, Array.map half v, output, &here)
                succeeds (files.Words "causal") |> ignore
                Expect.equal (load<Half> files.Output) (outputShape, output) "the output")

        testCase "float64, with its log-sum-exp in float64"
        <| fun () ->
            withFiles (fun files ->
                files.Save float
                let output = Array.zeroCreate<float>(size outputShape)
                let logSumExp = Array.zeroCreate<float>(2 * 4 * 5)
                let here = shape
                Causal.Forward(Array.map float q, Array.map float k, Array.map float v, output, &here, logSumExp)

                succeeds (files.Words "FlashGen.Kernels.Causal" @ [ "--log-sum-exp"; files.LogSumExp ])
                |> ignore

                Expect.equal (load<float> files.Output) (outputShape, output) "the output"
                Expect.equal (load<float> files.LogSumExp) ([ 2; 4; 5 ], logSumExp) "log-sum-exp")

        testCase "bfloat16 in raw bits, unsigned integers and float32"
        <| fun () ->
            withFiles (fun files ->
                let output = Array.zeroCreate<BFloat16>(size outputShape)
                let b = Array.map bfloat16
                let here = shape
                Causal.Forward(b q, b k, b v, output, &here)
                let bits = Array.map (fun (x: BFloat16) -> x.Bits)
                let words = files.Words "Causal" @ [ "--type"; "bfloat16" ]

                for descr in [ "<V2"; "|V2" ] do
                    saveRaw files.Query descr "(2, 4, 5, 8)" (bytesOf (bits (b q)))
                    saveRaw files.Key descr "(2, 2, 7, 8)" (bytesOf (bits (b k)))
                    saveRaw files.Value descr "(2, 2, 7, 6)" (bytesOf (bits (b v)))
                    succeeds words |> ignore
                    let written = File.ReadAllBytes files.Output
                    Expect.stringContains (Text.Encoding.Latin1.GetString written) "'<V2'" "stored as it came"
                    Expect.equal written[written.Length - 2 * output.Length ..] (bytesOf (bits output)) descr

                files.Save(fun x -> (bfloat16 x).Bits)
                succeeds words |> ignore
                Expect.equal (load<uint16> files.Output) (outputShape, bits output) "unsigned integers"

                files.Save id
                succeeds words |> ignore
                Expect.equal (load<float32> files.Output) (outputShape, Array.map widen output) "float32, rounded")

        testCase "alignment, key lengths and threads"
        <| fun () ->
            withFiles (fun files ->
                files.Save id
                let topLeft = Array.create 2 0
                let mutable placed = shape
                placed <- AttentionShape(2, 4, 2, 5, 7, 8, 6, Offsets = ReadOnlyMemory topLeft)
                agrees files "Causal" [ "--align"; "top-left" ] (fst (single Causal.Variant placed null))

                let same = fst (single Causal.Variant shape null)
                agrees files "CausalTopLeft" [ "--align"; "bottom-right" ] same
                agrees files "Causal" [ "--threads"; "1" ] same

                placed <- AttentionShape(2, 4, 2, 5, 7, 8, 6, KeyLengths = ReadOnlyMemory [| 3; 7 |])
                let shorter = fst (single Causal.Variant placed null)
                Expect.notEqual shorter same "key lengths matter"
                agrees files "Causal" [ "--key-lengths"; "3,7" ] shorter
                agrees files "Causal" [ "--key-lengths"; "3,7"; "--align"; "bottom-right" ] shorter
                save (files.At "n.npy") [ 2 ] [| 3L; 7L |]
                agrees files "Causal" [ "--key-lengths"; files.At "n.npy" ] shorter)

        testCase "rows before heads"
        <| fun () ->
            withFiles (fun files ->
                // (batch, heads, length, dim) to (batch, length, heads, dim).
                let swap (shape: int list) (x: 'T[]) =
                    let batch, heads, length, dim = shape[0], shape[1], shape[2], shape[3]

                    [|
                        for b in 0 .. batch - 1 do
                            for i in 0 .. length - 1 do
                                for h in 0 .. heads - 1 do
                                    for d in 0 .. dim - 1 -> x[((b * heads + h) * length + i) * dim + d]
                    |]

                save files.Query [ 2; 5; 4; 8 ] (swap queryShape q)
                save files.Key [ 2; 7; 2; 8 ] (swap keyShape k)
                save files.Value [ 2; 7; 2; 6 ] (swap valueShape v)
                let output, logSumExp = single Causal.Variant shape null

                succeeds (
                    files.Words "Causal"
                    @ [ "--layout"; "batch-sequence-head"; "--log-sum-exp"; files.LogSumExp ]
                )
                |> ignore

                Expect.equal (load<float32> files.Output) ([ 2; 5; 4; 6 ], swap outputShape output) "the output"
                Expect.equal (load<float32> files.LogSumExp) ([ 2; 4; 5 ], logSumExp) "heads before rows as ever")

        testCase "tables as lists and as files of other types that convert exactly"
        <| fun () ->
            withFiles (fun files ->
                files.Save id
                let slopes = [| 0.5f; 0.25f; 0.125f; 0.0625f |]

                let expected =
                    fst (single Alibi.Variant shape (ModArguments().Add("slopes", slopes)))

                agrees files "Alibi" [ "--arg"; "slopes=0.5,0.25,0.125,0.0625" ] expected

                save (files.At "s.npy") [ 4 ] (Array.map float slopes)
                agrees files "Alibi" [ "--arg"; "slopes=" + files.At "s.npy" ] expected

                let query = Array.init 10 (fun i -> i % 5 / 2)
                let key = Array.init 14 (fun i -> i % 7 / 3)
                save (files.At "qd.npy") [ 2; 5 ] (Array.map uint8 query)
                save (files.At "kd.npy") [ 2; 7 ] (Array.map int64 key)

                let documents =
                    single Documents.Variant shape (ModArguments().Add("queryDocument", query).Add("keyDocument", key))

                agrees
                    files
                    "Documents"
                    [
                        "--arg"
                        "queryDocument=" + files.At "qd.npy"
                        "--arg"
                        "keyDocument=" + files.At "kd.npy"
                    ]
                    (fst documents))

        testCase "a bias is broadcast as NumPy does"
        <| fun () ->
            withFiles (fun files ->
                files.Save id

                for axes, strides in
                    [
                        [ 2; 4; 5; 7 ], BiasStrides(140, 35, 7, 1)
                        [ 4; 5; 7 ], BiasStrides(0, 35, 7, 1)
                        [ 2; 1; 1; 7 ], BiasStrides(7, 0, 0, 1)
                        [ 5; 1 ], BiasStrides(0, 0, 1, 0)
                        [ 7 ], BiasStrides(0, 0, 0, 1)
                    ] do
                    let bias = numbers 9 (size axes)
                    save (files.At "b.npy") axes bias
                    let arguments = ModArguments().Add("bias", bias).Add("biasStrides", strides)

                    agrees
                        files
                        "Biased"
                        [ "--arg"; "bias=" + files.At "b.npy" ]
                        (fst (single Biased.Variant shape arguments)))

        testCase "dropout by probability, seed and offset"
        <| fun () ->
            withFiles (fun files ->
                files.Save id

                for text, dropout in
                    [
                        "0.5", Dropout(0.5f, 0UL)
                        "0.5:18446744073709551615", Dropout(0.5f, UInt64.MaxValue)
                        "0.25:42:7", Dropout(0.25f, 42UL, 7u)
                    ] do
                    let expected =
                        single CausalDropout.Variant shape (ModArguments().Add("dropout", dropout))

                    agrees files "CausalDropout" [ "--arg"; $"dropout={text}" ] (fst expected))

        testCase "empty tensors"
        <| fun () ->
            withFiles (fun files ->
                saveRaw files.Query "<f4" "(1, 2, 3, 4)" (bytesOf (numbers 1 24))
                saveRaw files.Key "<f4" "(1, 2, 0, 4)" [||]
                saveRaw files.Value "<f4" "(1, 2, 0, 4)" [||]
                succeeds (files.Words "Full" @ [ "--log-sum-exp"; files.LogSumExp ]) |> ignore
                Expect.equal (load<float32> files.Output) ([ 1; 2; 3; 4 ], Array.zeroCreate 24) "no keys give 0"
                Expect.allEqual (snd (load<float32> files.LogSumExp)) Single.NegativeInfinity "and -inf")
    ]

/// A call that must be refused: what is wrong, what the message names, what is changed, which words are added.
let private bad =
    let nothing (_: Files) = ()
    let words list = fun (_: Files) -> list

    [
        "a missing file", [ "--query"; "no such file" ], (fun (f: Files) -> File.Delete f.Query), words []
        "a corrupt file",
        [ "--key"; "not a NumPy file" ],
        (fun f -> File.WriteAllText(f.Key, "This is a text, not an array.")),
        words []
        "a file cut off",
        [ "--value"; "needs exactly" ],
        (fun f -> File.WriteAllBytes(f.Value, (File.ReadAllBytes f.Value)[..200])),
        words []
        "integers", [ "--query"; "<i4"; "float32" ], (fun f -> f.Save int), words []
        "16 raw bits without a word", [ "--type bfloat16" ], (fun f -> f.Save(fun x -> (bfloat16 x).Bits)), words []
        "float64 as bfloat16", [ "--type bfloat16 allows" ], (fun f -> f.Save float), words [ "--type"; "bfloat16" ]
        "float32 as float16", [ "<f4"; "not float16" ], nothing, words [ "--type"; "float16" ]
        "an unknown type",
        [ "--type is float8; allowed are float16, bfloat16, float32 and float64" ],
        nothing,
        words [ "--type"; "float8" ]
        "mixed types",
        [ "--value"; "<f8"; "<f4"; "one type" ],
        (fun f -> save f.Value valueShape (Array.map float v)),
        words []
        "no dim",
        [ "--query"; "(2, 4, 5, 0)"; "dim must be 1 or more" ],
        (fun f -> save f.Query [ 2; 4; 5; 0 ] (Array.empty<float32>)),
        words []
        "a folder",
        [ "--query"; "it is a folder" ],
        (fun f ->
            File.Delete f.Query
            Directory.CreateDirectory f.Query |> ignore),
        words []
        "three axes", [ "(2, 20, 8)"; "(batch, heads, length, dim)" ], (fun f -> save f.Query [ 2; 20; 8 ] q), words []
        "another batch", [ "--key"; "batch 1"; "batch 2" ], (fun f -> save f.Key [ 1; 4; 7; 8 ] k), words []
        "another head dimension",
        [ "--key"; "dim 4"; "dim 8" ],
        (fun f ->
            save f.Key [ 2; 2; 14; 4 ] k
            save f.Value [ 2; 2; 14; 3 ] v),
        words []
        "another key length", [ "--value"; "length 6"; "length 7" ], (fun f -> save f.Value [ 2; 2; 6; 7 ] v), words []
        "heads that do not divide",
        [ "4 heads"; "3"; "multiple" ],
        (fun f ->
            save f.Key [ 2; 3; 1; 8 ] (numbers 1 48)
            save f.Value [ 2; 3; 1; 6 ] (numbers 1 36)),
        words []
        "a head dimension beyond 256",
        [ "300"; "1 to 256" ],
        (fun f ->
            save f.Query [ 1; 1; 1; 300 ] (numbers 1 300)
            save f.Key [ 1; 1; 1; 300 ] (numbers 1 300)
            save f.Value [ 1; 1; 1; 8 ] (numbers 1 8)),
        words []
        "an argument that the variant lacks", [ "slopes"; "takes none" ], nothing, words [ "--arg"; "slopes=1" ]
        "an argument without a value", [ "name=value" ], nothing, words [ "--arg"; "slopes" ]
        "a key length beyond the keys",
        [ "--key-lengths 1,8: KeyLengths[1] is 8"; "0 to 7" ],
        nothing,
        words [ "--key-lengths"; "1,8" ]
        "too few key lengths",
        [ "--key-lengths 1: KeyLengths has 1"; "2 batch entries" ],
        nothing,
        words [ "--key-lengths"; "1" ]
        "key lengths that are no numbers", [ "--key-lengths"; "'x'" ], nothing, words [ "--key-lengths"; "1,x" ]
        "a negative number of threads", [ "--threads is -1" ], nothing, words [ "--threads"; "-1" ]
        "threads that are no number",
        [ "--threads is 0x10; it must be a whole number from 0" ],
        nothing,
        words [ "--threads"; "0x10" ]
        "threads beyond 32 bits",
        [ "--threads is 3000000000"; "2147483647" ],
        nothing,
        words [ "--threads"; "3000000000" ]
        "an argument that is not there", [ "'--arg'"; "flashgen run --help" ], nothing, words [ "--arg" ]
        "a file without a name", [ "--log-sum-exp is empty" ], nothing, words [ "--log-sum-exp"; "" ]
        "threads on a device", [ "--threads"; "simd" ], nothing, words [ "--threads"; "2"; "--device"; "cpu" ]
        "an unknown device",
        [ "--device is tpu; allowed are simd, cpu, cuda and opencl" ],
        nothing,
        words [ "--device"; "tpu" ]
        "an unknown alignment",
        [ "--align is middle; allowed are bottom-right and top-left" ],
        nothing,
        words [ "--align"; "middle" ]
        "an output folder that is not there",
        [ "--log-sum-exp"; "no folder" ],
        nothing,
        (fun f -> [ "--log-sum-exp"; f.At "none/l.npy" ])
        "two results in one file",
        [ "--log-sum-exp"; "another file" ],
        nothing,
        (fun f -> [ "--log-sum-exp"; f.Output ])
        "a result over an input", [ "--log-sum-exp"; "another file" ], nothing, (fun f -> [ "--log-sum-exp"; f.Key ])
        "a result that is a folder",
        [ "--log-sum-exp"; "folder" ],
        nothing,
        (fun f -> [ "--log-sum-exp"; Path.GetDirectoryName f.Output ])
    ]

/// An argument that must be refused: the variant, its --arg, what the message names.
let private badArguments =
    [
        "Alibi", [], [ "slopes"; "missing"; "table of float" ]
        "Alibi", [ "slopes=1,2" ], [ "slopes has 2 elements"; "4 query heads" ]
        "Alibi", [ "slopes=1,x,3,4" ], [ "'x'"; "float" ]
        "Alibi", [ "slopes=1e39,0,0,0" ], [ "'1e39'"; "3.4e38" ]
        "Alibi", [ "slopes=1,2,3,4"; "slopes=1,2,3,4" ], [ "slopes"; "twice" ]
        "Alibi", [ "slopes=none.npy" ], [ "none.npy"; "no such file" ]
        "Biased", [ "bias=1,2" ], [ "bias"; ".npy" ]
        "PrefixLm", [ "prefix=1,2.5" ], [ "'2.5'"; "int" ]
        "PrefixLm", [ "prefix=1,2147483648" ], [ "2147483648"; "2147483647" ]
        "PrefixLm", [ "prefix=1" ], [ "prefix has 1 elements"; "2" ]
        "CausalDropout", [ "dropout=1" ], [ "dropout"; "1" ]
        "CausalDropout", [ "dropout=-0.5" ], [ "dropout"; "-0.5" ]
        "CausalDropout", [ "dropout=NaN" ], [ "dropout" ]
        "CausalDropout", [ "dropout=0.1:-1" ], [ "dropout"; "p:seed:offset" ]
        "CausalDropout", [ "dropout=0.1:1:2:3" ], [ "dropout"; "p:seed:offset" ]
    ]

/// A table file that must be refused: what the message names, how the file is written, for Alibi's float or PrefixLm's int.
let private badTables =
    [
        "slopes",
        [ "element 1"; "0.1"; "exactly"; "as float32 to" ],
        (fun path -> save path [ 4 ] [| 0.5; 0.1; 0.0; 0.0 |])
        "slopes", [ "element 0"; "16777217" ], (fun path -> save path [ 4 ] [| 16777217; 0; 0; 0 |])
        "slopes", [ "element 3"; "1E+300" ], (fun path -> save path [ 4 ] [| 0.0; 0.0; 0.0; 1e300 |])
        "slopes", [ "element 2"; "9223372036854775807" ], (fun path -> save path [ 4 ] [| 0L; 0L; Int64.MaxValue; 0L |])
        "slopes", [ "|b1"; "floats and integers" ], (fun path -> save path [ 4 ] [| true; true; true; true |])
        "prefix", [ "<f4"; "integers" ], (fun path -> save path [ 2 ] [| 1f; 2f |])
        "prefix", [ "element 1"; "4294967295" ], (fun path -> save path [ 2 ] [| 1u; UInt32.MaxValue |])
        "prefix", [ "element 0"; "-2147483649" ], (fun path -> save path [ 2 ] [| -2147483649L; 0L |])
        "bias", [ "(3, 7)"; "query"; "5 and 1" ], (fun path -> save path [ 3; 7 ] (numbers 1 21))
        "bias", [ "at most four axes" ], (fun path -> save path [ 1; 2; 4; 5; 7 ] (numbers 1 280))
    ]

[<Tests>]
let tests =
    testList
        "Tool.Run"
        [
            yield! happy

            testCase "results replace what was there"
            <| fun () ->
                withFiles (fun files ->
                    files.Save id
                    File.WriteAllText(files.Output, "as it was")
                    File.WriteAllText(files.LogSumExp, "as it was")
                    let output, logSumExp = single Causal.Variant shape null
                    agrees files "Causal" [ "--log-sum-exp"; files.LogSumExp ] output
                    Expect.equal (load<float32> files.LogSumExp) ([ 2; 4; 5 ], logSumExp) "log-sum-exp"

                    Expect.hasLength
                        (Directory.GetFileSystemEntries(Path.GetDirectoryName files.Output))
                        5
                        "no file is left over")

            if not (OperatingSystem.IsWindows()) then
                testCase "a call that is told to end while a device is at work leaves nothing half-written"
                <| fun () ->
                    withFiles (fun files ->
                        // Half a minute for the simulator, which cannot stop on the way.
                        let zeros = Array.zeroCreate<float32>(16 * 6000 * 64)

                        for path in [ files.Query; files.Key; files.Value ] do
                            save path [ 1; 16; 6000; 64 ] zeros

                        use started =
                            Process.Start(
                                ProcessStartInfo(
                                    "dotnet",
                                    [ typeof<Program>.Assembly.Location ]
                                    @ files.Words "Full"
                                    @ [ "--device"; "cpu" ],
                                    RedirectStandardError = true
                                )
                            )

                        let entries () =
                            Directory.GetFileSystemEntries(Path.GetDirectoryName files.Output).Length

                        let timer = Stopwatch.StartNew()

                        while entries () = 3 && not started.HasExited && timer.Elapsed.TotalSeconds < 60 do
                            Threading.Thread.Sleep 50

                        let made = entries ()
                        Threading.Thread.Sleep 2000
                        // Not as Ctrl-C does: what a shell starts in the background does not hear that.
                        use kill = Process.Start("kill", [ "-TERM"; string started.Id ])
                        kill.WaitForExit()
                        let hasEnded = started.WaitForExit 30_000

                        if not hasEnded then
                            started.Kill()

                        Expect.equal made 4 "the output was being made"
                        Expect.isTrue hasEnded "it ends"
                        Expect.stringContains (started.StandardError.ReadToEnd()) "could not stop" "what it says"
                        Expect.equal started.ExitCode 1 "the exit code"
                        Expect.equal (entries ()) 3 "no file is left over")

            for what, parts, change, words in bad do
                testCase $"refuses {what}, and writes nothing"
                <| fun () ->
                    withFiles (fun files ->
                        files.Save id
                        change files
                        File.WriteAllText(files.Output, "as it was")

                        let before =
                            Directory.GetFileSystemEntries(Path.GetDirectoryName files.Output).Length

                        refused parts (files.Words "Causal" @ words files)
                        Expect.equal (File.ReadAllText files.Output) "as it was" "the output is untouched"

                        Expect.equal
                            (Directory.GetFileSystemEntries(Path.GetDirectoryName files.Output).Length)
                            before
                            "no file is left over")

            for variant, arguments, parts in badArguments do
                testCase $"refuses {variant} with %A{arguments}"
                <| fun () ->
                    withFiles (fun files ->
                        files.Save id
                        refused parts (files.Words variant @ List.collect (fun a -> [ "--arg"; a ]) arguments)
                        Expect.isFalse (File.Exists files.Output) "nothing is written")

            for name, parts, write in badTables do
                testCase $"refuses a file for {name}: %A{parts}"
                <| fun () ->
                    withFiles (fun files ->
                        files.Save id
                        let path = files.At "t.npy"
                        write path

                        let variant =
                            match name with
                            | "slopes" -> "Alibi"
                            | "bias" -> "Biased"
                            | _ -> "PrefixLm"

                        refused (path :: parts) (files.Words variant @ [ "--arg"; $"{name}={path}" ])
                        Expect.isFalse (File.Exists files.Output) "nothing is written")
        ]
