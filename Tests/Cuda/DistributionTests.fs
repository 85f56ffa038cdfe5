/// How the work of a tensor-core call is shared out over a device's multiprocessors.
module FlashGen.Tests.Cuda.DistributionTests

open System
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests

let private kernel blockM blockN =
    TensorKernel(32 * (blockM / 16), blockM, blockN, 0, 1, (fun () -> null))

let private distributeOf reach blockN (shape: AttentionShape) isHopper processors mostRows =
    let mutable shape = shape

    let struct (work, groups) =
        TensorDistribution.Of(&shape, kernel 128 blockN, reach, isHopper, processors, mostRows)

    work, groups

let private distribute = distributeOf KeyReach.Some 128

let private decode batch queryHeads keyHeads keys =
    AttentionShape(batch, queryHeads, keyHeads, 1, keys, 128)

[<Tests>]
let tests =
    testList
        "Cuda.Distribution"
        [
            test "heads of a group share the tile of one query" {
                let work, groups = distribute (decode 16 32 8 8192) true 132 0L
                Expect.equal (work.HeadBits, work.SetsOfKeyHead, work.SetsOfBatch) (2, 1, 8) "four heads"
                Expect.equal (work.Units, groups) (128, 128) "a unit for each key head"
            }
            test "two groups of a multiprocessor take units of their own" {
                let distribute groups (shape: AttentionShape) =
                    let mutable shape = shape
                    let kernel = TensorKernel(256, 64, 128, 0, groups, (fun () -> null))

                    let struct (work, groups) =
                        TensorDistribution.Of(&shape, kernel, KeyReach.All, true, 132, 1_000_000_000L)

                    work, groups

                let many = AttentionShape(64, 8, 8, 64, 512, 64)
                Expect.equal (snd (distribute 1 many), snd (distribute 2 many)) (132, 264) "of many units"

                // 66 key heads of one query each: as many parts as there are groups for them.
                let few = AttentionShape(1, 66, 66, 1, 65536, 64)
                Expect.equal ((fst (distribute 1 few)).Parts, (fst (distribute 2 few)).Parts) (2, 4) "of few"
            }
            test "tiles of few rows are estimated to be quicker where larger ones leave much empty" {
                let microseconds threads blockM groups (shape: AttentionShape) =
                    let mutable shape = shape
                    let kernel = TensorKernel(threads, blockM, 128, 0, groups, (fun () -> null))

                    let struct (work, _) =
                        TensorDistribution.Of(&shape, kernel, KeyReach.All, true, 132, Int64.MaxValue)

                    let mutable work = work
                    TensorTail.Microseconds(&shape, kernel, &work, groups * 132)

                let gain batch heads queries keys =
                    let shape = AttentionShape(batch, heads, heads, queries, keys, 64)
                    microseconds 512 192 1 shape / microseconds 256 64 2 shape

                // By how much they were, on an H200: 1.09, 1.32, 1.33 and 1.18.
                for shape in [ 32, 16, 577, 577; 1, 12, 1000, 1000; 1, 8, 2048, 2048; 8, 20, 448, 1000 ] do
                    Expect.isGreaterThan (shape |> fun (b, h, q, k) -> gain b h q k) 1.13 $"{shape}"

                // 0.92 and 0.93; the third was not measured.
                for shape in [ 16, 16, 768, 768; 8, 32, 2048, 2048; 2, 16, 4096, 4096 ] do
                    Expect.isLessThan (shape |> fun (b, h, q, k) -> gain b h q k) 1.13 $"{shape}"
            }
            test "a product and a shift divide as a quotient does" {
                let random = System.Random Settings.seed
                let largest = System.Int32.MaxValue

                let divisors =
                    [
                        yield! [ 1..300 ]
                        for bit in 2..30 do
                            yield! [ (1 <<< bit) - 1; 1 <<< bit; (1 <<< bit) + 1 ]
                        yield! [ largest - 1; largest ]
                        for _ in 1..1000 do
                            random.Next(1, largest)
                    ]

                for divisor in divisors do
                    let mutable by = TensorDivisor.Of divisor
                    // Quotients change at multiples.
                    let multiple = divisor * (random.Next() % (largest / divisor) + 1)

                    for number in [ 0; 1; multiple - 1; multiple; largest - 1; largest; random.Next() ] do
                        Expect.equal (by.Into number) (number / divisor) $"{number} / {divisor}"
            }
            test "groups of heads that are no power of two leave rows empty, larger ones take several tiles" {
                let bits queryHeads keyHeads =
                    let work, _ = distribute (decode 1 queryHeads keyHeads 64) true 132 0L
                    work.HeadBits, work.SetsOfKeyHead

                Expect.equal (bits 7 1) (3, 1) "seven in eight"
                Expect.equal (bits 9 1) (3, 2) "nine in two tiles of eight"
                Expect.equal (bits 6 2) (2, 1) "three in four"
                Expect.equal (bits 4 4) (0, 1) "one alone"
            }
            test "few tiles split their keys over all multiprocessors, as far as there is memory" {
                let work, groups = distribute (decode 1 32 8 65536) true 132 1000000L
                Expect.equal (work.Parts, groups) (16, 128) "16 parts of 8 tiles"
                let work, groups = distribute (decode 1 32 8 65536) true 132 (5L * 8L * 4L)
                Expect.equal (work.Parts, groups) (5, 40) "memory for five"
                let work, _ = distribute (decode 1 32 8 600) true 132 1000000L
                Expect.equal work.Parts 2 "two tiles of keys are a part"
                let work, _ = distribute (decode 1 32 8 384) true 132 1000000L
                Expect.equal work.Parts 1 "three tiles are not worth a merge"
            }
            test "many rows keep heads apart, and come in pairs of tiles" {
                let work, groups =
                    distribute (AttentionShape(8, 16, 16, 2048, 2048, 128)) true 132 1000000L

                Expect.equal (work.HeadBits, work.Parts, work.TilesOfUnit) (0, 1, 2) "as they were"
                Expect.equal (work.Units, groups) (8 * 16 * 8, 132) "pairs, on every multiprocessor"
            }
            test "Ampere's kernel shares tiles for one query alone" {
                let bits queries =
                    let work, _ = distribute (AttentionShape(1, 32, 8, queries, 4096, 128)) false 108 0L
                    work.HeadBits

                Expect.equal (bits 1) 2 "one query"
                Expect.equal (bits 2) 0 "two queries"
            }
            test "a last round that is nearly empty has its keys split, where they are long" {
                let split reach heads keys =
                    let work, groups =
                        distributeOf reach 128 (AttentionShape(1, heads, heads, 2048, keys, 128)) true 132 1000000L

                    Expect.equal groups 132 "every multiprocessor"
                    work.Whole, work.Parts, work.Units

                let whole, parts, units = split KeyReach.All 9 8192
                Expect.equal whole 132 "144 tiles: a round"
                Expect.isTrue (parts >= 8 && units <= 2 * 132) $"and 12 in many parts: {parts}"
                Expect.equal (split KeyReach.FromFirst 9 8192) (whole, parts, units) "as under a causal mask"
                Expect.equal (split KeyReach.Some 9 8192) (144, 1, 144) "nothing is known of tables"
                Expect.equal (split KeyReach.All 9 256) (144, 1, 144) "nothing is gained of few keys"
                Expect.equal (split KeyReach.All 33 8192) (528, 1, 528) "four full rounds"
            }
            test "tiles of few rounds descend under a causal mask, where pairs would leave a round nearly empty" {
                let descends heads length =
                    let shape = AttentionShape(1, heads, heads, length, length, 128)
                    let work, _ = distributeOf KeyReach.FromFirst 128 shape true 132 0L
                    work.Descends, work.TilesOfUnit

                Expect.equal (descends 48 700) (1, 1) "144 pairs"
                Expect.equal (descends 32 1000) (1, 1) "256 tiles, of which no pairs are made"
                Expect.equal (descends 33 1024) (0, 2) "132 pairs"
                Expect.equal (descends 128 2048) (0, 2) "1024 pairs, 7.8 rounds"
                Expect.equal (descends 32 9000) (0, 2) "more keys than the second-level cache holds"

                let tiles keys =
                    (AttentionShape(1, 48, 48, 700, keys, 128), distributeOf KeyReach.FromFirst 128)

                for keys in [ 700; 701; 900 ] do
                    let shape, distribute = tiles keys
                    let work, groups = distribute shape true 132 0L
                    let mutable work = work

                    let rows =
                        [
                            for unit in 0 .. work.Units - 1 ->
                                TensorPlace.Of(&work, unit, false, 128, 700, true).FirstRow
                        ]

                    Expect.equal groups 132 "every multiprocessor"
                    Expect.equal rows (List.sortDescending rows) "those with the most keys first"
            }
            test "the device's cases of last rounds are such that an H200 splits them, or goes down them" {
                let works reach (variant: AttentionVariant) =
                    [
                        for number in 0..7 do
                            let case = Kernels.Cases.makeTail Settings.seed variant number
                            fst (distributeOf reach 128 case.Shape true 132 1000000L)
                    ]

                let split =
                    works KeyReach.All FlashGen.Kernels.Full.Variant
                    |> List.filter (fun work -> work.Whole > 0 && work.Parts > 1)

                let descending =
                    works KeyReach.FromFirst FlashGen.Kernels.Causal.Variant
                    |> List.filter (fun work -> work.Descends = 1)

                Expect.isGreaterThan split.Length 2 "some are split"
                Expect.isGreaterThanOrEqual descending.Length 2 "some descend"
            }
            test "every row has all its keys once, and every part a place, in any memory" {
                let random = System.Random FlashGen.Tests.Settings.seed
                let mutable tails = 0

                for _ in 1..400 do
                    let keyHeads = random.Next(1, 9)
                    let reach = enum<KeyReach>(random.Next 3)

                    let shape =
                        AttentionShape(
                            random.Next(1, 5),
                            keyHeads * random.Next(1, 9),
                            keyHeads,
                            random.Next(1, 1500),
                            random.Next(1, 20000),
                            64
                        )

                    let memory = int64 (10.0 ** (random.NextDouble() * 7.0))
                    let work, groups = distributeOf reach 64 shape (random.Next 4 > 0) 132 memory
                    let about = $"{reach} {shape}, {memory} rows: {work.Whole} + parts, {work.Parts}"
                    let split = work.Units - work.Whole
                    tails <- tails + (if work.Whole > 0 && split > 0 then 1 else 0)
                    Expect.isTrue (groups >= 1 && groups <= work.Units) about
                    Expect.isTrue (int64 work.Slots * int64 work.Rows <= memory) about

                    Expect.isTrue (split = 0 && work.Parts = 1 || work.Parts > 1 && split % work.Parts = 0) about

                    let found = System.Collections.Generic.Dictionary<struct (int * int * int), int>()
                    let slots = System.Collections.Generic.HashSet<int>()

                    for unit in 0 .. work.Units - 1 do
                        for second in 0 .. work.TilesOfUnit - 1 do
                            let place = TensorPlace.Of(&work, unit, (second = 1), 128, shape.QueryLength, true)

                            if place.Slot >= 0 then
                                Expect.isTrue (slots.Add place.Slot && place.Slot < work.Slots) about
                                Expect.isTrue (place.Part < work.Parts) about
                            else
                                Expect.equal place.Part -1 about

                            // Parts are numbered: their sum tells that there is each.
                            let share =
                                if place.Part < 0 then
                                    work.Parts * (work.Parts + 1) / 2
                                else
                                    place.Part + 1

                            for head in 0 .. (1 <<< work.HeadBits) - 1 do
                                for query in place.FirstRow .. place.FirstRow + place.Rows - 1 do
                                    let ofKeyHead = place.FirstHead + head

                                    if ofKeyHead < shape.GroupSize then
                                        let key =
                                            struct (place.Batch, place.KeyHead * shape.GroupSize + ofKeyHead, query)

                                        let _, before = found.TryGetValue key
                                        found[key] <- share + before

                            Expect.isTrue (place.Rows <<< work.HeadBits <= work.Rows) about

                    Expect.equal found.Count (shape.Batch * shape.QueryHeads * shape.QueryLength) about
                    Expect.isTrue (found.Values |> Seq.forall ((=) (work.Parts * (work.Parts + 1) / 2))) about

                Expect.isGreaterThan tails 20 "some calls split their last round"
            }
        ]
