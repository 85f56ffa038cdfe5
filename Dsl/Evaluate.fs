/// The meaning of an expression at one position, by C#'s rules (semantics 15): integers wrap, shift counts are masked,
/// division truncates, float to integer saturates with NaN to 0. Constant folding, coverage drawings and the properties use it.
namespace FlashGen.Dsl

open System

/// A read that C# would reach and that has no answer (semantics 18).
exception ExpressionFault of message: string

/// Where and with what an expression is evaluated.
type Environment =
    {
        Field: Field -> int
        Score: float32
        Scalar: string -> Literal
        /// Length of a table.
        Length: string -> int
        /// Element of a table at an index within its length.
        Read: string -> int64 -> Literal
    }

[<RequireQualifiedAccess>]
module Environment =
    let private missing what (name: string) : 'a =
        invalidArg (nameof name) ("No value for the " + what + " '" + name + "'.")

    /// No positions, scalars or tables: for constant expressions.
    let empty =
        {
            Field = fun field -> missing "position" (string field)
            Score = nanf
            Scalar = missing "scalar"
            Length = missing "table"
            Read = fun table _ -> missing "table" table
        }

[<RequireQualifiedAccess>]
module Evaluate =
    let private floatOf value = Literal.toFloat value

    /// C#'s unchecked float to integer conversion as .NET does it on every platform: saturating, NaN to 0.
    let private saturate (low: int64) (high: int64) (value: float) =
        if Double.IsNaN value then 0L
        elif value <= float low then low
        elif value >= float high then high
        else int64 value

    let convert target literal =
        match target, literal with
        | Bool, BoolLiteral _
        | Int, IntLiteral _
        | UInt, UIntLiteral _
        | Long, LongLiteral _
        | Float, FloatLiteral _ -> literal
        | Int, UIntLiteral v -> IntLiteral(int v)
        | Int, LongLiteral v -> IntLiteral(int v)
        | Int, FloatLiteral v ->
            IntLiteral(int (saturate (int64 Int32.MinValue) (int64 Int32.MaxValue) (float (floatOf v))))
        | UInt, IntLiteral v -> UIntLiteral(uint32 v)
        | UInt, LongLiteral v -> UIntLiteral(uint32 v)
        | UInt, FloatLiteral v -> UIntLiteral(uint32 (saturate 0L (int64 UInt32.MaxValue) (float (floatOf v))))
        | Long, IntLiteral v -> LongLiteral(int64 v)
        | Long, UIntLiteral v -> LongLiteral(int64 v)
        | Long, FloatLiteral v -> LongLiteral(saturate Int64.MinValue Int64.MaxValue (float (floatOf v)))
        | Float, IntLiteral v -> Literal.ofFloat (float32 v)
        | Float, UIntLiteral v -> Literal.ofFloat (float32 v)
        | Float, LongLiteral v -> Literal.ofFloat (float32 v)
        | _ -> raise (ExpressionFault "No conversion between bool and a number.")

    let private float32Min (a: float32) (b: float32) =
        if Single.IsNaN a || Single.IsNaN b then
            nanf
        elif a = 0.0f && b = 0.0f then
            (if 1.0f / a < 0.0f then a else b)
        elif a < b then
            a
        else
            b

    let private float32Max (a: float32) (b: float32) =
        if Single.IsNaN a || Single.IsNaN b then
            nanf
        elif a = 0.0f && b = 0.0f then
            (if 1.0f / a < 0.0f then b else a)
        elif a > b then
            a
        else
            b

    let private cbrt (x: float) =
        if x = 0.0 || Double.IsNaN x then
            x
        else
            float (sign x) * Math.Pow(abs x, 1.0 / 3.0)

    let private floatUnary op (x: float32) =
        // Transcendental functions are computed in double and rounded: within one ulp of every target's own.
        let wide (f: float -> float) = float32 (f (float x))

        match op with
        | Negate -> -x
        | Abs -> Math.Abs x
        | Sqrt -> wide Math.Sqrt
        | Floor -> wide Math.Floor
        | Ceiling -> wide Math.Ceiling
        | Round -> wide (fun v -> Math.Round(v, MidpointRounding.ToEven))
        | Truncate -> wide Math.Truncate
        | Exp -> wide Math.Exp
        | Exp2 -> wide (fun v -> Math.Pow(2.0, v))
        | Log -> wide Math.Log
        | Log2 -> wide (fun v -> Math.Log(v, 2.0))
        | Log10 -> wide Math.Log10
        | Sin -> wide Math.Sin
        | Cos -> wide Math.Cos
        | Tan -> wide Math.Tan
        | Asin -> wide Math.Asin
        | Acos -> wide Math.Acos
        | Atan -> wide Math.Atan
        | Sinh -> wide Math.Sinh
        | Cosh -> wide Math.Cosh
        | Tanh
        | TanhApproximate -> wide Math.Tanh
        | Cbrt -> wide cbrt
        | Not
        | Complement -> raise (ExpressionFault "Not an operation on floats.")

    let unary op literal =
        match op, literal with
        | Not, BoolLiteral v -> BoolLiteral(not v)
        | Negate, IntLiteral v -> IntLiteral(-v)
        | Negate, LongLiteral v -> LongLiteral(-v)
        | Complement, IntLiteral v -> IntLiteral(~~~v)
        | Complement, UIntLiteral v -> UIntLiteral(~~~v)
        | Complement, LongLiteral v -> LongLiteral(~~~v)
        | Abs, IntLiteral v -> IntLiteral(if v < 0 then -v else v)
        | Abs, LongLiteral v -> LongLiteral(if v < 0L then -v else v)
        | Abs, UIntLiteral v -> UIntLiteral v
        | op, FloatLiteral v -> Literal.ofFloat (floatUnary op (floatOf v))
        | _ -> raise (ExpressionFault "No such operation on this type.")

    let private byZero () : 'a =
        raise (ExpressionFault "Integer division by zero.")

    let private intBinary op (a: int) (b: int) =
        match op with
        | Add -> IntLiteral(a + b)
        | Sub -> IntLiteral(a - b)
        | Mul -> IntLiteral(a * b)
        | Div ->
            IntLiteral(
                if b = 0 then byZero ()
                elif b = -1 then -a
                else a / b
            )
        | Rem ->
            IntLiteral(
                if b = 0 then byZero ()
                elif b = -1 then 0
                else a % b
            )
        | Min -> IntLiteral(min a b)
        | Max -> IntLiteral(max a b)
        | BitAnd -> IntLiteral(a &&& b)
        | BitOr -> IntLiteral(a ||| b)
        | BitXor -> IntLiteral(a ^^^ b)
        | Shl -> IntLiteral(a <<< (b &&& 31))
        | Shr -> IntLiteral(a >>> (b &&& 31))
        | UShr -> IntLiteral(int (uint32 a >>> (b &&& 31)))
        | Eq -> BoolLiteral((a = b))
        | Ne -> BoolLiteral((a <> b))
        | Lt -> BoolLiteral((a < b))
        | Le -> BoolLiteral((a <= b))
        | Gt -> BoolLiteral((a > b))
        | Ge -> BoolLiteral((a >= b))
        | _ -> raise (ExpressionFault "No such operation on ints.")

    let private uintBinary op (a: uint32) (b: uint32) =
        match op with
        | Add -> UIntLiteral(a + b)
        | Sub -> UIntLiteral(a - b)
        | Mul -> UIntLiteral(a * b)
        | Div -> UIntLiteral(if b = 0u then byZero () else a / b)
        | Rem -> UIntLiteral(if b = 0u then byZero () else a % b)
        | Min -> UIntLiteral(min a b)
        | Max -> UIntLiteral(max a b)
        | BitAnd -> UIntLiteral(a &&& b)
        | BitOr -> UIntLiteral(a ||| b)
        | BitXor -> UIntLiteral(a ^^^ b)
        | Eq -> BoolLiteral((a = b))
        | Ne -> BoolLiteral((a <> b))
        | Lt -> BoolLiteral((a < b))
        | Le -> BoolLiteral((a <= b))
        | Gt -> BoolLiteral((a > b))
        | Ge -> BoolLiteral((a >= b))
        | _ -> raise (ExpressionFault "No such operation on uints.")

    let private longBinary op (a: int64) (b: int64) =
        match op with
        | Add -> LongLiteral(a + b)
        | Sub -> LongLiteral(a - b)
        | Mul -> LongLiteral(a * b)
        | Div ->
            LongLiteral(
                if b = 0L then byZero ()
                elif b = -1L then -a
                else a / b
            )
        | Rem ->
            LongLiteral(
                if b = 0L then byZero ()
                elif b = -1L then 0L
                else a % b
            )
        | Min -> LongLiteral(min a b)
        | Max -> LongLiteral(max a b)
        | BitAnd -> LongLiteral(a &&& b)
        | BitOr -> LongLiteral(a ||| b)
        | BitXor -> LongLiteral(a ^^^ b)
        | Eq -> BoolLiteral((a = b))
        | Ne -> BoolLiteral((a <> b))
        | Lt -> BoolLiteral((a < b))
        | Le -> BoolLiteral((a <= b))
        | Gt -> BoolLiteral((a > b))
        | Ge -> BoolLiteral((a >= b))
        | _ -> raise (ExpressionFault "No such operation on longs.")

    let private floatBinary op (a: float32) (b: float32) =
        // One rounding: the double result of + - * / of two floats rounds to the float result exactly.
        let wide (f: float -> float -> float) =
            Literal.ofFloat (float32 (f (float a) (float b)))

        match op with
        | Add -> wide (+)
        | Sub -> wide (-)
        | Mul -> wide (*)
        | Div -> wide (/)
        | Rem -> wide (fun x y -> x % y)
        | Min -> Literal.ofFloat (float32Min a b)
        | Max -> Literal.ofFloat (float32Max a b)
        | Pow -> wide (fun x y -> Math.Pow(x, y))
        | Atan2 -> wide (fun x y -> Math.Atan2(x, y))
        | Eq -> BoolLiteral((a = b))
        | Ne -> BoolLiteral((a <> b))
        | Lt -> BoolLiteral((a < b))
        | Le -> BoolLiteral((a <= b))
        | Gt -> BoolLiteral((a > b))
        | Ge -> BoolLiteral((a >= b))
        | _ -> raise (ExpressionFault "No such operation on floats.")

    let binary op left right =
        match left, right with
        | BoolLiteral a, BoolLiteral b ->
            match op with
            | And
            | BitAnd -> BoolLiteral(a && b)
            | Or
            | BitOr -> BoolLiteral(a || b)
            | BitXor
            | Ne -> BoolLiteral((a <> b))
            | Eq -> BoolLiteral((a = b))
            | _ -> raise (ExpressionFault "No such operation on bools.")
        | IntLiteral a, IntLiteral b -> intBinary op a b
        | UIntLiteral a, IntLiteral b ->
            match op with
            | Shl -> UIntLiteral(a <<< (b &&& 31))
            | Shr
            | UShr -> UIntLiteral(a >>> (b &&& 31))
            | _ -> raise (ExpressionFault "A uint takes an int only as a shift count.")
        | LongLiteral a, IntLiteral b ->
            match op with
            | Shl -> LongLiteral(a <<< (b &&& 63))
            | Shr -> LongLiteral(a >>> (b &&& 63))
            | UShr -> LongLiteral(int64 (uint64 a >>> (b &&& 63)))
            | _ -> raise (ExpressionFault "A long takes an int only as a shift count.")
        | UIntLiteral a, UIntLiteral b -> uintBinary op a b
        | LongLiteral a, LongLiteral b -> longBinary op a b
        | FloatLiteral a, FloatLiteral b -> floatBinary op (floatOf a) (floatOf b)
        | _ -> raise (ExpressionFault "Operands of two types.")

    /// The value of an expression. Reads and divisions that C# would not reach are not made; one that it would reach and
    /// that has no answer raises ExpressionFault.
    let expression (environment: Environment) expr =
        let rec go locals expr =
            match expr with
            | Literal literal -> literal
            | Position field -> IntLiteral(environment.Field field)
            | Score -> Literal.ofFloat environment.Score
            | Scalar(name, _) -> environment.Scalar name
            | Local(name, _) -> Map.find name locals
            | TableLength table -> IntLiteral(environment.Length table)
            | TableRead(table, _, index) ->
                let at =
                    match convert Long (go locals index) with
                    | LongLiteral at -> at
                    | _ -> raise (ExpressionFault "A table index is an int or a long.")

                if at < 0L || at >= int64 (environment.Length table) then
                    raise (ExpressionFault("Read of table '" + table + "' at " + string at + ", outside its length."))

                environment.Read table at
            | Convert(target, operand) -> convert target (go locals operand)
            | Unary(op, operand) -> unary op (go locals operand)
            | Binary(And, left, right) ->
                match go locals left with
                | BoolLiteral false -> BoolLiteral false
                | _ -> go locals right
            | Binary(Or, left, right) ->
                match go locals left with
                | BoolLiteral true -> BoolLiteral true
                | _ -> go locals right
            | Binary(op, left, right) ->
                let left = go locals left
                binary op left (go locals right)
            | Select(condition, ifTrue, ifFalse) ->
                match go locals condition with
                | BoolLiteral true -> go locals ifTrue
                | _ -> go locals ifFalse
            | Let(name, value, body) -> go (Map.add name (go locals value) locals) body

        go Map.empty expr

    /// The value of an expression that is a bool.
    let isTrue environment expr =
        expression environment expr = BoolLiteral true
