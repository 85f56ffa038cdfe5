/// Sets of values as an analysis knows them: what a bool can be, or the bounds of a number.
namespace FlashGen.Dsl

open System

/// The values that an expression may take; every one that it does take is among them.
type Range =
    | BoolRange of canBeTrue: bool * canBeFalse: bool
    /// Of int, uint and long; low <= high.
    | IntegerRange of low: int64 * high: int64
    /// The bounds of what is a number, infinities included; low > high where it is NaN only. Zeros are not told apart.
    | FloatRange of low: float32 * high: float32 * canBeNaN: bool

[<RequireQualifiedAccess>]
module Range =
    /// NaN and nothing else.
    let nanOnly = FloatRange(infinityf, -infinityf, true)

    let anyFloat = FloatRange(-infinityf, infinityf, true)

    let anyBool = BoolRange(true, true)

    /// A range of floats, its zeros positive, so that equal ranges are equal values.
    let float low high canBeNaN =
        let plain (bound: float32) = if bound = 0.0f then 0.0f else bound

        if low > high then
            FloatRange(infinityf, -infinityf, canBeNaN)
        else
            FloatRange(plain low, plain high, canBeNaN)

    /// The least and the largest number of an integer type.
    let integerBounds scalarType =
        match scalarType with
        | Int -> int64 Int32.MinValue, int64 Int32.MaxValue
        | UInt -> 0L, int64 UInt32.MaxValue
        | _ -> Int64.MinValue, Int64.MaxValue

    /// Every value of a type.
    let ofType scalarType =
        match scalarType with
        | Bool -> anyBool
        | Float -> anyFloat
        | _ -> IntegerRange(integerBounds scalarType)

    /// Every value that an element of a table may hold.
    let ofElement element =
        match element with
        | ByteElement -> IntegerRange(0L, 255L)
        | _ -> ofType (Expr.elementType element)

    let ofLiteral literal =
        match literal with
        | BoolLiteral value -> BoolRange(value, not value)
        | IntLiteral value -> IntegerRange(int64 value, int64 value)
        | UIntLiteral value -> IntegerRange(int64 value, int64 value)
        | LongLiteral value -> IntegerRange(value, value)
        | FloatLiteral bits ->
            let value = Literal.toFloat bits

            if Single.IsNaN value then
                nanOnly
            else
                float value value false

    /// The only value of a type that the range holds, or None: a float zero is two.
    let tryLiteral scalarType range =
        match scalarType, range with
        | Bool, BoolRange(canBeTrue, canBeFalse) when canBeTrue <> canBeFalse -> Some(BoolLiteral canBeTrue)
        | (Int | UInt | Long), IntegerRange(low, high) when low = high ->
            Some(Evaluate.convert scalarType (LongLiteral low))
        | Float, FloatRange(low, high, false) when low = high && low <> 0.0f -> Some(Literal.ofFloat low)
        | _ -> None

    let contains literal range =
        match literal, range with
        | BoolLiteral value, BoolRange(canBeTrue, canBeFalse) -> if value then canBeTrue else canBeFalse
        | IntLiteral value, IntegerRange(low, high) -> low <= int64 value && int64 value <= high
        | UIntLiteral value, IntegerRange(low, high) -> low <= int64 value && int64 value <= high
        | LongLiteral value, IntegerRange(low, high) -> low <= value && value <= high
        | FloatLiteral bits, FloatRange(low, high, canBeNaN) ->
            let value = Literal.toFloat bits

            if Single.IsNaN value then
                canBeNaN
            else
                low <= value && value <= high
        | _ -> false

    /// The smallest range that holds both.
    let join first second =
        match first, second with
        | BoolRange(true1, false1), BoolRange(true2, false2) -> BoolRange(true1 || true2, false1 || false2)
        | IntegerRange(low1, high1), IntegerRange(low2, high2) -> IntegerRange(min low1 low2, max high1 high2)
        | FloatRange(low1, high1, nan1), FloatRange(low2, high2, nan2) ->
            FloatRange(min low1 low2, max high1 high2, nan1 || nan2)
        | _ -> invalidArg (nameof second) "Ranges of two types."
