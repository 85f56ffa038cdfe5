/// The words of canonical texts: one for each case of the small types.
[<RequireQualifiedAccess>]
module internal FlashGen.Dsl.Words

let scalarTypes =
    [ Bool, "bool"; Int, "int"; UInt, "uint"; Long, "long"; Float, "float" ]

let elements =
    [
        BoolElement, "bool"
        ByteElement, "byte"
        IntElement, "int"
        UIntElement, "uint"
        LongElement, "long"
        FloatElement, "float"
    ]

/// As FlashGen.Position names them.
let fields =
    [
        Batch, "Batch"
        Head, "Head"
        KeyHead, "KeyHead"
        Query, "Query"
        QueryPosition, "QueryPosition"
        Key, "Key"
        QueryLength, "QueryLength"
        KeyLength, "KeyLength"
        KeyExtent, "KeyExtent"
        QueryHeads, "QueryHeads"
    ]

let unaryOps =
    [
        Negate, "neg"
        Not, "!"
        Complement, "~"
        Abs, "abs"
        Sqrt, "sqrt"
        Floor, "floor"
        Ceiling, "ceiling"
        Round, "round"
        Truncate, "truncate"
        Exp, "exp"
        Exp2, "exp2"
        Log, "log"
        Log2, "log2"
        Log10, "log10"
        Sin, "sin"
        Cos, "cos"
        Tan, "tan"
        Asin, "asin"
        Acos, "acos"
        Atan, "atan"
        Sinh, "sinh"
        Cosh, "cosh"
        Tanh, "tanh"
        TanhApproximate, "tanhApproximate"
        Cbrt, "cbrt"
    ]

let binaryOps =
    [
        Add, "+"
        Sub, "-"
        Mul, "*"
        Div, "/"
        Rem, "%"
        Min, "min"
        Max, "max"
        BitAnd, "&"
        BitOr, "|"
        BitXor, "^"
        Shl, "<<"
        Shr, ">>"
        UShr, ">>>"
        Eq, "=="
        Ne, "!="
        Lt, "<"
        Le, "<="
        Gt, ">"
        Ge, ">="
        And, "&&"
        Or, "||"
        Pow, "pow"
        Atan2, "atan2"
    ]

let elementTypes =
    [
        Float16, "float16"
        BFloat16, "bfloat16"
        Float32, "float32"
        Float64, "float64"
    ]

let alignments = [ BottomRight, "bottom-right"; TopLeft, "top-left" ]

let layouts =
    [
        BatchHeadSequence, "batch-head-sequence"
        BatchSequenceHead, "batch-sequence-head"
    ]

let targets = [ Simd, "simd"; Portable, "portable"; Sm80, "sm80"; Sm90, "sm90" ]

/// The word of a case.
let ofCase words case =
    words |> List.find (fun (other, _) -> other = case) |> snd

/// The case of a word.
let tryCase words word =
    words |> List.tryFind (fun (_, other) -> other = word) |> Option.map fst

/// All words of a type, for messages.
let all words =
    words |> List.map snd |> String.concat ", "
