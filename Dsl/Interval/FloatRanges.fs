/// Operations on ranges of floats. The exactly rounded ones are monotone, so their bounds are exact; the others are widened by
/// 2^-10 of their value, more than any target's own function errs, and kept within what the function can give at all.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.FloatRanges

open System

/// Floats in order as integers in order.
let private ordinal (value: float32) =
    match Literal.ofFloat value with
    | FloatLiteral bits when bits < 0 -> -(int64 (bits &&& Int32.MaxValue))
    | FloatLiteral bits -> int64 bits
    | _ -> 0L

let private ofOrdinal (ordinal: int64) =
    let infinite = 0x7f800000L
    let clipped = int (max -infinite (min infinite ordinal))

    if clipped < 0 then
        Literal.toFloat (-clipped ||| Int32.MinValue)
    else
        Literal.toFloat clipped

/// 2^13 steps of a float are 2^-10 of its value.
let private slack = 1L <<< 13

let private canBeInfinite low high =
    Single.IsInfinity low || Single.IsInfinity high

let private apply op value =
    match Evaluate.unary op (Literal.ofFloat value) with
    | FloatLiteral bits -> Literal.toFloat bits
    | _ -> nanf

let private exactly op low high canBeNaN =
    Range.float (apply op low) (apply op high) canBeNaN

/// An increasing function that is not exactly rounded, with the bounds that it never leaves.
let private nearly (least, most) op low high canBeNaN =
    let low = ofOrdinal (ordinal (apply op low) - slack)
    let high = ofOrdinal (ordinal (apply op high) + slack)
    Range.float (max least low) (min most high) canBeNaN

let private unbounded = -infinityf, infinityf
let private unit = -1.0f, 1.0f

/// A function of numbers from `least` to `most`; the others give NaN.
let private within (least, most) f low high canBeNaN =
    let canBeNaN = canBeNaN || low < least || high > most

    if high < least || low > most then
        Range.nanOnly
    else
        f (max low least) (min high most) canBeNaN

let private distances low high =
    if low >= 0.0f then low, high
    elif high <= 0.0f then -high, -low
    else 0.0f, max -low high

let unary op low high canBeNaN =
    if low > high then
        Range.nanOnly
    else
        match op with
        | Negate -> Range.float -high -low canBeNaN
        | Abs ->
            let low, high = distances low high
            Range.float low high canBeNaN
        | Floor
        | Ceiling
        | Round
        | Truncate -> exactly op low high canBeNaN
        | Sqrt -> within (0.0f, infinityf) (exactly op) low high canBeNaN
        | Exp
        | Exp2 -> nearly (0.0f, infinityf) op low high canBeNaN
        | Log
        | Log2
        | Log10 -> within (0.0f, infinityf) (nearly unbounded op) low high canBeNaN
        | Sin
        | Cos -> Range.float -1.0f 1.0f (canBeNaN || canBeInfinite low high)
        | Tan -> Range.float -infinityf infinityf (canBeNaN || canBeInfinite low high)
        | Asin -> within unit (nearly unbounded op) low high canBeNaN
        | Acos -> within unit (fun low high -> nearly unbounded op high low) low high canBeNaN
        | Atan
        | Sinh
        | Cbrt -> nearly unbounded op low high canBeNaN
        | Tanh -> nearly unit op low high canBeNaN
        | TanhApproximate -> Range.float -1.0f 1.0f canBeNaN
        | Cosh ->
            let low, high = distances low high
            nearly (1.0f, infinityf) op low high canBeNaN
        | Not
        | Complement -> Range.anyFloat

/// One rounding, as the type has it.
let private rounded op (a: float32) (b: float32) = float32 (op (float a) (float b))

let private sum (low1, high1) (low2, high2) canBeNaN =
    let low: float32 = rounded (+) low1 low2
    let high: float32 = rounded (+) high1 high2

    let opposite =
        (high1 = infinityf && low2 = -infinityf)
        || (low1 = -infinityf && high2 = infinityf)

    Range.float
        (if Single.IsNaN low then -infinityf else low)
        (if Single.IsNaN high then infinityf else high)
        (canBeNaN || opposite)

/// Products and quotients: a corner that is NaN (0 * infinity, infinity / infinity) stands beside others that tend to 0.
let private corners op (low1, high1) (low2, high2) canBeNaN =
    let values =
        [
            for a in [ low1; high1 ] do
                for b in [ low2; high2 ] do
                    rounded op a b
        ]
        |> List.map (fun value -> if Single.IsNaN value then 0.0f else value)

    Range.float (List.min values) (List.max values) canBeNaN

let private hasZero (low, high) = low <= 0.0f && high >= 0.0f
let private hasInfinity (low, high) = canBeInfinite low high

let private quotient first second canBeNaN =
    if hasZero second then
        Range.float -infinityf infinityf (canBeNaN || hasZero first || (hasInfinity first && hasInfinity second))
    else
        corners (/) first second (canBeNaN || (hasInfinity first && hasInfinity second))

let private remainder (low1, high1) (low2, high2) canBeNaN =
    let largest: float32 = max (abs low2) (abs high2)

    Range.float
        (if low1 < 0.0f then max low1 -largest else 0.0f)
        (if high1 > 0.0f then min high1 largest else 0.0f)
        (canBeNaN || canBeInfinite low1 high1 || hasZero (low2, high2))

let private compare op (low1: float32, high1) (low2, high2) canBeNaN =
    let numbers = low1 <= high1 && low2 <= high2

    let orNaN canBeTrue canBeFalse =
        BoolRange(numbers && canBeTrue, canBeNaN || (numbers && canBeFalse))

    match op with
    | Lt -> orNaN (low1 < high2) (high1 >= low2)
    | Le -> orNaN (low1 <= high2) (high1 > low2)
    | Gt -> orNaN (high1 > low2) (low1 <= high2)
    | Ge -> orNaN (high1 >= low2) (low1 < high2)
    | _ ->
        let canBeEqual = numbers && low1 <= high2 && low2 <= high1

        let canDiffer =
            canBeNaN || (numbers && (low1 < high1 || low2 < high2 || low1 <> low2))

        if op = Eq then
            BoolRange(canBeEqual, canDiffer)
        else
            BoolRange(canDiffer, canBeEqual)

let binary op (low1, high1, nan1) (low2, high2, nan2) =
    let first, second, canBeNaN = (low1, high1), (low2, high2), (nan1 || nan2)

    match op with
    | Eq
    | Ne
    | Lt
    | Le
    | Gt
    | Ge -> compare op first second canBeNaN
    // 1 to any power and anything to the power of 0 are 1, NaN too.
    | Pow when low1 > 0.0f && low1 <= high1 -> Range.float 0.0f infinityf canBeNaN
    | Pow -> Range.anyFloat
    | _ when low1 > high1 || low2 > high2 -> Range.nanOnly
    | Add -> sum first second canBeNaN
    | Sub -> sum first (-high2, -low2) canBeNaN
    | Mul ->
        let undefined =
            (hasZero first && hasInfinity second) || (hasInfinity first && hasZero second)

        corners (*) first second (canBeNaN || undefined)
    | Div -> quotient first second canBeNaN
    | Rem -> remainder first second canBeNaN
    | Min -> Range.float (min low1 low2) (min high1 high2) canBeNaN
    | Max -> Range.float (max low1 low2) (max high1 high2) canBeNaN
    | Atan2 -> Range.float -3.15f 3.15f canBeNaN
    | _ -> Range.anyFloat

/// Conversion to an integer type: saturating, NaN to 0.
let toInteger target (low, high, canBeNaN) =
    let converted value =
        match Evaluate.convert target (Literal.ofFloat value) with
        | IntLiteral value -> int64 value
        | UIntLiteral value -> int64 value
        | LongLiteral value -> value
        | _ -> 0L

    let zero = IntegerRange(0L, 0L)

    if low > high then
        zero
    else
        let numbers = IntegerRange(converted low, converted high)
        if canBeNaN then Range.join numbers zero else numbers
