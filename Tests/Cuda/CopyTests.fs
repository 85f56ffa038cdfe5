/// What the threads of an Ampere group copy into a tile, read from the emitted PTX: without a device, piece by piece.
module FlashGen.Tests.Cuda.CopyTests

open System
open System.Collections.Generic
open System.Text.RegularExpressions
open Expecto
open FlashGen.Dsl
open FlashGen.Generators.Emit.Tensor
open FlashGen.Support
open FlashGen.Tests

let private number (group: Group) = int group.Value

/// One of the emitted methods: its tile, the rows between a thread's copies, where threads start, and its statements.
type private Copy =
    {
        IsWhole: bool
        Rows: int
        Columns: int
        Step: int
        /// A thread's row and piece of 16 bytes among the first.
        Start: int -> int * int
        Statements: string list
    }

let private copies (text: string) =
    [
        for found in
            Regex.Matches(
                text,
                "void Copy(Whole)?(\d+)x(\d+)\([^)]*\) => CudaAsm.Emit\(\"\"\"(.*?)\"\"\"",
                RegexOptions.Singleline
            ) do
            let name, columns =
                $"Copy{found.Groups[1].Value}{found.Groups[2].Value}", number found.Groups[3]

            let start =
                Regex.Match(
                    text,
                    $@"int Place{columns}\(\) => TensorCopies.Place\(\(Group.IdxX >> (\d+)\), \(Group.IdxX & (\d+)\), {columns}\)"
                )

            let own =
                Regex.Match(
                    text,
                    $@"long Own{columns}\(long source, long stride\) => source \+ 2 \* \(\(Group.IdxX >> (\d+)\) \* stride \+ 8 \* \(Group.IdxX & (\d+)\)\)"
                )

            Expect.isTrue start.Success $"where pieces of {columns} columns stand"

            let parts (found: Match) =
                [ for group in Seq.tail found.Groups -> group.Value ]

            Expect.equal (parts own) (parts start) "and come from"
            let shift, mask = number start.Groups[1], number start.Groups[2]

            {
                IsWhole = found.Groups[1].Success
                Rows = number found.Groups[2]
                Columns = columns
                Step =
                    number (
                        Regex.Match(text, $@"{name}x{columns}\(target \+ place, own \+ first, (\d+) \* stride").Groups[1]
                    )
                    / 2
                Start = fun thread -> thread >>> shift, thread &&& mask
                Statements =
                    [
                        for statement in found.Groups[4].Value.Split(';') do
                            if statement.Trim() <> "" then
                                statement.Trim()
                    ]
            }
    ]

let private (|Statement|_|) pattern text =
    let found = Regex.Match(text, $"^{pattern}$")

    if found.Success then
        Some [ for group in Seq.tail found.Groups -> group.Value ]
    else
        None

/// The pieces in shared memory after all threads' copies, by their place: where each comes from (a row and a column), or zeros.
let private perform threads rows columns copy =
    let stored = Dictionary<int, (int * int) option>()

    for thread in 0 .. threads - 1 do
        let row, piece = copy.Start thread
        let place = TensorCopies.Place(row, piece, copy.Columns)
        let mutable from, c, d, size = row, true, true, 0
        let sizes = Dictionary<string, int>()

        for statement in copy.Statements do
            match statement with
            | "mov.b64 from, %1"
            | "mov.u32 th, %%tid.x" -> ()
            | "add.s64 from, from, %2" -> from <- from + copy.Step
            | Statement "setp.lt.u32 d, th, (\d+)" [ least ] -> d <- thread < int least
            | Statement "setp.gt.s32 c, %4, (\d+)" [ least ] -> c <- columns - 8 * piece > int least
            | Statement "setp.gt.s32 c, %3, (\d+)" [ least ] -> c <- rows - row > int least
            | Statement "selp.b32 (size\d), 16, 0, c" [ name ] -> sizes[name] <- if c then 16 else 0
            | Statement "selp.b32 ti, (size\d), 0, c" [ name ] -> size <- if c then sizes[name] else 0
            | Statement "(@d )?cp.async.cg.shared.global \[%0\+(\d+)\], \[from\+(\d+)\], 16(, ti)?" [ guard
                                                                                                      target
                                                                                                      source
                                                                                                      sized ] ->
                if guard = "" || d then
                    let at = place + int target
                    Expect.isFalse (stored.ContainsKey at) $"{at} is written twice"

                    stored[at] <-
                        if sized = "" || size = 16 then
                            Some(from, 8 * piece + int source / 2)
                        else
                            None
            | other -> failtest $"'{other}' is not known here."

    stored

let private emitted (plan: TilePlan) = Sm80Emitter(TensorTile.Of plan).Emit()

let private plans =
    [
        for headDim in TensorPlanner.widths do
            for valueDim in [ headDim; 64 ] ->
                TensorPlanner.plan
                    Sm80
                    Float16
                    {
                        HeadDim = headDim
                        ValueDim = valueDim
                    }
                    Portable.PlanTests.spec
    ]
    |> List.choose Result.toOption

[<Tests>]
let tests =
    testList
        "Cuda.Copies"
        [
            test
                "every piece of a tile stands in its place, once; what is past the rows and columns is zeros and not read" {
                Expect.isGreaterThan plans.Length 5 "plans"

                for plan in plans do
                    let text = emitted plan

                    let threads =
                        32
                        * (match plan.Schedule with
                           | TensorSchedule schedule -> schedule.Warps
                           | _ -> 0)

                    for copy in copies text do
                        for rows in [ copy.Rows; copy.Rows - 1; 17; 1; 0 ] do
                            for columns in [ copy.Columns; copy.Columns - 8; 8 ] do
                                if not copy.IsWhole || rows = copy.Rows && columns = copy.Columns then
                                    let expected =
                                        [
                                            for row in 0 .. copy.Rows - 1 do
                                                for piece in 0 .. copy.Columns / 8 - 1 ->
                                                    TensorCopies.Place(row, piece, copy.Columns),
                                                    (if row < rows && 8 * piece < columns then
                                                         Some(row, 8 * piece)
                                                     else
                                                         None)
                                        ]

                                    let stored = perform threads rows columns copy

                                    Expect.sequenceEqual
                                        (stored |> Seq.map (|KeyValue|) |> Seq.sort)
                                        (Seq.sort expected)
                                        $"{PlanText.print plan}, {copy.Rows} x {copy.Columns}, whole {copy.IsWhole}: {rows} rows, {columns} columns"
            }
        ]
