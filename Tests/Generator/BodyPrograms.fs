/// Random C# of mods: every operator, conversion, function and pattern that gives the same bits everywhere, in every type.
module FlashGen.Tests.Generator.BodyPrograms

open System

type private Type =
    | Bool
    | Int
    | UInt
    | Long
    | Float

let private keyword scalar =
    match scalar with
    | Bool -> "bool"
    | Int -> "int"
    | UInt -> "uint"
    | Long -> "long"
    | Float -> "float"

let private parameters =
    "bool b, int n, uint u, long l, float x, Table<bool> bools, Table<byte> bytes, Table<int> ints, Table<uint> uints, Table<long> longs, Table<float> floats"

/// Names a value of each type that no compiler can know.
let private variable scalar =
    match scalar with
    | Bool -> "b"
    | Int -> "n"
    | UInt -> "u"
    | Long -> "l"
    | Float -> "x"

type private Writer(random: Random, locals: (string * Type) list, isMask: bool) =
    let pick (choices: 'a list) = choices[random.Next choices.Length]

    let leaf scalar =
        let known =
            [
                for name, declared in locals do
                    if declared = scalar then
                        name
            ]

        match random.Next 4 with
        | 0 when not known.IsEmpty -> pick known
        | 1 -> variable scalar
        | _ ->
            match scalar with
            | Bool -> pick [ "true"; "false"; "b"; "at.Key <= at.QueryPosition" ]
            | Int ->
                pick
                    [
                        "at.Key"
                        "at.Query"
                        "at.QueryPosition"
                        "at.Head"
                        "at.KeyLength"
                        "3"
                        "-7"
                        "64"
                        "ints.Length"
                        "int.MaxValue"
                    ]
            | UInt -> pick [ "5u"; "0xffff0000u"; "u"; "(uint)at.Key" ]
            | Long -> pick [ "9L"; "-4000000000L"; "l"; "long.MinValue" ]
            | Float ->
                pick
                    [
                        "0.5f"
                        "-0f"
                        "3e9f"
                        "1e-40f"
                        "float.NaN"
                        "x"
                        "(float)Math.PI"
                        (if isMask then "x" else "score")
                    ]

    member private writer.Write depth scalar : string =
        if depth = 0 then
            leaf scalar
        else
            let one scalar = writer.Write (depth - 1) scalar
            // Divisors and the like are no constants, of which the compiler knows too much.
            let unknown scalar = $"({one scalar} + {variable scalar})"
            let infix left (operators: string list) right = $"({left} {pick operators} {right})"

            let call (names: string list) (arguments: string list) =
                pick names + "(" + String.Join(", ", arguments) + ")"

            // .NET 10 compiles MathF.Min(x, -0f) to 0 for x = 0, and MathF.Max(float.NaN, f()) without calling f.
            let opaque value = $"Opaque({value})"
            let any () = pick [ Int; UInt; Long; Float ]
            let integer () = pick [ Int; UInt; Long ]

            match random.Next 12 with
            | 0 -> leaf scalar
            | 1 -> $"({one Bool} ? {one scalar} : {one scalar})"
            | 2 -> writer.Switch depth scalar
            | choice ->
                match scalar with
                | Bool ->
                    let compared = any ()

                    match choice with
                    | 3 -> $"({one Bool} && {one Bool})"
                    | 4 -> $"({one Bool} || {one Bool})"
                    | 5 -> infix (one Bool) [ "&"; "|"; "^"; "=="; "!=" ] (one Bool)
                    | 6 -> $"!({one Bool})"
                    | 7 -> $"bools[{one Int}]"
                    | 8 -> $"({unknown compared} is {writer.Pattern compared})"
                    | _ -> infix (one compared) [ "<"; "<="; ">"; ">="; "=="; "!=" ] (one compared)
                | Float ->
                    match choice with
                    | 3 -> $"floats[{one Int}]"
                    | 4 ->
                        "MathF."
                        + call [ "Abs"; "Sqrt"; "Floor"; "Ceiling"; "Round"; "Truncate" ] [ one Float ]
                    | 5 -> "MathF." + call [ "Min"; "Max" ] [ opaque (one Float); opaque (one Float) ]
                    | 6 -> $"(float){one (integer ())}"
                    | 7 -> $"-({one Float})"
                    | 8 -> $"Math.Clamp({one Float}, -2f, 30f)"
                    | _ -> infix (one Float) [ "+"; "-"; "*"; "/"; (if isMask then "-" else "%") ] (one Float)
                | number ->
                    match choice with
                    | 3 ->
                        match number with
                        | Int -> pick [ $"ints[{one Int}]"; $"(bytes[{one Long}] + 0)" ]
                        | UInt -> $"uints[{one Int}]"
                        | _ -> $"longs[{one Int}]"
                    | 4 -> infix (one number) [ "<<"; ">>"; ">>>" ] (one Int)
                    | 5 -> infix (one number) [ "&"; "|"; "^" ] (one number)
                    | 6 -> infix (one number) [ "/"; "%" ] (unknown number)
                    | 7 -> $"({keyword number})({unknown (any ())})"
                    | 8 -> "Math." + call [ "Min"; "Max" ] [ one number; one number ]
                    | 9 when number <> UInt -> call [ "-"; "~"; "+" ] [ one number ]
                    | 10 when number = Int -> $"Near({one Int}, {one Int})"
                    | _ -> infix (one number) [ "+"; "-"; "*" ] (one number)

    member private _.Pattern scalar =
        match scalar with
        | Float -> pick [ "float.NaN"; "> 0f and < 20f"; "not 0f"; "< -3f or > 3f" ]
        | UInt -> pick [ "> 7u"; "0u or 5u"; "not (> 3u and < 90u)" ]
        | Long -> pick [ "> 7L"; "-1L or 0L"; "not (> 3L and < 90L)" ]
        | _ -> pick [ "> 7"; "-1 or 0"; "not (> 3 and < 90)"; ">= -50 and not 3" ]

    member private writer.Switch depth scalar =
        let one () = writer.Write (depth - 1) scalar
        let value = $"({writer.Write (depth - 1) Int} + n)"

        let tail =
            pick [ $"_ => {one ()}"; (if scalar = Int then "var d => d" else $"_ => {one ()}") ]

        $"({value} switch {{ < -9 => {one ()}, 0 or 4 => {one ()}, > 30 when {writer.Write (depth - 1) Bool} => {one ()}, {tail} }})"

    member writer.Any scalar = writer.Write (2 + random.Next 3) scalar

/// A class body with one mod.
let private program (random: Random) =
    let isMask = random.Next 2 = 0
    let result = if isMask then Bool else Float
    let types = [ Bool; Int; UInt; Long; Float ]

    let declare (locals, text) index =
        let scalar = types[random.Next types.Length]
        let value = Writer(random, locals, isMask).Any scalar
        let name = $"v%d{index}"
        (name, scalar) :: locals, text + $"        {keyword scalar} {name} = {value};\n"

    let locals, declarations = List.fold declare ([], "") [ 1 .. random.Next 4 ]
    let any = Writer(random, locals, isMask).Any

    let early =
        if random.Next 2 = 0 then
            $"        if ({any Bool}) return {any result};\n"
        else
            ""

    let signature =
        if isMask then
            $"[MaskMod] static bool Mod(in Position at, {parameters})"
        else
            $"[ScoreMod] static float Mod(float score, in Position at, {parameters})"

    $"    [MethodImpl(MethodImplOptions.NoInlining)] static float Opaque(float value) => value;\n    static int Near(int a, int b) {{ var d = unchecked(a - b); return d > 9 ? 9 : d; }}\n    {signature}\n    {{\n        unchecked\n        {{\n{declarations}{early}        return {any result};\n        }}\n    }}"

let programs (seed: int) count =
    let random = Random seed
    List.init count (fun _ -> program random)
