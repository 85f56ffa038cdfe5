/// Runs PTX on the CPU, as much of the language as a kernel needs behind its loop over units, where its last group puts parts of keys together:
/// ILGPU's simulator knows no blocks of PTX. What is read of the device's memory has to have been written.
module FlashGen.Tests.Cuda.PtxRun

open System
open System.Collections.Generic
open System.Text.RegularExpressions

type Instruction =
    {
        /// The predicate's register, and what it has to be.
        Guard: (string * bool) option
        Operation: string[]
        Arguments: string[]
        Text: string
    }

type Program =
    {
        Instructions: Instruction[]
        Labels: Dictionary<string, int>
    }

let private arguments (text: string) =
    let mutable depth = 0

    [|
        let mutable start = 0

        for i in 0 .. text.Length - 1 do
            match text[i] with
            | '['
            | '{' -> depth <- depth + 1
            | ']'
            | '}' -> depth <- depth - 1
            | ',' when depth = 0 ->
                text[start .. i - 1].Trim()
                start <- i + 1
            | _ -> ()

        if text[start..].Trim() <> "" then
            text[start..].Trim()
    |]

let parse (ptx: string) =
    let instructions = List<Instruction>()
    let labels = Dictionary<string, int>()

    let rec statement (text: string) =
        let text = text.Trim()
        let label = Regex.Match(text, @"^([A-Za-z_]\w*):(.*)$", RegexOptions.Singleline)

        if label.Success then
            labels.TryAdd(label.Groups[1].Value, instructions.Count) |> ignore
            statement label.Groups[2].Value
        elif text.StartsWith '{' || text.StartsWith '}' then
            // Of a block; operands in braces come behind an operation.
            statement text[1..]
        elif text <> "" && not (text.StartsWith '.') then
            let guard = Regex.Match(text, @"^@(!?)(\S+)\s+(.*)$", RegexOptions.Singleline)
            let rest = if guard.Success then guard.Groups[3].Value else text
            let parts = Regex.Match(rest, @"^(\S+)\s*(.*)$", RegexOptions.Singleline)

            instructions.Add
                {
                    Guard =
                        if guard.Success then
                            Some(guard.Groups[2].Value, guard.Groups[1].Value = "")
                        else
                            None
                    Operation = parts.Groups[1].Value.Split '.'
                    Arguments = arguments parts.Groups[2].Value
                    Text = text
                }

    let body = ptx[ptx.IndexOf('{', ptx.IndexOf ".maxntid") + 1 ..]

    for line in body.Split '\n' do
        for text in line.Split("//")[0] |> _.Split(';') do
            statement text

    {
        Instructions = instructions.ToArray()
        Labels = labels
    }

/// Bytes by their addresses.
type Memory() =
    let bytes = Dictionary<int64, byte>()
    member _.Addresses = bytes.Keys

    member _.Write(address, values: byte[]) =
        values |> Array.iteri (fun i value -> bytes[address + int64 i] <- value)

    member _.Read(address, count) =
        Array.init count (fun i -> bytes[address + int64 i])

/// What a thread waits for, and the register that takes the answer.
type private Wait =
    | Group
    | Any of register: string * mine: bool
    | Shuffle of register: string * kind: string * value: uint64 * lane: int
    | End

let private float32Of (bits: uint64) =
    BitConverter.UInt32BitsToSingle(uint32 bits)

let private bitsOf (value: float32) =
    uint64 (BitConverter.SingleToUInt32Bits value)

let private wholeOperations =
    [|
        "add"
        "sub"
        "mul"
        "min"
        "max"
        "and"
        "or"
        "xor"
        "div"
        "rem"
        "shl"
        "shr"
    |]

type private Thread(program: Program, parameters: Map<string, byte[]>, device: Memory, group, groups, number) =
    let registers = Dictionary<string, uint64>()
    let mutable next = 0
    let mutable isBehindLoop = false

    // The number of units, which the loop over them ends at.
    let units =
        (program.Instructions
         |> Array.find (fun one -> one.Operation[..1] = [| "ld"; "param" |] && one.Arguments[1] = "[work]"))
            .Arguments[0]

    let value (name: string) =
        match name with
        | "%tid.x" -> uint64 number
        | "%ctaid.x" -> uint64 group
        | "%nctaid.x" -> uint64 groups
        | "__dyn_shared_alloca" -> 1024UL
        | _ when name.StartsWith "0f" -> Convert.ToUInt64(name[2..], 16)
        | _ when Regex.IsMatch(name, @"^-?\d+$") ->
            uint64 (
                if name[0] = '-' then
                    Int64.Parse name
                else
                    int64 (UInt64.Parse name)
            )
        | _ ->
            match registers.TryGetValue name with
            | true, known -> known
            | _ when not isBehindLoop -> 0UL
            | _ -> failwith $"{name} was never set"

    let address (operand: string) =
        let parts = operand.Trim('[', ']').Split '+'

        int64 (value (parts[0].Trim()))
        + (if parts.Length > 1 then Int64.Parse parts[1] else 0L)

    let real name = float32Of (value name)

    let typed (kind: string) name =
        match kind with
        | "s32" -> int64 (int32 (value name))
        | "u32"
        | "b32" -> int64 (uint32 (value name))
        | _ -> int64 (value name)

    let truncated (kind: string) (result: int64) =
        if kind.EndsWith "32" then
            uint64 (uint32 result)
        else
            uint64 result

    let whole (operation: string) kind (a: int64) (b: int64) =
        let bits = if (kind: string).EndsWith "32" then 32L else 64L

        match operation with
        | "add" -> a + b
        | "sub" -> a - b
        | "mul" -> a * b
        | "min" -> min a b
        | "max" -> max a b
        | "and" -> a &&& b
        | "or" -> a ||| b
        | "xor" -> a ^^^ b
        | "div" -> a / b
        | "rem" -> a % b
        | "shl" -> if b >= bits then 0L else a <<< int b
        | "shr" -> a >>> int (min b (bits - 1L))
        | _ -> failwith operation

    let floating operation (a: float32) (b: float32) =
        match operation with
        | "add" -> a + b
        | "sub" -> a - b
        | "mul" -> a * b
        | "div" -> a / b
        // Not NaN where one of them is a number.
        | "max" ->
            if Single.IsNaN a then b
            elif Single.IsNaN b then a
            else max a b
        | _ -> failwith operation

    let compare (relation: string) (a: 'T) (b: 'T) =
        match relation with
        | "eq" -> a = b
        | "ne" -> a <> b
        | "lt"
        | "lo" -> a < b
        | "le"
        | "ls" -> a <= b
        | "gt"
        | "hi" -> a > b
        | "ge"
        | "hs" -> a >= b
        | _ -> failwith relation

    let bit condition = if condition then 1UL else 0UL

    // One that does not wait and goes nowhere.
    let execute (one: Instruction) =
        let a = one.Arguments
        let kind = Array.last one.Operation
        let set result = registers[a[0]] <- result

        match one.Operation with
        | [| "ld"; "param"; _ |] ->
            let place = Regex.Match(a[1], @"^\[(\w+)(?:\+(\d+))?\]$")

            match parameters.TryFind place.Groups[1].Value with
            | None -> set 0UL
            | Some bytes ->
                let from =
                    if place.Groups[2].Success then
                        int place.Groups[2].Value
                    else
                        0

                set (
                    if kind.EndsWith "64" then
                        BitConverter.ToUInt64(bytes, from)
                    else
                        uint64 (BitConverter.ToUInt32(bytes, from))
                )
        | [| "ld"; "global"; "cg"; "v4"; _ |] ->
            let from = address a[1]

            if from % 16L <> 0L then
                failwith $"misaligned: {one.Text}"

            let words = device.Read(from, 16)

            a[0].Trim('{', '}').Split ','
            |> Array.iteri (fun i register ->
                registers[register.Trim()] <- uint64 (BitConverter.ToUInt32(words, 4 * i)))
        | [| "ld"; "global"; "cg"; _ |] -> set (uint64 (BitConverter.ToUInt32(device.Read(address a[1], 4), 0)))
        | [| "st"; "global"; "b16" |] -> device.Write(address a[0], BitConverter.GetBytes(uint16 (value a[1])))
        | [| "st"; "global"; _ |] -> device.Write(address a[0], BitConverter.GetBytes(uint32 (value a[1])))
        | [| "atom"; "acq_rel"; "gpu"; "global"; "inc"; "u32" |] ->
            let old = BitConverter.ToUInt32(device.Read(address a[1], 4), 0)
            device.Write(address a[1], BitConverter.GetBytes(if old >= uint32 (value a[2]) then 0u else old + 1u))
            set (uint64 old)
        | [| "mov"; _ |] when a[0].StartsWith '{' ->
            let parts = a[0].Trim('{', '}').Split ','
            registers[parts[0].Trim()] <- value a[1] &&& 0xffffUL
            registers[parts[1].Trim()] <- value a[1] >>> 16 &&& 0xffffUL
        | [| ("mov" | "cvta"); _ |] -> set (value a[1])
        | [| "selp"; _ |] -> set (if value a[3] <> 0UL then value a[1] else value a[2])
        | [| "setp"; relation; "f32" |] -> set (bit (compare relation (real a[1]) (real a[2])))
        | [| "setp"; relation; _ |] ->
            if relation = "lt" && a[2] = units && not isBehindLoop then
                isBehindLoop <- true
                set 0UL
            elif kind = "u64" then
                set (bit (compare relation (value a[1]) (value a[2])))
            else
                set (bit (compare relation (typed kind a[1]) (typed kind a[2])))
        | [| "cvt"; "rn"; "f16x2"; "f32" |] ->
            let half name =
                uint64 (BitConverter.HalfToUInt16Bits(Half.op_Explicit (real name: float32)))

            set (half a[1] <<< 16 ||| half a[2])
        | [| "cvt"; _; from |] -> set (uint64 (typed from a[1]))
        | [| "ex2"; _; _ |] -> set (bitsOf (MathF.Pow(2f, real a[1])))
        | [| "lg2"; _; _ |] -> set (bitsOf (MathF.Log2(real a[1])))
        | [| "rcp"; _; _ |] -> set (bitsOf (1f / real a[1]))
        | [| "fma"; _; _ |] -> set (bitsOf (MathF.FusedMultiplyAdd(real a[1], real a[2], real a[3])))
        | [| operation; "pred" |] -> set (bit (whole operation "b64" (int64 (value a[1])) (int64 (value a[2])) <> 0L))
        | operations when kind = "f32" && a.Length = 3 -> set (bitsOf (floating operations[0] (real a[1]) (real a[2])))
        | operations when Array.contains operations[0] wholeOperations ->
            set (truncated kind (whole operations[0] kind (typed kind a[1]) (typed kind a[2])))
        // Barriers, registers and tensor maps of the units.
        | _ when not isBehindLoop -> ()
        | _ -> failwith $"not known: {one.Text}"

    member _.Answer(register, result) = registers[register] <- result

    /// Goes on until it has to wait.
    member _.Run() =
        let mutable wait = None

        while wait.IsNone do
            let one = program.Instructions[next]
            next <- next + 1

            match one.Guard with
            | Some(register, wanted) when (value register <> 0UL) <> wanted -> ()
            | _ ->
                let a = one.Arguments

                match one.Operation with
                | [| "bra" |]
                | [| "bra"; "uni" |] -> next <- program.Labels[a[0]]
                | [| ("exit" | "ret") |] -> wait <- Some End
                | [| "bar"; "sync" |] -> wait <- Some Group
                | [| "bar"; "red"; "or"; "pred" |] -> wait <- Some(Any(a[0], value a[3] <> 0UL))
                | [| "shfl"; "sync"; kind; "b32" |] -> wait <- Some(Shuffle(a[0], kind, value a[1], int (value a[2])))
                | _ -> execute one

        wait.Value

/// Runs the warpgroup of a group that has threads 128 to 255, without its units, whose number's parameter is the start of `work`.
let runBehindUnits (program: Program) parameters (device: Memory) group groups =
    let threads =
        Array.init 128 (fun i -> Thread(program, parameters, device, group, groups, 128 + i))

    let waits = threads |> Array.map _.Run()
    let goOn i = waits[i] <- threads[i].Run()

    while waits |> Array.exists (fun wait -> wait <> End) do
        let mutable isStuck = true

        for first in 0..32..96 do
            let warp = waits[first .. first + 31]

            if warp |> Array.forall _.IsShuffle then
                for i in 0..31 do
                    match warp[i] with
                    | Shuffle(register, kind, _, lane) ->
                        match warp[if kind = "idx" then lane else i ^^^ lane] with
                        | Shuffle(_, _, other, _) -> threads[first + i].Answer(register, other)
                        | _ -> ()
                    | _ -> ()

                for i in first .. first + 31 do
                    goOn i

                isStuck <- false

        if isStuck then
            if waits |> Array.forall _.IsGroup then
                for i in 0..127 do
                    goOn i
            elif waits |> Array.forall _.IsAny then
                let any =
                    waits
                    |> Array.exists (fun wait ->
                        match wait with
                        | Any(_, mine) -> mine
                        | _ -> false)

                for i in 0..127 do
                    match waits[i] with
                    | Any(register, _) -> threads[i].Answer(register, (if any then 1UL else 0UL))
                    | _ -> ()

                for i in 0..127 do
                    goOn i
            else
                failwith "threads wait for different things"
