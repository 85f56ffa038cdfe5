namespace FlashGen.Dsl

/// The types of a mask's or score change's expressions: those of C# that every target computes alike.
type ScalarType =
    | Bool
    | Int
    | UInt
    | Long
    | Float

module ScalarType =

    let all = [ Bool; Int; UInt; Long; Float ]

    /// The C# keyword, which is also the name in canonical text.
    let name scalar =
        match scalar with
        | Bool -> "bool"
        | Int -> "int"
        | UInt -> "uint"
        | Long -> "long"
        | Float -> "float"

    let tryParse text =
        all |> List.tryFind (fun scalar -> name scalar = text)
