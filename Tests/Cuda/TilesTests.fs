/// Which tiles of keys a tensor-core kernel visits, and distances of positions in float, both without a device.
module FlashGen.Tests.Cuda.TilesTests

open System
open Expecto
open FlashGen.Dsl
open FlashGen.Generators.Emit.Tensor
open FlashGen.Support
open FlashGen.Tests

/// Goes through all tiles as a kernel does whose warps find what is left of each: the tiles visited and whether they run the mask.
let private visit first last warps (kind: int -> int) =
    let mutable tiles = TensorTiles()
    tiles.Begin(first, last)

    let next () =
        while tiles.NeedsChunk do
            let mutable kept, partial = 0u, 0u

            for warp in 0 .. warps - 1 do
                let mutable own = TensorChunk()

                for place in warp..warps .. TensorChunk.Tiles - 1 do
                    if tiles.From - place >= first then
                        own.Add(place, kind (tiles.From - place))

                kept <- kept ||| own.Kept
                partial <- partial ||| own.Partial

            let mutable all = TensorChunk(Kept = kept, Partial = partial)
            tiles.Take(&all)

        tiles.StepTo(Numerics.BitOperations.LeadingZeroCount tiles.Left)

    [
        next ()

        while tiles.HasTile do
            tiles.Tile, tiles.IsPartial <> 0u
            next ()
    ]

let private distances =
    let at field = Position field
    let key, query = at Key, at QueryPosition

    [
        Unary(Abs, Binary(Sub, query, key))
        Binary(Sub, Binary(Add, key, Expr.int 7), at Query)
        Unary(Negate, Binary(Add, query, key))
        key
    ]
    |> List.map (fun distance -> Binary(Mul, Score, Convert(Float, distance)))

[<Tests>]
let tests =
    testList
        "Cuda.Tiles"
        [
            test "the bits of a thread's columns are those from a row's first to its last" {
                for first in -140 .. 140 do
                    for last in -140..3..140 do
                        let wanted =
                            [
                                for bit in 0..31 do
                                    let column = 8 * (bit / 2) + bit % 2

                                    if first <= column && column <= last then
                                        1u <<< bit
                            ]
                            |> List.sum

                        Expect.equal (TensorColumns.Of(first, last)) wanted $"columns {first} to {last}"
            }
            test "tiles that something is left of are visited once, the last first, chunk after chunk" {
                let random = Random Settings.seed

                for _ in 1..500 do
                    let first = random.Next 100
                    let last = first - 1 + random.Next 120
                    let share = random.Next 101

                    let kinds =
                        Array.init 300 (fun _ -> if random.Next 100 < share then random.Next(1, 3) else 0)

                    let expected =
                        [
                            for tile in last .. -1 .. first do
                                if kinds[tile] <> PortableTile.Empty then
                                    tile, kinds[tile] = PortableTile.Partial
                        ]

                    let visited = visit first last (random.Next(1, 5)) (fun tile -> kinds[tile])
                    Expect.equal visited expected $"tiles {first} to {last}"
            }
            test "a converted sum of positions is the same number when it is computed in float" {
                let random = Random Settings.seed

                for expr in distances do
                    let numbers = PositionNumbers.Apply expr
                    Expect.notEqual numbers expr "another expression"

                    for _ in 1..300 do
                        let key, query = random.Next(1 <<< 22), random.Next(1 <<< 22)

                        let environment =
                            { Environment.empty with
                                Field =
                                    fun field ->
                                        match field with
                                        | Key -> key
                                        | Query -> query
                                        | _ -> query + (1 <<< 22) - 1
                                Score = 1.0f
                            }

                        let value body = Evaluate.expression environment body

                        let ofKey = Let(PositionNumbers.Key, Convert(Float, Position Key), numbers)

                        Expect.equal (value ofKey) (value expr) $"key {key}, query {query}: {expr}"
            }
            test "what may leave float's exact integers, or has no key in it, is left alone" {
                for expr in
                    [
                        Binary(Mul, Position Key, Position Query)
                        Binary(Add, Position Key, Expr.int Int32.MaxValue)
                        Position Query
                    ] do
                    let expr = Convert(Float, expr)
                    Expect.equal (PositionNumbers.Apply expr) expr "the same"
            }
        ]
