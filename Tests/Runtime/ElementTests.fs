module FlashGen.Tests.Runtime.ElementTests

open System
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests.Runtime.HandMade

let private bits (value: float32) =
    (BFloat16.op_Explicit value: BFloat16).Bits

let private wide (value: BFloat16) : float32 = BFloat16.op_Implicit value

[<Tests>]
let bfloat16 =
    testList
        "BFloat16"
        [
            test "rounds to nearest, ties to even" {
                let eighth = 1.0f / 256.0f
                Expect.equal (bits 1.0f) 0x3F80us "1"
                Expect.equal (bits -2.0f) 0xC000us "-2"
                Expect.equal (bits 3.14159274f) 0x4049us "pi"
                Expect.equal (bits (1.0f + eighth)) 0x3F80us "half a step above 1 goes down, to even"
                Expect.equal (bits (1.0f + 3.0f * eighth)) 0x3F82us "one and a half steps above 1 goes up, to even"
                Expect.equal (bits (MathF.BitIncrement(1.0f + eighth))) 0x3F81us "just above half a step goes up"
                Expect.equal (bits -0.0f) 0x8000us "-0"
            }

            test "overflows to infinity from half a step above the largest" {
                Expect.equal (bits Single.MaxValue) 0x7F80us "float's largest"
                let half = BitConverter.UInt32BitsToSingle 0x7F7F8000u
                Expect.equal (bits half) 0x7F80us "half a step above the largest"
                Expect.equal (bits (MathF.BitDecrement half)) 0x7F7Fus "just below that"
                Expect.equal (bits Single.NegativeInfinity) 0xFF80us "-inf"
            }

            test "keeps NaN a quiet NaN, whatever its payload" {
                for raw in [ 0x7F800001u; 0xFF800001u; 0x7FFFFFFFu; 0x7FC00000u; 0x7F80FFFFu ] do
                    let rounded: BFloat16 = BFloat16.op_Explicit (BitConverter.UInt32BitsToSingle raw)
                    Expect.isTrue (BFloat16.IsNaN rounded) $"{raw:X8} stays NaN"
                    Expect.equal (rounded.Bits &&& 0x0040us) 0x0040us $"{raw:X8} becomes quiet"
            }

            test "every number goes to float and back unchanged" {
                for raw in 0..0xFFFF do
                    let value = BFloat16.FromBits(uint16 raw)

                    if not (BFloat16.IsNaN value) then
                        Expect.equal (bits (wide value)) (uint16 raw) $"{raw:X4}"
            }

            test "is the nearest of its neighbours" {
                let source = Random 20260101

                for _ in 1..100_000 do
                    let value =
                        BitConverter.Int32BitsToSingle(int (source.NextInt64(-2147483648L, 2147483648L)))

                    if Single.IsFinite value && abs value < 3e38f then
                        let rounded: BFloat16 = BFloat16.op_Explicit value
                        let off (other: BFloat16) = abs (float (wide other) - float value)

                        for step in [ -1; 1 ] do
                            let neighbour = BFloat16.FromBits(uint16 (int rounded.Bits + step))

                            if Single.IsFinite(wide neighbour) then
                                Expect.isLessThanOrEqual (off rounded) (off neighbour) $"{value:R}"
            }

            test "compares as numbers with operators, as floats with Equals" {
                let nan = BFloat16.NaN
                Expect.isFalse (BFloat16.op_Equality (nan, nan)) "NaN = NaN"
                Expect.isTrue (nan.Equals nan) "NaN.Equals NaN"
                Expect.isTrue (BFloat16.op_Equality (BFloat16.FromBits 0x8000us, BFloat16.FromBits 0us)) "-0 = 0"
                Expect.equal (BFloat16.FromBits(0x8000us).GetHashCode()) (0.0f.GetHashCode()) "equal values hash alike"
                Expect.equal ((BFloat16.FromBits 0x3FC0us).ToString("R", null)) "1.5" "text"
            }
        ]

[<Tests>]
let elements =
    testList
        "Elements"
        [
            test "widening is exact and narrowing rounds once" {
                Expect.equal (Elements.Widen(Half.op_Explicit 1.5f: Half)) 1.5 "Half"
                Expect.equal (Elements.Widen(BFloat16.FromBits 0x3FC0us)) 1.5 "BFloat16"
                Expect.equal (Elements.Widen 0.1f) (float 0.1f) "float"
                Expect.equal (Elements.Widen 0.1) 0.1 "double"
                Expect.equal (Elements.Narrow<Half> 65520.0f) Half.PositiveInfinity "Half overflows at 65520"
                Expect.equal (Elements.Narrow<BFloat16>(1.0f / 3.0f).Bits) 0x3EABus "a third"
            }

            test "other types are refused by name" {
                throws<NotSupportedException> [ "System.Int32"; "BFloat16" ] (fun () ->
                    Elements.TypeOf<int>() |> ignore)
            }

            test "sizes and sets" {
                Expect.equal [ for t in Enum.GetValues<ElementType>() -> t.Size() ] [ 2; 2; 4; 8 ] "bytes"

                Expect.equal
                    [ for t in Enum.GetValues<ElementType>() -> string (t.Flag()) ]
                    [ for t in Enum.GetValues<ElementType>() -> string t ]
                    "flags are named as their types"

                Expect.equal
                    [ for t in Enum.GetValues<Target>() -> string (t.Flag()) ]
                    [ for t in Enum.GetValues<Target>() -> string t ]
                    "flags are named as their targets"
            }
        ]
