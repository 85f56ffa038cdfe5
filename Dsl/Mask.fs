/// The ready-made masks and score changes as library expressions: they take the same path as the user's C#.
/// Their meaning is semantics 5 and 6; their run-time arguments are in the table at its end.
namespace FlashGen.Dsl

/// A ready-made attribute that is a mask or a score change.
type ReadyMade =
    /// j <= pos(i)
    | Causal
    /// pos(i) - left <= j <= pos(i) + right; -1 is unbounded.
    | SlidingWindow of left: int * right: int
    /// j <= pos(i) or j < prefix[b]
    | PrefixLm
    /// queryDocument[b, i] = keyDocument[b, j]
    | Document
    /// c <= j < c + n with c = n * floor(pos(i) / n)
    | Chunked of size: int
    /// c * tanh(s / c); the bits of c, and whether the target's approximate tanh will do
    | SoftCap of capBits: int * approximate: bool
    /// - slopes[h] * |pos(i) - j|
    | Alibi
    /// + bias[b, h, i, j] by four strides
    | Bias

[<RequireQualifiedAccess>]
module Mask =
    let private at field = Position field
    let private wide expr = Convert(Long, expr)

    /// j <= pos(i)
    let causal = Binary(Le, at Key, at QueryPosition)

    /// floor(pos(i) / n): C#'s division truncates, and a position before the first key is negative.
    let private chunkOfQuery size =
        let position = at QueryPosition
        let size = Expr.int size
        let isBefore = Binary(Lt, Binary(Rem, position, size), Expr.int 0)
        Binary(Sub, Binary(Div, position, size), Select(isBefore, Expr.int 1, Expr.int 0))

    let private slidingWindow left right =
        // Distances are differences of positions, which never wrap; sums with a large window could.
        let distance = Binary(Sub, at QueryPosition, at Key)

        Expr.conjunction
            [
                if left >= 0 then
                    Binary(Le, distance, Expr.int left)
                if right >= 0 then
                    Binary(Ge, distance, Expr.int -right)
            ]

    let private prefix = TableRead("prefix", IntElement, at Batch)

    let private prefixLm = Binary(Or, causal, Binary(Lt, at Key, prefix))

    let private document =
        let row table field extent =
            TableRead(table, IntElement, Binary(Add, Binary(Mul, wide (at Batch), wide (at extent)), wide (at field)))

        Binary(Eq, row "queryDocument" Query QueryLength, row "keyDocument" Key KeyExtent)

    let private chunked size =
        Binary(Eq, Binary(Div, at Key, Expr.int size), chunkOfQuery size)

    let private softCap capBits approximate =
        let cap = Literal(FloatLiteral capBits)
        let tanh = if approximate then TanhApproximate else Tanh
        Binary(Mul, cap, Unary(tanh, Binary(Div, Score, cap)))

    let private alibi =
        // Slopes are (queryHeads) or (batch, queryHeads).
        let perBatch =
            Select(Binary(Gt, TableLength "slopes", at QueryHeads), at QueryHeads, Expr.int 0)

        let slope =
            TableRead("slopes", FloatElement, Binary(Add, Binary(Mul, at Batch, perBatch), at Head))

        let distance = Unary(Abs, Binary(Sub, at QueryPosition, at Key))
        Binary(Sub, Score, Binary(Mul, slope, Convert(Float, distance)))

    let private bias =
        let term field stride =
            Binary(Mul, wide (at field), Scalar("biasStrides." + stride, Long))

        let index =
            [ term Batch "Batch"; term Head "Head"; term Query "Query"; term Key "Key" ]
            |> List.reduce (fun left right -> Binary(Add, left, right))

        Binary(Add, Score, TableRead("bias", FloatElement, index))

    /// The mask of a ready-made attribute, or None for a score change.
    let tryMask readyMade =
        match readyMade with
        | Causal -> Some causal
        | SlidingWindow(left, right) -> Some(slidingWindow left right)
        | PrefixLm -> Some prefixLm
        | Document -> Some document
        | Chunked size -> Some(chunked size)
        | SoftCap _
        | Alibi
        | Bias -> None

    /// The score change of a ready-made attribute, or None for a mask.
    let tryScore readyMade =
        match readyMade with
        | SoftCap(capBits, approximate) -> Some(softCap capBits approximate)
        | Alibi -> Some alibi
        | Bias -> Some bias
        | _ -> None

    /// The attribute's name, as the user writes it.
    let name readyMade =
        match readyMade with
        | Causal -> "Causal"
        | SlidingWindow _ -> "SlidingWindow"
        | PrefixLm -> "PrefixLm"
        | Document -> "Document"
        | Chunked _ -> "Chunked"
        | SoftCap _ -> "SoftCap"
        | Alibi -> "Alibi"
        | Bias -> "Bias"

    /// Reads of the mask with this name that are inside their table in every call, for its length is checked before.
    let checkedReads readyMade =
        if readyMade = name PrefixLm then [ prefix ] else []
