module FlashGen.Tests.Runtime.CoverageMapTests

open System
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade

let private causal = variant typeof<ReferenceTypes.Causal>

let private map (shape: AttentionShape) blockM blockN batch =
    CoverageMap.Of(causal, &shape, null, blockM, blockN, batch, 0)

[<Tests>]
let tests =
    testList
        "Runtime.CoverageMap"
        [
            testCase "tiles that a map has not"
            <| fun () ->
                let four = map (AttentionShape(1, 1, 1, 30, 60, 8)) 16 16 0

                for read in
                    [
                        fun () -> four[2, 0]
                        fun () -> four[0, 4]
                        fun () -> four[-1, 0]
                        fun () -> four.Judge(1, 3, 0, 1)
                        fun () -> four.Judge(1, 0, 0, 1)
                        fun () -> four.Judge(0, 1, 2, 5)
                    ] do
                    Expect.throwsT<ArgumentOutOfRangeException> (fun () -> read () |> ignore) "no such tile"

            testCase "causal tiles, ragged and moved by offsets and key lengths, pair by pair"
            <| fun () ->
                for queries, keys, keyLength, offset, blockM, blockN in
                    [
                        64, 64, 64, 0, 16, 16
                        37, 53, 53, 16, 8, 16
                        37, 53, 41, 4, 16, 8
                        20, 30, 30, -7, 7, 5
                        5, 40, 0, 0, 4, 4
                        3, 9, 9, 100, 1, 2
                    ] do
                    let shape =
                        AttentionShape(
                            2,
                            1,
                            1,
                            queries,
                            keys,
                            8,
                            KeyLengths = ReadOnlyMemory [| 0; keyLength |],
                            Offsets = ReadOnlyMemory [| 0; offset |]
                        )

                    let map = map shape blockM blockN 1
                    let tiles length block = (length + block - 1) / block
                    Expect.equal (map.QueryTiles, map.KeyTiles) (tiles queries blockM, tiles keyLength blockN) "tiles"
                    let mutable pairs = 0L

                    for m in 0 .. map.QueryTiles - 1 do
                        for n in 0 .. map.KeyTiles - 1 do
                            let kept =
                                [
                                    for i in m * blockM .. min queries (m * blockM + blockM) - 1 do
                                        for j in n * blockN .. min keyLength (n * blockN + blockN) - 1 ->
                                            j <= i + offset
                                ]

                            let expected =
                                if List.forall id kept then TileCoverage.Full
                                elif List.exists id kept then TileCoverage.Partial
                                else TileCoverage.Empty

                            pairs <- pairs + int64 (List.length (List.filter id kept))
                            Expect.equal map[m, n] expected $"tile {m}, {n} of {queries} x {keyLength}"

                    Expect.equal map.KeptPairs pairs "kept pairs"

                    let count =
                        [ TileCoverage.Full; TileCoverage.Partial; TileCoverage.Empty ]
                        |> List.sumBy map.Count

                    Expect.equal count (int64 (map.QueryTiles * map.KeyTiles)) "every tile is one of the three"

            testCase "tiles taken together"
            <| fun () ->
                let shape = AttentionShape(1, 1, 1, 32, 32, 8)
                let map = map shape 8 8 0
                Expect.equal (map.Judge(2, 4, 0, 2)) TileCoverage.Full "below the diagonal"
                Expect.equal (map.Judge(0, 2, 0, 2)) TileCoverage.Partial "on it"
                Expect.equal (map.Judge(0, 2, 2, 4)) TileCoverage.Empty "above it"

            testCase "the picture is the same each time, and its title is text"
            <| fun () ->
                let shape = AttentionShape(1, 1, 1, 32, 32, 8)
                let picture = CoverageSvg.Write(map shape 8 8 0, "a < b & c")
                Expect.equal (CoverageSvg.Write(map shape 8 8 0, "a < b & c")) picture "the same"
                Expect.stringContains picture "a &lt; b &amp; c" "escaped"
                let root = System.Xml.Linq.XDocument.Parse(picture).Root
                Expect.equal root.Name.LocalName "svg" "well formed"

            testCase "refuses what is not there"
            <| fun () ->
                let shape = AttentionShape(1, 1, 1, 4, 4, 8)
                let none = AttentionShape(0, 1, 1, 4, 4, 8)
                throws<ArgumentOutOfRangeException> [ "blockM is 0" ] (fun () -> map shape 0 8 0 |> ignore)
                throws<ArgumentOutOfRangeException> [ "blockN is -1" ] (fun () -> map shape 8 -1 0 |> ignore)
                throws<ArgumentOutOfRangeException> [ "batch is 1"; "0 to 0" ] (fun () -> map shape 8 8 1 |> ignore)
                throws<ArgumentOutOfRangeException> [ "batch is 0"; "none" ] (fun () -> map none 8 8 0 |> ignore)
        ]
