/// A mod as an expression, evaluated, against the mod as C#, compiled and run: at random positions, with random arguments.
module FlashGen.Tests.Generator.BodyComparison

open System
open System.Reflection
open Expecto
open Microsoft.CodeAnalysis.CSharp
open FlashGen
open FlashGen.Dsl

// Random arguments: small numbers that meet each other, and the ends of their types.

let pick (random: Random) (values: 'a array) = values[random.Next values.Length]

let private randomInt (random: Random) =
    match random.Next 8 with
    | 0 -> pick random [| 0; 1; -1; Int32.MaxValue; Int32.MinValue; 31; 32; 33; 1 <<< 30 |]
    | 1 -> random.Next()
    | _ -> random.Next(-100, 101)

let private randomFloat (random: Random) =
    match random.Next 8 with
    | 0 ->
        pick
            random
            [|
                0f
                -0f
                nanf
                infinityf
                -infinityf
                Single.MaxValue
                Single.Epsilon
                1e10f
                -3e9f
                0.5f
                2.5f
            |]
    | 1 -> BitConverter.Int32BitsToSingle(random.Next())
    | _ -> float32 (random.NextDouble() * 200.0 - 100.0)

let private randomLong (random: Random) =
    match random.Next 8 with
    | 0 -> pick random [| 0L; -1L; Int64.MaxValue; Int64.MinValue; 1L <<< 32 |]
    | _ -> int64 (randomInt random)

let private randomPosition (random: Random) =
    let at () =
        if random.Next 20 = 0 then
            (1 <<< 30) - 1
        else
            random.Next 100

    FlashGen.Position(random.Next 4, random.Next 8, random.Next 4, at (), at () - 20, at (), at (), at ())

/// An argument as C# takes it, and as expressions read it.
type private Given =
    | GivenScalar of obj * Literal
    | GivenTable of obj * Literal array

let private elements (random: Random) (make: Random -> 'a) =
    Array.init (random.Next(40, 90)) (fun _ -> make random)

let private tableOf name (values: 'a array) (literal: 'a -> Literal) =
    GivenTable(box (Table<'a>(name, ReadOnlyMemory values)), Array.map literal values)

let private given (random: Random) name argument =
    match argument with
    | ScalarArgument Bool ->
        let value = random.Next 2 = 0
        GivenScalar(box value, BoolLiteral value)
    | ScalarArgument Int ->
        let value = randomInt random
        GivenScalar(box value, IntLiteral value)
    | ScalarArgument UInt ->
        let value = uint32 (randomInt random)
        GivenScalar(box value, UIntLiteral value)
    | ScalarArgument Long ->
        let value = randomLong random
        GivenScalar(box value, LongLiteral value)
    | ScalarArgument Float ->
        let value = randomFloat random
        GivenScalar(box value, Literal.ofFloat value)
    | TableArgument BoolElement -> tableOf name (elements random (fun random -> random.Next 2 = 0)) BoolLiteral
    | TableArgument ByteElement ->
        tableOf name (elements random (fun random -> byte (random.Next 256))) (int >> IntLiteral)
    | TableArgument IntElement -> tableOf name (elements random (fun random -> random.Next(-5, 60))) IntLiteral
    | TableArgument UIntElement -> tableOf name (elements random (fun random -> uint32 (randomInt random))) UIntLiteral
    | TableArgument LongElement -> tableOf name (elements random randomLong) LongLiteral
    | TableArgument FloatElement -> tableOf name (elements random randomFloat) Literal.ofFloat
    | BiasStridesArgument
    | DropoutArgument -> failwith "No mod takes this."

let private fieldOf (position: FlashGen.Position) field =
    match field with
    | Batch -> position.Batch
    | Head -> position.Head
    | KeyHead -> position.KeyHead
    | Query -> position.Query
    | QueryPosition -> position.QueryPosition
    | Key -> position.Key
    | QueryLength -> position.QueryLength
    | KeyLength -> position.KeyLength
    | KeyExtent
    | QueryHeads -> failwith "No mod of a user's reads this."

type private Result =
    | Value of Literal
    | Fault
    /// C# throws where integers of a mod wrap: the smallest integer divided by -1, or its absolute value.
    | Overflow

let private compiled (method: MethodInfo) (arguments: obj array) =
    try
        match method.Invoke(null, arguments) with
        | :? bool as value -> Value(BoolLiteral value)
        | :? float32 as value -> Value(Literal.ofFloat value)
        | other -> failwith $"A mod returned {other}."
    with :? TargetInvocationException as thrown ->
        match thrown.InnerException with
        | :? TableReadException
        | :? DivideByZeroException -> Fault
        | :? OverflowException -> Overflow
        | other -> raise other

let private evaluated environment body =
    try
        Value(Evaluate.expression environment body)
    with ExpressionFault _ ->
        Fault

let private agrees ulps expected actual =
    match expected, actual with
    | Overflow, _ -> true
    | Value(FloatLiteral a), Value(FloatLiteral b) ->
        let x, y = Literal.toFloat a, Literal.toFloat b

        // The bits of a NaN are nobody's promise.
        a = b
        || Single.IsNaN x && Single.IsNaN y
        || (a < 0) = (b < 0) && abs (int64 a - int64 b) <= ulps
    | _ -> expected = actual

/// The mod of a class that declares one, read as an expression, gives what the compiled mod gives. Returns the distinct values seen.
let compare' (compilation: CSharpCompilation) (assembly: Assembly) className positions ulps =
    let declaration = Compile.declaration compilation className

    let body =
        match declaration.Spec.Masks @ declaration.Spec.Scores with
        | [ only ] -> only.Body
        | mods -> failwith $"One mod was expected, not %d{List.length mods}."

    WellFormed.check declaration body
    let modMethod = List.exactlyOne declaration.Methods

    let method =
        assembly.GetType(className).GetMethod(modMethod.Method, BindingFlags.Static ||| BindingFlags.NonPublic)

    let random = Random 20
    let mutable values = Set.empty

    for _ in 1..positions do
        let position, score = randomPosition random, randomFloat random

        let given =
            dict
                [
                    for argument in declaration.Spec.Arguments ->
                        argument.Name, given random argument.Name argument.Type
                ]

        let arguments =
            [|
                for parameter in modMethod.Parameters ->
                    match parameter with
                    | ScoreParameter -> box score
                    | PositionParameter -> box position
                    | ArgumentParameter(name, _) ->
                        match given[name] with
                        | GivenScalar(value, _)
                        | GivenTable(value, _) -> value
            |]

        let table name =
            match given[name] with
            | GivenTable(_, values) -> values
            | GivenScalar _ -> failwith $"'{name}' is no table."

        let environment =
            {
                Field = fieldOf position
                Score = score
                Scalar =
                    fun name ->
                        match given[name] with
                        | GivenScalar(_, literal) -> literal
                        | GivenTable _ -> failwith $"'{name}' is no scalar."
                Length = fun name -> (table name).Length
                Read = fun name index -> (table name)[int index]
            }

        let expected, actual = compiled method arguments, evaluated environment body

        if not (agrees ulps expected actual) then
            failtest
                $"C# gives {expected}, the expression {actual}, at {position} with {score} and {given.Values}:\n{body}"

        values <- Set.add (string expected) values

    values
