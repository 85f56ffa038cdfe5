namespace FlashGen.Dsl

type Range =
    | BoolRange of bool * bool
    | IntegerRange of int64 * int64
    | FloatRange of float32 * float32 * bool

[<RequireQualifiedAccess>]
module Interval =
    let positions = ()

    let rec expression () expr : Range =
        let whole t =
            match t with
            | Int -> IntegerRange(int64 System.Int32.MinValue, int64 System.Int32.MaxValue)
            | UInt -> IntegerRange(0L, int64 System.UInt32.MaxValue)
            | Long -> IntegerRange(System.Int64.MinValue, System.Int64.MaxValue)
            | Bool -> BoolRange(true, true)
            | Float -> FloatRange(-infinityf, infinityf, true)

        let fit t (a, b) =
            match t, whole t with
            | Int, IntegerRange(l, h) when a < l || b > h -> IntegerRange(l, h)
            | _ -> IntegerRange(a, b)

        let near x = x < (1L <<< 60) && x > -(1L <<< 60)
        let t = Expr.typeOf expr

        match expr with
        | Literal(IntLiteral v) -> IntegerRange(int64 v, int64 v)
        | Literal(LongLiteral v) -> IntegerRange(v, v)
        | Position QueryPosition -> IntegerRange(-(1L <<< 30), (1L <<< 31) - 2L)
        | Position _ -> IntegerRange(0L, (1L <<< 30) - 1L)
        | Convert(Long, x) when Expr.typeOf x = Int -> expression () x
        | Unary(Abs, x) ->
            match expression () x with
            | IntegerRange(a, b) when a > int64 System.Int32.MinValue ->
                IntegerRange(
                    (if a > 0L then a
                     elif b < 0L then -b
                     else 0L),
                    max (abs a) (abs b)
                )
            | _ -> whole t
        | Binary(op, x, y) when t <> Bool && t <> Float ->
            match expression () x, expression () y with
            | IntegerRange(a, b), IntegerRange(c, d) when near a && near b && near c && near d ->
                match op with
                | Add -> fit t (a + c, b + d)
                | Sub -> fit t (a - d, b - c)
                | Mul when c = d && c >= 0L && abs a < (1L <<< 31) && abs b < (1L <<< 31) && c < (1L <<< 31) -> fit t (a * c, b * c)
                | Min -> IntegerRange(min a c, min b d)
                | Max -> IntegerRange(max a c, max b d)
                | Div when c = d && c > 0L -> IntegerRange(a / c, b / c)
                | Rem when c = d && c > 0L -> IntegerRange((if a < 0L then 1L - c else 0L), c - 1L)
                | _ -> whole t
            | _ -> whole t
        | Select(_, x, y) when t <> Bool && t <> Float ->
            match expression () x, expression () y with
            | IntegerRange(a, b), IntegerRange(c, d) -> IntegerRange(min a c, max b d)
            | _ -> whole t
        | _ -> whole t
