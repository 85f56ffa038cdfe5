module FlashGen.Tests.Tool.NpyTests

open System
open System.IO
open System.Text
open Expecto
open FlashGen.Tool
open FlashGen.Tool.Npy
open FlashGen.Tests.Tool.Files

let private readBytes<'T when 'T: unmanaged and 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType>
    (bytes: byte[])
    =
    let path = Path.GetTempFileName()

    try
        File.WriteAllBytes(path, bytes)
        use file = NpyFile.Open("--arg a", path)
        List.ofArray file.Header.Shape, file.Read<'T>()
    finally
        File.Delete path

let private refusedBytes (parts: string list) bytes =
    try
        readBytes<float32> bytes |> ignore
        failtest $"nothing was refused; expected a message naming %A{parts}"
    with :? ToolException as refusal ->
        for part in "--arg a" :: parts do
            Expect.stringContains refusal.Message part "the message"

let private elements = Array.init 6 float32

/// A file that must be refused: what it is, what the message names, its bytes.
let private bad =
    let good text = npyOf 1 text (bytesOf elements)

    [
        "an empty file", [ "too short" ], [||]
        "another kind of file", [ "not a NumPy file"; "504B" ], Array.append "PK\003\004"B (Array.zeroCreate 60)
        "an unknown version", [ "version is 9.0"; "3.0" ], npyOf 9 (header "<f4" "False" "(2, 3)") [||]
        "a header cut off", [ "ends within its header" ], (good (header "<f4" "False" "(2, 3)"))[..20]
        "a header that is no dictionary", [ "dictionary" ], good "garbage"
        "a header with a word missing", [ "descr, fortran_order and shape" ], good "{'descr': '<f4', 'shape': (6,), }"
        "a header with a word twice",
        [ "'descr' twice" ],
        good "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"
        "a header that is huge", [ "allowed are up to 10000" ], npyOf 2 (String(' ', 20000)) [||]
        "an unknown element type", [ "<c8"; "allowed are" ], good (header "<c8" "False" "(3,)")
        "an object array", [ "|O"; "allowed are" ], good (header "|O" "False" "(3,)")
        "a structured type",
        [ "allowed are" ],
        good "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }"
        "an element type without quotes",
        [ "element type is f4" ],
        good "{'descr': f4, 'fortran_order': False, 'shape': (6,), }"
        "a length alone without a comma", [ "shape is (6)" ], good (header "<f4" "False" "(6)")
        "a length that begins with 0", [ "shape is (06,)" ], good (header "<f4" "False" "(06,)")
        "an order that is none", [ "fortran_order is 1" ], good (header "<f4" "1" "(6,)")
        "a negative length", [ "shape is (-6,)" ], good (header "<f4" "False" "(-6,)")
        "a length beyond 64 bits", [ "2^63" ], good (header "<f4" "False" "(99999999999999999999,)")
        "a product beyond 64 bits", [ "2^63" ], good (header "<f4" "False" "(4294967296, 4294967296, 4)")
        "elements cut off",
        [ "bytes long"; "(2, 3) of <f4 needs exactly" ],
        (good (header "<f4" "False" "(2, 3)"))[..70]
        "bytes behind the elements",
        [ "bytes long"; "needs exactly" ],
        Array.append (good (header "<f4" "False" "(2, 3)")) [| 0uy |]
    ]

[<Tests>]
let tests =
    testList
        "Tool.Npy"
        [
            testCase "reads what NumSharp writes, in every type"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "a.npy")

                    let same (values: 'T[]) =
                        save path [ 2; values.Length / 2 ] values
                        use file = NpyFile.Open("--arg a", path)
                        Expect.equal (List.ofArray file.Header.Shape) [ 2L; int64 (values.Length / 2) ] "shape"
                        Expect.equal (bytesOf (file.Read<'T>())) (bytesOf values) $"{typeof<'T>}, NaN and all"

                    same [| 1.5f; -2f; Single.NaN; Single.NegativeInfinity |]
                    same [| 1.5; -2.0; Double.Epsilon; 0.0 |]
                    same [| Half.One; Half.NaN; Half.MaxValue; Half.Zero |]
                    same [| true; false; false; true |]
                    same [| 1y; -1y; 127y; -128y |]
                    same [| 1uy; 255uy |]
                    same [| 1s; -32768s |]
                    same [| 1us; 65535us |]
                    same [| 1; Int32.MinValue |]
                    same [| 1u; UInt32.MaxValue |]
                    same [| 1L; Int64.MinValue |]
                    same [| 1UL; UInt64.MaxValue |])

            testCase "writes what NumSharp reads, aligned to 64 bytes"
            <| fun () ->
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "a.npy")

                    for shape in [ []; [ 6 ]; [ 2; 3 ]; [ 1; 2; 3; 1 ]; [ 0; 3 ] ] do
                        let values = Array.init (List.fold (*) 1 shape) float32

                        (use stream = File.Create path

                         NpyWriter.Write<float32>(
                             stream,
                             NpyType('f', 4),
                             [| for n in shape -> int64 n |],
                             ReadOnlySpan values
                         ))

                        Expect.equal ((FileInfo path).Length % 64L) (int64 values.Length * 4L % 64L) "aligned"

                        if values.Length <> 0 then
                            Expect.equal (load<float32> path) (shape, values) $"%A{shape}"

                        use file = NpyFile.Open("--arg a", path)
                        Expect.equal (file.Read<float32>()) values "and what it reads itself")

            testCase "Fortran order, the other byte order, later versions"
            <| fun () ->
                let columns = [| 0f; 3f; 1f; 4f; 2f; 5f |] // NumPy's [[0, 1, 2], [3, 4, 5]], column by column.
                let swapped = bytesOf elements |> Array.chunkBySize 4 |> Array.collect Array.rev

                let expected = [ 2L; 3L ], elements
                let columnsFile = npyOf 1 (header "<f4" "True" "(2, 3)") (bytesOf columns)
                Expect.equal (readBytes<float32> columnsFile) expected "Fortran order"
                Expect.equal (readBytes<float32>(npyOf 1 (header ">f4" "False" "(2, 3)") swapped)) expected "big-endian"

                for version in [ 2; 3 ] do
                    let later = npyOf version (header "<f4" "False" "(2, 3)") (bytesOf elements)
                    Expect.equal (readBytes<float32> later) expected $"version {version}"

                // Three axes, each of another length: an order mistaken for another cannot pass.
                let at i j k = float32 (100 * i + 10 * j + k)

                let fortran =
                    [|
                        for k in 0..3 do
                            for j in 0..2 do
                                for i in 0..1 -> at i j k
                    |]

                let c =
                    [|
                        for i in 0..1 do
                            for j in 0..2 do
                                for k in 0..3 -> at i j k
                    |]

                let cube = npyOf 1 (header "<f4" "True" "(2, 3, 4)") (bytesOf fortran)
                Expect.equal (readBytes<float32> cube) ([ 2L; 3L; 4L ], c) "three axes"

            testCase "entries in any order, either quote, no comma at the end"
            <| fun () ->
                let text = "{\"shape\":(6,) ,  \"fortran_order\" :False, 'descr':'<f4'}  \n"
                Expect.equal (readBytes<float32>(npyOf 1 text (bytesOf elements))) ([ 6L ], elements) "read"

            for what, parts, bytes in bad do
                testCase $"refuses {what}" <| fun () -> refusedBytes parts bytes

            testCase "no damage to a header gives anything but a message or an array"
            <| fun () ->
                let whole = npyOf 1 (header "<f4" "False" "(2, 3)") (bytesOf elements)
                let mutable refusals = 0

                let attempt bytes =
                    try
                        readBytes<float32> bytes |> ignore
                    with
                    | :? ToolException -> refusals <- refusals + 1
                    | :? InvalidOperationException -> () // Another element size, which callers ask for by the header.

                for length in 0 .. whole.Length - 1 do
                    attempt whole[.. length - 1]

                let random = Random 7

                for at in 0 .. whole.Length - 25 do
                    let damaged = Array.copy whole
                    damaged[at] <- byte (random.Next 256)
                    attempt damaged

                Expect.isGreaterThan refusals whole.Length "every cut and most damage is refused"

            testCase "refuses a missing file and a folder"
            <| fun () ->
                inFolder (fun folder ->
                    for path in [ Path.Combine(folder, "none.npy"); folder ] do
                        Expect.throwsT<ToolException> (fun () -> NpyFile.Open("--query", path) |> ignore) path)
        ]
