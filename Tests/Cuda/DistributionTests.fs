/// How the work of a tensor-core call is shared out over a device's multiprocessors.
module FlashGen.Tests.Cuda.DistributionTests

open Expecto
open FlashGen
open FlashGen.Support

let private kernel blockM blockN =
    TensorKernel(32 * (blockM / 16), blockM, blockN, 0, (fun () -> null))

let private distribute (shape: AttentionShape) isHopper processors mostParts =
    let mutable shape = shape

    let struct (work, groups) =
        TensorDistribution.Of(&shape, kernel 128 128, isHopper, processors, mostParts)

    work, groups

let private decode batch queryHeads keyHeads keys =
    AttentionShape(batch, queryHeads, keyHeads, 1, keys, 128)

[<Tests>]
let tests =
    testList
        "Cuda.Distribution"
        [
            test "heads of a group share the tile of one query" {
                let work, groups = distribute (decode 16 32 8 8192) true 132 1
                Expect.equal (work.HeadBits, work.SetsOfKeyHead, work.SetsOfBatch) (2, 1, 8) "four heads"
                Expect.equal (work.Units, groups) (128, 128) "a unit for each key head"
            }
            test "groups of heads that are no power of two leave rows empty, larger ones take several tiles" {
                let bits queryHeads keyHeads =
                    let work, _ = distribute (decode 1 queryHeads keyHeads 64) true 132 1
                    work.HeadBits, work.SetsOfKeyHead

                Expect.equal (bits 7 1) (3, 1) "seven in eight"
                Expect.equal (bits 9 1) (3, 2) "nine in two tiles of eight"
                Expect.equal (bits 6 2) (2, 1) "three in four"
                Expect.equal (bits 4 4) (0, 1) "one alone"
            }
            test "few tiles split their keys over all multiprocessors, as far as there is memory" {
                let work, groups = distribute (decode 1 32 8 65536) true 132 1000
                Expect.equal (work.Parts, groups) (16, 128) "16 parts of 8 tiles"
                let work, groups = distribute (decode 1 32 8 65536) true 132 5
                Expect.equal (work.Parts, groups) (5, 40) "memory for five"
                let work, _ = distribute (decode 1 32 8 600) true 132 1000
                Expect.equal work.Parts 1 "four tiles of keys are not worth a merge"
            }
            test "many rows keep heads apart, and come in pairs of tiles" {
                let work, groups =
                    distribute (AttentionShape(8, 16, 16, 2048, 2048, 128)) true 132 1000

                Expect.equal (work.HeadBits, work.Parts, work.TilesOfUnit) (0, 1, 2) "as they were"
                Expect.equal (work.Units, groups) (8 * 16 * 8, 132) "pairs, on every multiprocessor"
            }
            test "Ampere's kernel shares tiles for one query alone" {
                let bits queries =
                    let work, _ = distribute (AttentionShape(1, 32, 8, queries, 4096, 128)) false 108 1
                    work.HeadBits

                Expect.equal (bits 1) 2 "one query"
                Expect.equal (bits 2) 0 "two queries"
            }
            test "what WorkspaceSize asks for is what a call would take" {
                let random = System.Random FlashGen.Tests.Settings.seed

                for _ in 1..300 do
                    let keyHeads = random.Next(1, 9)
                    let isHopper = random.Next 2 = 0

                    let mutable shape =
                        AttentionShape(
                            random.Next(1, 5),
                            keyHeads * random.Next(1, 18),
                            keyHeads,
                            random.Next(1, 300),
                            random.Next(1, 9000),
                            64
                        )

                    let wanted = TensorDistribution.Parts(&shape, kernel 128 64, isHopper, 132)

                    let struct (work, _) =
                        TensorDistribution.Of(&shape, kernel 128 64, isHopper, 132, 100000)

                    Expect.equal work.Parts wanted $"{shape}"

                    Expect.isTrue
                        (work.SetsOfKeyHead <<< work.HeadBits >= shape.GroupSize
                         && work.QueryTiles * (128 >>> work.HeadBits) >= shape.QueryLength)
                        "every row has a place"
            }
        ]
