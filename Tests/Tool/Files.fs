/// Temporary files, NumPy files made byte by byte, and the command line run in process.
module FlashGen.Tests.Tool.Files

open System
open System.IO
open System.Runtime.InteropServices
open System.Text
open Expecto
open NumSharp
open FlashGen.Tool

/// A folder that is gone after the test.
let inFolder (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("flashgen").FullName

    try
        test folder
    finally
        Directory.Delete(folder, true)

type Outcome =
    {
        Code: int
        Out: string
        Error: string
    }

/// Runs the command line with these words.
let flashgen (words: string list) =
    use out = new StringWriter()
    use error = new StringWriter()
    let code = Program.Run(Array.ofList words, out, error)

    {
        Code = code
        Out = out.ToString()
        Error = error.ToString()
    }

/// The command line succeeds; what it printed.
let succeeds words =
    let outcome = flashgen words
    Expect.equal outcome.Code 0 $"%A{words} succeeds: {outcome.Error}"
    Expect.equal outcome.Error "" "and complains of nothing"
    outcome.Out

/// The command line is refused in words that name all of these, and without a stack trace.
let refused (parts: string list) words =
    let outcome = flashgen words
    Expect.equal outcome.Code 1 $"%A{words} is refused: {outcome.Out}"

    for part in parts do
        Expect.stringContains outcome.Error part "the message"

    Expect.isFalse (outcome.Error.Contains "   at ") $"no stack trace: {outcome.Error}"

/// The bytes of a NumPy file with this header text and these elements.
let npyOf (version: int) (header: string) (elements: byte[]) =
    let text = Encoding.UTF8.GetBytes header

    let length =
        if version = 1 then
            BitConverter.GetBytes(uint16 text.Length)
        else
            BitConverter.GetBytes(uint32 text.Length)

    Array.concat [ [| 0x93uy |]; "NUMPY"B; [| byte version; 0uy |]; length; text; elements ]

let header descr fortran shape =
    $"{{'descr': '%s{descr}', 'fortran_order': %s{fortran}, 'shape': %s{shape}, }}\n"

/// Writes a file of these bytes as a type that no library here knows.
let saveRaw path descr shape (elements: byte[]) =
    File.WriteAllBytes(path, npyOf 1 (header descr "False" shape) elements)

let bytesOf (elements: 'T[]) =
    MemoryMarshal.AsBytes(ReadOnlySpan elements).ToArray()

/// Writes an array by NumSharp, which shares no code with the tool.
let save (path: string) (shape: int list) (elements: 'T[]) =
    use flat = new NDArray(elements, Shape(Array.ofList shape))
    np.save (path, flat)

/// Reads a file by NumSharp: its shape and elements.
let load<'T when 'T: unmanaged and 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (path: string) =
    use array = np.load_npy path
    List.ofArray (Array.map int array.shape), array.ToArray<'T>()

/// Numbers between -2 and 2 that repeat with their seed.
let numbers seed count =
    let random = Random seed
    Array.init count (fun _ -> (random.NextSingle() - 0.5f) * 4f)
