/// What every pass takes for granted of an expression: types that fit, locals in scope and named once.
module FlashGen.Tests.Generator.WellFormed

open Expecto
open FlashGen.Dsl

let private fail expr why = failtest $"{why}:\n{expr}"

/// The type of an expression, each part of which is checked to be of the type that it must have.
let rec private typeIn (locals: Map<string, ScalarType>) expr =
    let typeOf = typeIn locals

    let expect types part =
        let found = typeOf part

        if not (List.contains found types) then
            fail expr $"A part is {found}, not one of {types}"

        found

    let numbers = [ Int; UInt; Long; Float ]
    let integers = [ Int; UInt; Long ]

    match expr with
    | Literal _
    | Position _
    | Score
    | Scalar _
    | TableLength _ -> ()
    | Local(name, scalar) ->
        if Map.tryFind name locals <> Some scalar then
            fail expr $"The local {name} is not in scope as {scalar}"
    | TableRead(_, _, index) -> expect [ Int; Long ] index |> ignore
    | Unary(Not, operand) -> expect [ Bool ] operand |> ignore
    | Unary(Complement, operand) -> expect integers operand |> ignore
    | Unary((Negate | Abs), operand) -> expect [ Int; Long; Float ] operand |> ignore
    | Unary(_, operand) -> expect [ Float ] operand |> ignore
    | Binary((And | Or), left, right) ->
        expect [ Bool ] left |> ignore
        expect [ Bool ] right |> ignore
    | Binary((Shl | Shr | UShr), left, right) ->
        expect integers left |> ignore
        expect [ Int ] right |> ignore
    | Binary(op, left, right) ->
        let types =
            match op with
            | BitAnd
            | BitOr
            | BitXor -> Bool :: integers
            | Eq
            | Ne -> Bool :: numbers
            | Pow
            | Atan2 -> [ Float ]
            | _ -> numbers

        expect [ expect types left ] right |> ignore
    | Convert(target, operand) ->
        if expect numbers operand = target || target = Bool then
            fail expr "This conversion says nothing"
    | Select(condition, ifTrue, ifFalse) ->
        expect [ Bool ] condition |> ignore
        expect [ typeOf ifTrue ] ifFalse |> ignore
    | Let(name, value, body) -> typeIn (Map.add name (typeOf value) locals) body |> ignore

    Expr.typeOf expr

let rec private localNames expr =
    match expr with
    | Let(name, value, body) -> name :: localNames value @ localNames body
    | _ -> List.collect localNames (Expr.children expr)

/// Fails for a mod's expression that is not as passes take it to be.
let check (declaration: Declaration) body =
    typeIn Map.empty body |> ignore
    let names = localNames body
    Expect.equal (List.distinct names) names "every local has a name of its own"

    for argument in declaration.Spec.Arguments do
        Expect.isFalse (List.contains argument.Name names) $"{argument.Name} is an argument, and no local"
