/// The formulas behind a kernel's functions and conversions, against .NET's own.
module FlashGen.Tests.Portable.MathTests

open System
open Expecto
open FlashGen
open FlashGen.Support
open FlashGen.Tests

let private special =
    [|
        0f
        -0f
        nanf
        infinityf
        -infinityf
        Single.Epsilon
        -Single.Epsilon
        1f
        -1f
        0.5f
        -0.5f
        2f
        3f
        -3f
        Single.MaxValue
        Single.MinValue
        16777216f
        8388607.5f
        2147483648f
        4294967040f
    |]

/// A float of any bits but NaN's.
let rec private any (random: Random) =
    let value = BitConverter.Int32BitsToSingle(int32 (random.NextInt64()))
    if Single.IsNaN value then any random else value

let private count = if Settings.thorough then 2000000 else 50000

/// In units of the last place of the true value.
let private apart (actual: float32) (expected: float) =
    let rounded = float32 expected

    if actual.Equals rounded then
        0.0
    elif not (Single.IsFinite actual && Single.IsFinite rounded) then
        infinity
    else
        let step = float (MathF.BitIncrement(abs rounded)) - float (abs rounded)
        abs (float actual - expected) / step

let private near name ulps (f: float32 -> float32) (g: float -> float) =
    test name {
        let random = Random(Settings.seed)

        let check (x: float32) =
            let error = apart (f x) (g (float x))

            if error > ulps then
                failtest $"{name}({x:R}) = {f x:R} is {error} units from {g (float x):R}"

        Array.iter check special

        for _ in 1..count do
            check (any random)
            check ((random.NextSingle() - 0.5f) * 50f)
            check ((random.NextSingle() - 0.5f) * 3f)
    }

let private exact name (f: float32 -> float32 -> float32) (g: float32 -> float32 -> float32) =
    test name {
        let random = Random(Settings.seed)

        let check x y =
            let actual, expected = f x y, g x y

            if
                not (actual.Equals expected)
                || expected = 0f && Single.IsNegative actual <> Single.IsNegative expected
            then
                failtest $"{name}({x:R}, {y:R}) = {actual:R} instead of {expected:R}"

        for x in special do
            for y in special do
                check x y

        for _ in 1..count do
            check (any random) (any random)
            check (any random) ((random.NextSingle() - 0.5f) * 9f)
            check ((random.NextSingle() - 0.5f) * 900f) ((random.NextSingle() - 0.5f) * 9f)
    }

[<Tests>]
let functions =
    testList
        "Portable.Math"
        [
            near "Exp" 2.0 PortableMath.Exp Math.Exp
            near "Exp2" 2.0 PortableMath.Exp2 (fun x -> Math.Pow(2.0, x))
            near "Log" 2.0 PortableMath.Log Math.Log
            near "Log2" 3.0 PortableMath.Log2 Math.Log2
            near "Log10" 3.0 PortableMath.Log10 Math.Log10
            near "Sin" 4.0 PortableMath.Sin Math.Sin
            near "Cos" 4.0 PortableMath.Cos Math.Cos
            near "Tan" 5.0 PortableMath.Tan Math.Tan
            near "Asin" 4.0 PortableMath.Asin Math.Asin
            near "Acos" 4.0 PortableMath.Acos Math.Acos
            near "Atan" 4.0 PortableMath.Atan Math.Atan
            near "Sinh" 5.0 PortableMath.Sinh Math.Sinh
            near "Cosh" 5.0 PortableMath.Cosh Math.Cosh
            near "Tanh" 3.0 PortableMath.Tanh Math.Tanh
            near "Cbrt" 4.0 PortableMath.Cbrt Math.Cbrt
            near "Round" 0.0 PortableMath.Round (fun x -> Math.Round x)
            near "Truncate" 0.0 PortableMath.Truncate Math.Truncate
            exact "Min" (fun x y -> PortableMath.Min(x, y)) (fun x y -> MathF.Min(x, y))
            exact "Max" (fun x y -> PortableMath.Max(x, y)) (fun x y -> MathF.Max(x, y))
            exact "Remainder" (fun x y -> PortableScalars.Remainder(x, y)) (fun x y -> x % y)

            test "Pow and Atan2" {
                let random = Random(Settings.seed)

                let check x y =
                    let power = apart (PortableMath.Pow(x, y)) (Math.Pow(float x, float y))
                    let angle = apart (PortableMath.Atan2(x, y)) (Math.Atan2(float x, float y))

                    if power > 1.0 || angle > 4.0 then
                        failtest $"({x:R}, {y:R}): {power} and {angle} units"

                for x in special do
                    for y in special do
                        check x y

                for _ in 1..count do
                    check (any random) ((random.NextSingle() - 0.5f) * 9f)
                    check ((random.NextSingle() - 0.2f) * 4f) (MathF.Round((random.NextSingle() - 0.5f) * 90f))
            }

            test "probabilities: exactly 1 at 0, exactly 0 far below, NaN for NaN" {
                Expect.equal (PortableMath.ExpDown 0f) 1f "0"
                Expect.equal (PortableMath.ExpDown -infinityf) 0f "-inf"
                Expect.isTrue (Single.IsNaN(PortableMath.ExpDown nanf)) "NaN"
                Expect.equal (PortableMath.ExpDown 0.0) 1.0 "0 in float64"
                Expect.equal (PortableMath.ExpDown -infinity) 0.0 "-inf in float64"
                Expect.isTrue (Double.IsNaN(PortableMath.ExpDown nan)) "NaN in float64"
                let random = Random(Settings.seed)

                for _ in 1..count do
                    let x = -86f * random.NextSingle()

                    if apart (PortableMath.ExpDown x) (Math.Exp(float x)) > 2.0 then
                        failtest $"e^{x:R}"

                    let x = -690.0 * random.NextDouble()

                    if abs (PortableMath.ExpDown x / Math.Exp x - 1.0) > 1e-15 then
                        failtest $"e^{x:R} in float64"

                    let x = Math.Exp(40.0 * random.NextDouble() - 20.0)

                    if abs (PortableMath.Log x - Math.Log x) > 4e-16 * max 1.0 (abs (Math.Log x)) then
                        failtest $"ln {x:R} in float64"

                    let x = 6.0 * random.NextDouble() - 3.0

                    if abs (PortableMath.Tanh x - Math.Tanh x) > 1e-15 then
                        failtest $"tanh {x:R} in float64"
            }

            test "conversions saturate as C#'s do, and 16-bit types round to even" {
                let random = Random(Settings.seed)

                let check (x: float32) =
                    let saturated low high =
                        if Single.IsNaN x then
                            0.0
                        else
                            Math.Truncate(max low (min high (float x)))

                    Expect.equal (float (PortableScalars.ToInt x)) (saturated -2147483648.0 2147483647.0) $"int {x:R}"
                    Expect.equal (float (PortableScalars.ToUInt x)) (saturated 0.0 4294967295.0) $"uint {x:R}"

                    let expected =
                        if Single.IsNaN x then 0L
                        elif float x >= 9.2233720368547758e18 then Int64.MaxValue
                        elif float x <= -9.2233720368547758e18 then Int64.MinValue
                        else int64 x

                    Expect.equal (PortableScalars.ToLong x) expected $"long {x:R}"

                    if not (Single.IsNaN x) then
                        let half = BitConverter.HalfToUInt16Bits(Half.op_Explicit x: Half)
                        Expect.equal (PortableFloat16.Store x) half $"half {x:R}"

                        Expect.equal
                            (PortableBFloat16.Store x)
                            (BFloat16.op_Explicit x: BFloat16).Bits
                            $"bfloat16 {x:R}"

                Array.iter check special

                for _ in 1 .. count / 10 do
                    check (any random)
                    check ((random.NextSingle() - 0.5f) * 200000f)
                    check ((random.NextSingle() - 0.5f) * 1e-4f)

                for bits in 0us .. UInt16.MaxValue do
                    let half = float32 (Half.op_Explicit (BitConverter.UInt16BitsToHalf bits): float32)

                    if not ((PortableFloat16.Load bits).Equals half) then
                        failtest $"half of bits {bits}"

                Expect.isTrue (Single.IsNaN(PortableFloat16.Load(PortableFloat16.Store nanf))) "NaN as half"
                Expect.isTrue (Single.IsNaN(PortableBFloat16.Load(PortableBFloat16.Store nanf))) "NaN as bfloat16"

                for x in [ 0; 1; -1; Int32.MaxValue; Int32.MinValue; 16777217 ] do
                    Expect.equal (PortableScalars.ToFloat x) (float32 x) $"float of {x}"
                    Expect.equal (PortableScalars.ToFloat(uint32 x)) (float32 (uint32 x)) $"float of unsigned {x}"
                    Expect.equal (PortableScalars.ToDouble x) (float x) $"double of {x}"
            }

            test "divisions of integers truncate and wrap, and one by 0 is 0, as on the CPU" {
                let random = Random(Settings.seed + 11)

                let edges =
                    [
                        0
                        1
                        -1
                        2
                        -2
                        7
                        -8
                        128
                        Int32.MaxValue
                        Int32.MinValue
                        Int32.MinValue + 1
                    ]

                let some =
                    edges
                    @ [
                        for _ in 1..40 -> random.Next(Int32.MinValue, Int32.MaxValue) >>> random.Next 31
                    ]

                for a in some do
                    for b in some do
                        Expect.equal (PortableScalars.Divide(a, b)) (Scalars.Divide(a, b)) $"{a} / {b}"
                        Expect.equal (PortableScalars.Remainder(a, b)) (Scalars.Remainder(a, b)) $"{a} %% {b}"
                        let a, b = int64 a <<< 32 ||| int64 b, int64 b

                        Expect.equal (PortableScalars.Divide(a, b)) (Scalars.Divide(a, b)) $"{a} / {b}"
                        Expect.equal (PortableScalars.Remainder(a, b)) (Scalars.Remainder(a, b)) $"{a} %% {b}"
            }
        ]
