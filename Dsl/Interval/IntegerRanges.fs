/// Operations on ranges of integers. They are computed wide; where a bound leaves the type the value wraps, and the range is
/// the whole type.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.IntegerRanges

open System
open Microsoft.FSharp.Core.Operators.Checked

let private fitted scalarType compute =
    let smallest, largest = Range.integerBounds scalarType

    try
        let low, high = compute ()

        if low < smallest || high > largest then
            Range.ofType scalarType
        else
            IntegerRange(low, high)
    with :? OverflowException ->
        Range.ofType scalarType

let private hull (values: int64 list) = List.min values, List.max values

/// The extremes of an operation that is monotone in each operand.
let private corners op (low1, high1) (low2, high2) =
    hull [ op low1 low2; op low1 high2; op high1 low2; op high1 high2 ]

let negate scalarType (low, high) =
    fitted scalarType (fun () -> -high, -low)

let abs scalarType (low, high) =
    fitted scalarType (fun () ->
        if low >= 0L then low, high
        elif high <= 0L then -high, -low
        else 0L, max -low high)

let complement scalarType (low: int64, high: int64) =
    match scalarType with
    | UInt -> IntegerRange(int64 UInt32.MaxValue - high, int64 UInt32.MaxValue - low)
    | _ -> IntegerRange(~~~high, ~~~low)

/// None where the divisor can only be 0.
let private divide first (low2, high2) =
    let quotients =
        [
            if low2 < 0L then
                corners (/) first (low2, min high2 -1L)
            if high2 > 0L then
                corners (/) first (max low2 1L, high2)
        ]

    if quotients.IsEmpty then
        None
    else
        Some(hull (List.collect (fun (low, high) -> [ low; high ]) quotients))

let private remainder (low1: int64, high1: int64) (low2: int64, high2: int64) =
    if
        low2 = high2
        && low2 <> 0L
        && low2 <> -1L
        && sign low1 * sign high1 >= 0
        && low1 / low2 = high1 / low2
    then
        // Inside one period.
        low1 % low2, high1 % low2
    else
        // Less than the divisor, no more than the dividend, and of its sign.
        let largest =
            max (if low2 < 0L then -(low2 + 1L) else 0L) (if high2 > 0L then high2 - 1L else 0L)

        (if low1 < 0L then max low1 -largest else 0L), (if high1 > 0L then min high1 largest else 0L)

/// The smallest 2^k - 1 that is not below a number.
let private onesAbove (value: int64) =
    let rec grow ones =
        if ones >= value then ones else grow ((ones <<< 1) ||| 1L)

    grow 0L

/// -2^k - 1 < x < 2^k for the smallest k that fits all four: bitwise operations stay inside.
let private bitCover (low1: int64, high1: int64) (low2: int64, high2: int64) =
    let magnitude value = if value < 0L then ~~~value else value

    let ones =
        onesAbove (List.max [ magnitude low1; magnitude high1; magnitude low2; magnitude high2 ])

    ~~~ones, ones

let private isPowerOfTwo value =
    value > 0L && (value &&& (value - 1L)) = 0L

let private bitAnd scalarType (low1: int64, high1: int64) (low2: int64, high2: int64) =
    let isMask = low2 = high2
    let mask = low2
    let isLowBits = isMask && mask >= 0L && mask = onesAbove mask

    // -2^k, as a uint shows it too.
    let isMultiple =
        isMask
        && ((mask < 0L && mask > Int64.MinValue && isPowerOfTwo -mask)
            || (scalarType = UInt && isPowerOfTwo ((1L <<< 32) - mask)))

    if isMultiple then
        low1 &&& mask, high1 &&& mask
    elif isLowBits && (low1 &&& ~~~mask) = (high1 &&& ~~~mask) then
        // Inside one period.
        low1 &&& mask, high1 &&& mask
    elif low1 >= 0L && low2 >= 0L then
        0L, min high1 high2
    elif low1 >= 0L then
        0L, high1
    elif low2 >= 0L then
        0L, high2
    else
        bitCover (low1, high1) (low2, high2)

let private bitOr (low1, high1) (low2, high2) =
    if low1 >= 0L && low2 >= 0L then
        max low1 low2, onesAbove (max high1 high2)
    else
        bitCover (low1, high1) (low2, high2)

let private bitXor (low1, high1) (low2, high2) =
    if low1 >= 0L && low2 >= 0L then
        0L, onesAbove (max high1 high2)
    else
        bitCover (low1, high1) (low2, high2)

/// Shift counts as C# takes them, from 0 to the type's bits less one.
let private counts scalarType (low: int64, high: int64) =
    let last = if scalarType = Long then 63L else 31L

    if low >= 0L && high <= last then low, high
    elif low = high then low &&& last, low &&& last
    else 0L, last

let private shiftLeft first (low2, high2) =
    corners
        (fun value count ->
            if value = 0L then 0L
            elif count = 63L then raise (OverflowException())
            else value * (1L <<< int count))
        first
        (low2, high2)

let private shiftRight first counts =
    corners (fun value count -> value >>> int count) first counts

let private shiftRightUnsigned scalarType (low1, high1) (low2, high2) =
    if scalarType = UInt || low1 >= 0L then
        shiftRight (low1, high1) (low2, high2)
    elif low2 = 0L then
        Range.integerBounds scalarType
    elif scalarType = Int then
        0L, int64 UInt32.MaxValue >>> int low2
    else
        0L, Int64.MaxValue >>> int (low2 - 1L)

let private compare op (low1: int64, high1: int64) (low2: int64, high2: int64) =
    match op with
    | Lt -> BoolRange(low1 < high2, high1 >= low2)
    | Le -> BoolRange(low1 <= high2, high1 > low2)
    | Gt -> BoolRange(high1 > low2, low1 <= high2)
    | Ge -> BoolRange(high1 >= low2, low1 < high2)
    | _ ->
        let canBeEqual = low1 <= high2 && low2 <= high1
        let canDiffer = low1 < high1 || low2 < high2 || low1 <> low2

        if op = Eq then
            BoolRange(canBeEqual, canDiffer)
        else
            BoolRange(canDiffer, canBeEqual)

let binary op scalarType first second =
    let fitted compute = fitted scalarType compute

    match op with
    | Add -> fitted (fun () -> fst first + fst second, snd first + snd second)
    | Sub -> fitted (fun () -> fst first - snd second, snd first - fst second)
    | Mul -> fitted (fun () -> corners (*) first second)
    | Div -> fitted (fun () -> divide first second |> Option.defaultValue (Range.integerBounds scalarType))
    | Rem -> fitted (fun () -> remainder first second)
    | Min -> fitted (fun () -> corners min first second)
    | Max -> fitted (fun () -> corners max first second)
    | BitAnd ->
        // The mask, if there is one, second.
        let isConstant (low, high) = low = high
        let first, second = if isConstant first then second, first else first, second
        fitted (fun () -> bitAnd scalarType first second)
    | BitOr -> fitted (fun () -> bitOr first second)
    | BitXor -> fitted (fun () -> bitXor first second)
    | Shl -> fitted (fun () -> shiftLeft first (counts scalarType second))
    | Shr -> fitted (fun () -> shiftRight first (counts scalarType second))
    | UShr -> fitted (fun () -> shiftRightUnsigned scalarType first (counts scalarType second))
    | Eq
    | Ne
    | Lt
    | Le
    | Gt
    | Ge -> compare op first second
    | _ -> Range.ofType scalarType

/// Conversion to another integer type: it wraps, which moves a range as a whole where both bounds wrap alike.
let convert target (low: int64, high: int64) =
    let smallest, largest = Range.integerBounds target

    if low >= smallest && high <= largest then
        IntegerRange(low, high)
    elif low - (low &&& 0xffffffffL) = high - (high &&& 0xffffffffL) then
        let wrapped value =
            match Evaluate.convert target (LongLiteral value) with
            | IntLiteral value -> int64 value
            | UIntLiteral value -> int64 value
            | _ -> value

        let low, high = wrapped low, wrapped high

        if low <= high then
            IntegerRange(low, high)
        else
            Range.ofType target
    else
        Range.ofType target

let toFloat (low: int64, high: int64) =
    Range.float (float32 low) (float32 high) false
