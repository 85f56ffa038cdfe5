module FlashGen.Tests.Runtime.PhiloxTests

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open Expecto
open FlashGen
open FlashGen.Support

let private words (block: PhiloxWords) =
    [ block.X0; block.X1; block.X2; block.X3 ]

/// Runs the rounds' PTX, statement by statement, on a counter and a key.
let private runRounds (counter: uint32 list) (key: uint32 list) =
    let keys = PhiloxKeys(uint64 key[0] ||| (uint64 key[1] <<< 32))

    let parameter =
        MemoryMarshal.Cast<PhiloxKeys, uint32>(ReadOnlySpan [| keys |]).ToArray()

    let registers = Dictionary<string, uint64>()
    counter |> List.iteri (fun i word -> registers[$"word{i}"] <- uint64 word)

    let statements =
        (PhiloxKeys.Registers + "\n" + PhiloxKeys.Rounds).Split('\n')
        |> Seq.filter (fun line -> not (line.StartsWith "//"))
        |> Seq.collect (fun line -> line.Split(';', StringSplitOptions.RemoveEmptyEntries))
        |> Seq.map _.Trim()

    for statement in statements do
        match
            List.ofArray (statement.Split([| ' '; ','; '{'; '}'; '['; ']' |], StringSplitOptions.RemoveEmptyEntries))
        with
        | ".reg" :: _
        | [] -> ()
        | [ "ld.param.v2.b32"; low; high; source ] ->
            let at = int (source.Replace("dropoutKeys+", "")) / 4
            registers[low] <- uint64 parameter[at]
            registers[high] <- uint64 parameter[at + 1]
        | [ "mul.wide.u32"; target; source; factor ] ->
            registers[target] <- registers[source] * uint64 (Convert.ToUInt32(factor, 16))
        | [ "mov.b64"; low; high; source ] ->
            registers[low] <- registers[source] &&& 0xffffffffUL
            registers[high] <- registers[source] >>> 32
        | [ "lop3.b32"; target; a; b; c; "0x96" ] -> registers[target] <- registers[a] ^^^ registers[b] ^^^ registers[c]
        | [ "mov.b32"; target; source ] -> registers[target] <- registers[source]
        | _ -> failtest $"a statement that is not known: {statement}"

    [ for i in 0..3 -> uint32 registers[$"word{i}"] ]

/// The known answers that Random123 publishes for philox4x32-10 (kat_vectors).
let private published =
    [
        [ 0u; 0u; 0u; 0u ], [ 0u; 0u ], [ 0x6627e8d5u; 0xe169c58du; 0xbc57ac4cu; 0x9b00dbd8u ]
        List.replicate 4 0xffffffffu,
        List.replicate 2 0xffffffffu,
        [ 0x408f276du; 0x41c83b0eu; 0xa20bc7c6u; 0x6d5451fdu ]
        [ 0x243f6a88u; 0x85a308d3u; 0x13198a2eu; 0x03707344u ],
        [ 0xa4093822u; 0x299f31d0u ],
        [ 0xd16cfe09u; 0x94fdccebu; 0x5001e420u; 0x24126ea1u ]
    ]

[<Tests>]
let tests =
    testList
        "Philox"
        [
            test "gives the published vectors" {
                for counter, key, expected in published do
                    let block =
                        Philox.Block(counter[0], counter[1], counter[2], counter[3], key[0], key[1])

                    Expect.equal (words block) expected $"counter %A{counter}, key %A{key}"

                    Expect.equal (runRounds counter key) expected "and so does the PTX of kernels"
            }

            test "a draw is the half-word that the semantics name, here of the first published vector" {
                let draws =
                    [
                        for key in [ 0u; 1u; 8u; 9u; 16u; 17u; 24u; 25u ] -> Philox.Draw(0UL, 0u, 0u, 0u, key)
                    ]

                Expect.equal
                    draws
                    [
                        0xe8d5us
                        0x6627us
                        0xc58dus
                        0xe169us
                        0xac4cus
                        0xbc57us
                        0xdbd8us
                        0x9b00us
                    ]
                    "low half first, eight keys on"
            }

            test "dropout's counter is (key group, query, batch and head, offset), its key the seed, low word first" {
                let words =
                    words (
                        Philox.DropoutWords(0x299f31d0a4093822UL, 0x03707344u, 0x13198a2eu, 0x85a308d3u, 0x243f6a88u)
                    )

                let _, _, expected = published[2]
                Expect.equal words expected "the third published vector"
            }

            test "eight keys share a call, and every key of 32 has a draw of its own" {
                let source key =
                    (key / 32u * 4u + key % 8u / 2u, key % 32u / 8u, key % 2u)

                Expect.equal
                    (List.length (List.distinct (List.map source [ 0u .. 127u ])))
                    128
                    "no half-word is used twice"

                for key in 0u .. 127u do
                    let group, word, half = source key
                    let block = Philox.DropoutWords(7UL, 3u, 5u, 11u, group)
                    let expected = uint16 (words block).[int word]
                    let high = uint16 ((words block).[int word] >>> 16)

                    Expect.equal
                        (Philox.Draw(7UL, 3u, 5u, 11u, key))
                        (if half = 0u then expected else high)
                        $"key {key}"
            }

            test "draws are spread evenly" {
                let draws =
                    [|
                        for query in 0u .. 255u do
                            for key in 0u .. 255u -> int (Philox.Draw(42UL, 0u, 0u, query, key))
                    |]

                let mean = Array.averageBy float draws
                // Sixteen bits, 65536 of them: the mean's own deviation is 74.
                Expect.floatClose { absolute = 400.0; relative = 0.0 } mean 32767.5 "mean of the draws"
            }
        ]
